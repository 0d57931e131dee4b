//! Idempotency keys in use: which call has one, for which body, and the answer it is replayed with.
use crate::{Store, on_database};

/// A call that wants the key.
#[derive(Clone, Debug)]
pub struct Claim {
    pub id: String,
    pub org_id: String,
    pub key_id: String,
    pub body_sha256: String,
    pub receipt_id: String,
    pub keeps_answer: bool,
    pub now_ms: i64,
    pub expires_at_ms: i64,
}

/// The call that has the key.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClaimRow {
    pub body_sha256: String,
    pub receipt_id: String,
    pub claimed_at_ms: i64,
    pub keeps_answer: bool,
    pub answer_sealed: Option<String>,
    pub expires_at_ms: i64,
}

/// Claims a key that nobody has; false when somebody has it. Of any number that ask at once, one gets it.
pub async fn claim(store: &Store, claim: &Claim) -> sqlx::Result<bool> {
    let inserted: u64 = on_database!(store, db => sqlx::query(
        "insert into idempotent_call (id, org_id, key_id, body_sha256, receipt_id, claimed_at_ms, keeps_answer, expires_at_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing")
        .bind(&claim.id).bind(&claim.org_id).bind(&claim.key_id).bind(&claim.body_sha256).bind(&claim.receipt_id)
        .bind(claim.now_ms).bind(claim.keeps_answer).bind(claim.expires_at_ms)
        .execute(db).await.map(|done| done.rows_affected()))?;
    Ok(inserted == 1)
}

/// Takes the key from a call that no longer needs it; false when another was faster.
pub async fn take_over(store: &Store, claim: &Claim, from_receipt_id: &str) -> sqlx::Result<bool> {
    let taken: u64 = on_database!(store, db => sqlx::query(
        "update idempotent_call set body_sha256 = $3, receipt_id = $4, claimed_at_ms = $5, keeps_answer = $6,
                expires_at_ms = $7, answer_sealed = null
         where id = $1 and receipt_id = $2")
        .bind(&claim.id).bind(from_receipt_id).bind(&claim.body_sha256).bind(&claim.receipt_id)
        .bind(claim.now_ms).bind(claim.keeps_answer).bind(claim.expires_at_ms)
        .execute(db).await.map(|done| done.rows_affected()))?;
    Ok(taken == 1)
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<ClaimRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select body_sha256, receipt_id, claimed_at_ms, keeps_answer, answer_sealed, expires_at_ms
         from idempotent_call where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// Lets go of a key whose call took no hold.
pub async fn forget(store: &Store, id: &str, receipt_id: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("delete from idempotent_call where id = $1 and receipt_id = $2")
        .bind(id).bind(receipt_id).execute(db).await.map(drop))
}

/// Stores the answer of a call that landed, or (`None`) that there will be none.
pub async fn keep(store: &Store, id: &str, receipt_id: &str, sealed: Option<&str>) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update idempotent_call set answer_sealed = $3, keeps_answer = $4 where id = $1 and receipt_id = $2")
        .bind(id).bind(receipt_id).bind(sealed).bind(sealed.is_some()).execute(db).await.map(drop))
}

/// Removes up to `most` keys whose time is over; how many went.
pub async fn delete_expired(store: &Store, now_ms: i64, most: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from idempotent_call where id in (
             select id from idempotent_call where expires_at_ms <= $1 order by expires_at_ms limit $2)")
        .bind(now_ms).bind(most).execute(db).await.map(|done| done.rows_affected()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;

    fn wanted(receipt_id: &str, now_ms: i64) -> Claim {
        Claim {
            id: "k".to_owned(),
            org_id: "org_1".to_owned(),
            key_id: "key_1".to_owned(),
            body_sha256: "b".to_owned(),
            receipt_id: receipt_id.to_owned(),
            keeps_answer: true,
            now_ms,
            expires_at_ms: now_ms + 10,
        }
    }

    #[tokio::test]
    async fn of_many_that_claim_at_once_one_has_the_key_and_of_many_that_take_it_over_one_gets_it() {
        on_each_database(async |store| {
            let names: Vec<String> = (0..16).map(|n| format!("rcp_{n}")).collect();
            let claims = names.iter().map(|name| wanted(name, 1));
            let won = futures_util::future::join_all(claims.map(|each| {
                let store = store.clone();
                async move { claim(&store, &each).await.expect("claimed") }
            }))
            .await;
            assert_eq!(won.iter().filter(|won| **won).count(), 1);
            let first = find(&store, "k").await.expect("read").expect("there");
            let won = futures_util::future::join_all((0..16).map(|n| {
                let (store, from) = (store.clone(), first.receipt_id.clone());
                async move {
                    take_over(&store, &wanted(&format!("rcp_after_{n}"), 2), &from).await.expect("asked")
                }
            }))
            .await;
            assert_eq!(won.iter().filter(|won| **won).count(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn only_the_call_that_has_the_key_keeps_an_answer_or_lets_go() {
        on_each_database(async |store| {
            assert!(claim(&store, &wanted("rcp_1", 1)).await.expect("claimed"));
            assert!(take_over(&store, &wanted("rcp_2", 2), "rcp_1").await.expect("taken"));
            keep(&store, "k", "rcp_1", Some("late")).await.expect("ignored");
            forget(&store, "k", "rcp_1").await.expect("ignored");
            let row = find(&store, "k").await.expect("read").expect("still there");
            assert_eq!((row.receipt_id.as_str(), row.answer_sealed), ("rcp_2", None));
            keep(&store, "k", "rcp_2", Some("sealed")).await.expect("kept");
            let row = find(&store, "k").await.expect("read").expect("there");
            assert_eq!((row.answer_sealed.as_deref(), row.keeps_answer), (Some("sealed"), true));
            keep(&store, "k", "rcp_2", None).await.expect("given up");
            let row = find(&store, "k").await.expect("read").expect("there");
            assert_eq!((row.answer_sealed, row.keeps_answer), (None, false));
        })
        .await;
    }

    #[tokio::test]
    async fn keys_go_when_their_time_is_over() {
        on_each_database(async |store| {
            assert!(claim(&store, &wanted("rcp_1", 1)).await.expect("claimed"));
            assert_eq!(delete_expired(&store, 10, 100).await.expect("swept"), 0);
            assert_eq!(delete_expired(&store, 11, 100).await.expect("swept"), 1);
            assert_eq!(find(&store, "k").await.expect("read"), None);
        })
        .await;
    }
}
