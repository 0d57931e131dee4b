//! What an org, a deployment or a member allows to every key below it: models, scopes, networks, who answers and where, and
//! until when.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// Null means that the node does not narrow it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NodeRuleRow {
    pub node_id: String,
    pub models_json: Option<String>,
    pub scopes_json: Option<String>,
    pub ips_json: Option<String>,
    pub providers_json: Option<String>,
    pub regions_json: Option<String>,
    pub expires_at_ms: Option<i64>,
    pub max_lifetime_days: Option<i64>,
}

/// In the order of the fields.
macro_rules! columns {
    () => {
        "node_id, models_json, scopes_json, ips_json, providers_json, regions_json, expires_at_ms, max_lifetime_days"
    };
}

/// Those of the org, the deployment and the holder of a key.
pub async fn above_keys(
    store: &Store,
    (org_id, deployment_id, member_id): (&str, &str, &str),
) -> sqlx::Result<Vec<NodeRuleRow>> {
    on_database!(read store, db => sqlx::query_as(concat!(
        "select ", columns!(), " from node_rule
         where org_id = $1 and node_id in ('org:' || $1, 'dep:' || $2, 'mem:' || $3)"))
        .bind(org_id).bind(deployment_id).bind(member_id).fetch_all(db).await)
}

/// Every rule of the org.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<NodeRuleRow>> {
    on_database!(read store, db => sqlx::query_as(concat!(
        "select ", columns!(), " from node_rule where org_id = $1 order by node_id"))
        .bind(org_id).fetch_all(db).await)
}

/// Sets the rule of a node of the org; one that narrows nothing is removed. Counts as a change of rights.
pub async fn set(store: &Store, org_id: &str, rule: &NodeRuleRow, entry: &Entry) -> sqlx::Result<()> {
    let lists =
        [&rule.models_json, &rule.scopes_json, &rule.ips_json, &rule.providers_json, &rule.regions_json];
    let is_empty = lists.into_iter().all(Option::is_none)
        && rule.expires_at_ms.is_none()
        && rule.max_lifetime_days.is_none();
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("delete from node_rule where node_id = $1 and org_id = $2")
            .bind(&rule.node_id).bind(org_id).execute(&mut *tx).await?;
        if !is_empty {
            sqlx::query(concat!(
                "insert into node_rule (org_id, ", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"))
                .bind(org_id).bind(&rule.node_id).bind(&rule.models_json).bind(&rule.scopes_json).bind(&rule.ips_json)
                .bind(&rule.providers_json).bind(&rule.regions_json).bind(rule.expires_at_ms)
                .bind(rule.max_lifetime_days).execute(&mut *tx).await?;
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}
