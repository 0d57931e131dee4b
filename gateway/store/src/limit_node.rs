//! The nodes of an org that limits can sit on: the org, its deployments, its members and its keys.
use crate::{Store, on_database};

/// A node that is in use.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NodeRow {
    /// `org:…`, `dep:…`, `mem:…` or `key:…`
    pub node_id: String,
    pub name: String,
    /// Of a key: the key it was derived from, else its holder. Of a deployment and a member: the org.
    pub parent_node_id: Option<String>,
    /// Of a key: the deployment it belongs to.
    pub deployment_node_id: Option<String>,
}

/// Every node of the org in the order of its id; ended keys, removed members and archived deployments left out.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<NodeRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select 'org:' || id as node_id, name, cast(null as text) as parent_node_id,
                cast(null as text) as deployment_node_id
         from org where id = $1
         union all
         select 'dep:' || id, name, 'org:' || org_id, null from deployment
         where org_id = $1 and archived_at_ms is null
         union all
         select 'mem:' || member.id, coalesce(person.name, member.service_name, ''), 'org:' || member.org_id, null
         from member left join person on person.id = member.person_id
         where member.org_id = $1 and member.state = 'active'
         union all
         select 'key:' || id, name, coalesce('key:' || parent_key_id, 'mem:' || member_id), 'dep:' || deployment_id
         from api_key where org_id = $1 and state in ('active', 'disabled')
         order by 1")
        .bind(org_id).fetch_all(db).await)
}
