//! The log of security events: a chain of HMACs, so that a row cannot be changed or taken out unnoticed.
use crate::secrets::{MacKey, MacPurpose};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::audit_event::{self, AuditRow};
use bytespike_store::world::World;
use serde_json::{Value, json};
use std::fmt;

const PAGE: i64 = 500;
const MOST_USER_AGENT_CHARS: usize = 256;

#[derive(Clone)]
pub struct Audit {
    store: Store,
    world: World,
    key: MacKey,
}

/// Who did it.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    Person(&'a str),
    Operator(&'a str),
    /// A program, by the public id of its token.
    OperatorToken(&'a str),
    Key(&'a str),
    /// A command on the machine, or a job.
    Host,
    Anonymous,
}

/// What happened. `name` is `thing.verb`, for example `key.created`; `detail` holds no secret.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub name: &'static str,
    pub actor: Actor<'a>,
    pub org_id: Option<&'a str>,
    pub target: Option<&'a str>,
    pub detail: Value,
}

impl<'a> Event<'a> {
    pub fn new(name: &'static str, actor: Actor<'a>) -> Self {
        Self { name, actor, org_id: None, target: None, detail: json!({}) }
    }

    pub fn org(self, org_id: &'a str) -> Self {
        Self { org_id: Some(org_id), ..self }
    }

    pub fn target(self, target: &'a str) -> Self {
        Self { target: Some(target), ..self }
    }

    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

/// Where the chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("audit event {0} is missing")]
    Missing(i64),
    #[error("audit event {0} was changed")]
    Changed(i64),
}

impl Audit {
    pub(crate) fn new(basis: &Basis<'_>) -> Self {
        let key = basis.master.mac(MacPurpose::AuditChain);
        Self { store: basis.store.clone(), world: basis.world.clone(), key }
    }

    /// Appends the event. What it tells of has happened already, so a failure to write it is logged, not returned.
    pub async fn record(&self, origin: &Origin, event: Event<'_>) {
        let name = event.name;
        if let Err(error) = self.append(origin, event).await {
            tracing::error!(%error, event = name, request_id = %origin.request_id, "a security event was not recorded");
        }
    }

    async fn append(&self, origin: &Origin, event: Event<'_>) -> sqlx::Result<AuditRow> {
        let row = AuditRow {
            seq: 0,
            at_ms: self.world.now_ms(),
            event: event.name.to_owned(),
            actor: event.actor.to_string(),
            org_id: event.org_id.map(str::to_owned),
            target: event.target.map(str::to_owned),
            ip: origin.ip.to_string(),
            user_agent: origin
                .user_agent
                .chars()
                .filter(|c| !c.is_control())
                .take(MOST_USER_AGENT_CHARS)
                .collect(),
            request_id: origin.request_id.clone(),
            detail_json: event.detail.to_string(),
            hash: String::new(),
        };
        audit_event::append(&self.store, row, |previous, row| self.hash(previous, row)).await
    }

    /// Walks the whole chain; answers how many events it holds, or where it first breaks.
    pub async fn verify(&self) -> sqlx::Result<Result<i64, Broken>> {
        let (last, last_hash) = audit_event::head(&self.store).await?;
        let (mut seq, mut previous) = (0, String::new());
        loop {
            let page = audit_event::after(&self.store, seq, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page.iter().take_while(|row| row.seq <= last) {
                if row.seq != seq + 1 {
                    return Ok(Err(Broken::Missing(seq + 1)));
                }
                if row.hash != self.hash(&previous, row) {
                    return Ok(Err(Broken::Changed(row.seq)));
                }
                (seq, previous) = (row.seq, row.hash.clone());
            }
            if seq >= last {
                break;
            }
        }
        Ok(if seq < last {
            Err(Broken::Missing(seq + 1))
        } else if previous != last_hash {
            Err(Broken::Changed(last))
        } else {
            Ok(seq)
        })
    }

    /// A JSON array, so that no field can be shifted into its neighbour.
    fn hash(&self, previous: &str, row: &AuditRow) -> String {
        let message = json!([
            previous,
            row.seq,
            row.at_ms,
            row.event,
            row.actor,
            row.org_id,
            row.target,
            row.ip,
            row.user_agent,
            row.request_id,
            row.detail_json
        ]);
        self.key.mac_hex(message.to_string().as_bytes())
    }
}

impl fmt::Display for Actor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Person(id) => write!(f, "person:{id}"),
            Actor::Operator(id) => write!(f, "operator:{id}"),
            Actor::OperatorToken(id) => write!(f, "operator-token:{id}"),
            Actor::Key(id) => write!(f, "key:{id}"),
            Actor::Host => f.write_str("host"),
            Actor::Anonymous => f.write_str("anonymous"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, on_each, origin};
    use bytespike_store::{on_database, sqlx};

    async fn written(bench: &Bench, count: i64) {
        for _ in 0..count {
            let event = Event::new("key.created", Actor::Person("usr_1"))
                .org("org_1")
                .detail(json!({ "name": "laptop" }));
            bench.accounts.audit.record(&origin(), event).await;
        }
    }

    async fn tamper(bench: &Bench, sql: &'static str) {
        on_database!(&bench.store, db => sqlx::query(sql).execute(db).await.map(drop)).expect("tampered");
    }

    #[tokio::test]
    async fn an_untouched_chain_holds_even_when_written_by_many_at_once() {
        on_each(async |bench| {
            futures_util::future::join_all((0..8).map(|_| written(&bench, 5))).await;
            assert_eq!(bench.accounts.audit.verify().await.expect("read"), Ok(40));
        })
        .await;
    }

    #[tokio::test]
    async fn changing_or_deleting_a_row_is_noticed() {
        on_each(async |bench| {
            written(&bench, 4).await;
            let audit = &bench.accounts.audit;
            tamper(&bench, "update audit_event set actor = 'host' where seq = 2").await;
            assert_eq!(audit.verify().await.expect("read"), Err(Broken::Changed(2)));
            tamper(&bench, "delete from audit_event where seq = 2").await;
            assert_eq!(audit.verify().await.expect("read"), Err(Broken::Missing(2)));
        })
        .await;
    }

    #[tokio::test]
    async fn cutting_the_end_off_is_noticed() {
        on_each(async |bench| {
            written(&bench, 3).await;
            tamper(&bench, "delete from audit_event where seq = 3").await;
            assert_eq!(bench.accounts.audit.verify().await.expect("read"), Err(Broken::Missing(3)));
        })
        .await;
    }
}
