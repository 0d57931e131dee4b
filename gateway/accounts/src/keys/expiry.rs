//! Holders are told that their keys end: seven days before, and one day before.
use super::Keys;
use bytespike_store::key_expiry::{self, Expiring};
use bytespike_store::outbox::Event;
use serde_json::json;

/// The nearer first: who is told of the last day needs no other notice.
const DAYS: [i64; 2] = [1, 7];
const DAY_MS: i64 = 24 * 3_600_000;
const AT_ONCE: i64 = 200;

impl Keys {
    /// Wants everything told that is due; answers how many keys there were.
    pub async fn tell_of_expiry(&self) -> sqlx::Result<usize> {
        let mut told = 0;
        for (at, days) in DAYS.into_iter().enumerate() {
            let due =
                key_expiry::due(&self.store, self.world.now_ms(), (days, days * DAY_MS), AT_ONCE).await?;
            for key in &due {
                let done = DAYS.get(at..).unwrap_or_default();
                told += usize::from(key_expiry::tell(&self.store, key, done, &self.event(key, days)).await?);
            }
        }
        Ok(told)
    }

    fn event(&self, key: &Expiring, days: i64) -> Event {
        Event {
            id: self.world.id("evt"),
            org_id: key.org_id.clone(),
            kind: "key_expiring".to_owned(),
            subject: format!("key:{}", key.key_id),
            payload_json: json!({ "expires_at_ms": key.expires_at_ms, "days": days }).to_string(),
            created_at_ms: self.world.now_ms(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::keys::{NewKey, Terms};
    use crate::testing::{Bench, on_each, origin};
    use bytespike_store::{on_database, outbox, sqlx};

    const DAY_MS: i64 = super::DAY_MS;

    async fn told(bench: &Bench) -> Vec<String> {
        let rows: Vec<(String,)> = on_database!(read &bench.store, db => sqlx::query_as(
            "select payload_json from outbox where kind = 'key_expiring' order by created_at_ms, id")
            .fetch_all(db).await)
        .expect("read");
        rows.into_iter().map(|(payload,)| payload).collect()
    }

    #[tokio::test]
    async fn a_holder_is_told_a_week_and_a_day_before_and_anew_when_the_end_moves() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let keys = &bench.accounts.keys;
            let ending = |in_days: i64| {
                let expires_at_ms = Some(bench.clock_ms() + in_days * DAY_MS);
                NewKey::with(Terms { expires_at_ms, ..Terms::named("nightly") })
            };
            let key = keys.create(&origin(), &owner, ending(30)).await.expect("made");
            keys.create(&origin(), &owner, ending(2)).await.expect("made for too short to warn of");
            assert_eq!(keys.tell_of_expiry().await.expect("told"), 0);
            bench.clock.advance(23 * DAY_MS);
            assert_eq!(keys.tell_of_expiry().await.expect("told"), 1);
            assert_eq!(keys.tell_of_expiry().await.expect("told"), 0, "once");
            bench.clock.advance(6 * DAY_MS);
            assert_eq!(keys.tell_of_expiry().await.expect("told"), 1);
            let said = told(&bench).await;
            assert!(said[0].contains("\"days\":7") && said[1].contains("\"days\":1"), "{said:?}");

            let terms =
                Terms { expires_at_ms: Some(bench.clock_ms() + 5 * DAY_MS), ..Terms::named("nightly") };
            keys.change(&origin(), &owner, (&key.id, terms)).await.expect("moved");
            assert_eq!(keys.tell_of_expiry().await.expect("told"), 1);
            assert_eq!(told(&bench).await.len(), 3);
        })
        .await;
    }

    #[tokio::test]
    async fn only_the_holder_reads_of_it() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let keys = &bench.accounts.keys;
            let expires_at_ms = Some(bench.clock_ms() + 10 * DAY_MS);
            let new = NewKey::with(Terms { expires_at_ms, ..Terms::named("nightly") });
            keys.create(&origin(), &owner, new).await.expect("made");
            bench.clock.advance(9 * DAY_MS + 1);
            assert_eq!(keys.tell_of_expiry().await.expect("told"), 1, "the last day alone");
            let ids: Vec<(String,)> = on_database!(read &bench.store, db => sqlx::query_as(
                "select id from outbox where kind = 'key_expiring'").fetch_all(db).await)
            .expect("read");
            let readers = outbox::readers(&bench.store, &ids[0].0).await.expect("read");
            assert_eq!(readers.iter().map(|one| one.email.as_str()).collect::<Vec<_>>(), ["ada@example.com"]);
            let notices = &bench.accounts.notices;
            assert_eq!(notices.unread(&owner).await.expect("counted"), 1);
        })
        .await;
    }
}
