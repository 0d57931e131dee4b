//! What an org's keys, members and deployments are called, for pages and statements that know their ids.
use crate::{Store, on_database};
use std::collections::HashMap;

/// Names by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// The name, or the id of what has none.
    pub fn get(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// The same of somebody as the audit log names them, `operator:opr_1`, or by the id alone; whoever has no name keeps what they are.
    pub fn actor(&self, actor: &str) -> String {
        let id = actor.split_once(':').map_or(actor, |(_, id)| id);
        self.0.get(id).cloned().unwrap_or_else(|| actor.to_owned())
    }
}

/// The names of the org and of everything in it, whether it still exists or has ended.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Names> {
    let pairs: Vec<(String, String)> = on_database!(read store, db => sqlx::query_as(
        "select id, name from org where id = $1
         union all select id, name from api_key where org_id = $1
         union all select id, name from deployment where org_id = $1
         union all select member.id, coalesce(member.service_name, person.name)
                   from member left join person on person.id = member.person_id where member.org_id = $1
         union all select person.id, person.name
                   from member join person on person.id = member.person_id where member.org_id = $1
         union all select id, email from invitation where org_id = $1
         union all select id, name from oauth_client where org_id = $1
         union all select id, client_name from oauth_grant where org_id = $1
         union all select id, url from webhook_endpoint where org_id = $1")
        .bind(org_id).fetch_all(db).await)?;
    Ok(Names(pairs.into_iter().collect()))
}

/// What the operators' pages call those who acted and those who are credited: every operator by address, and every org that
/// credit was asked for.
pub async fn for_operators(store: &Store) -> sqlx::Result<Names> {
    let pairs: Vec<(String, String)> = on_database!(read store, db => sqlx::query_as(
        "select id, email from operator
         union all select id, name from org where id in (select org_id from waiting_credit)")
        .fetch_all(db).await)?;
    Ok(Names(pairs.into_iter().collect()))
}
