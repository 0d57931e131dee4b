//! The ledger's rules as SQL: each statement finds what breaks one of them, so that an empty answer is the proof.
//! I6 binds when a hold is taken and cannot be asked afterwards, because a limit may be lowered below what is used.
//! This is the check of the whole history; `verified.rs` checks what is new.
use crate::verified::{self, From};
use bytespike_store::world::World;
use bytespike_store::{Store, on_database};

/// A rule that does not hold, and an example.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Violation {
    pub invariant: String,
    pub example: String,
}

/// Name and statement; each answers with the ids of at most one offender.
const RULES: [(&str, &str); 17] = [
    (
        "I1 every transaction's entries sum to zero",
        "select tx_id from journal_entry group by tx_id having sum(amount_nano) <> 0 limit 1",
    ),
    (
        "I2 a wallet's posted amount is the sum of its journal",
        "select wallet.org_id from wallet
         where posted_nano <> (select coalesce(sum(amount_nano), 0) from journal_entry
                               where journal_entry.org_id = wallet.org_id) limit 1",
    ),
    (
        "I3 a wallet's held amount is the sum of its open holds",
        "select wallet.org_id from wallet
         where held_nano <> (select coalesce(sum(held_nano), 0) from reservation
                             where reservation.org_id = wallet.org_id and state = 'held') limit 1",
    ),
    (
        "I4 no wallet is overdrawn",
        "select org_id from wallet where held_nano < 0 or held_nano > posted_nano limit 1",
    ),
    (
        "I5 a limit's counters are the sums of the calls in its window",
        "select node_id || ' ' || window_kind from (
             select l.node_id, l.window_kind, l.used_nano, l.held_nano,
                    coalesce(sum(case when r.state = 'held' then r.held_nano else 0 end), 0) as open_nano,
                    coalesce(sum(case when r.state = 'settled' then r.charged_nano else 0 end), 0) as spent_nano
             from spend_limit l left join reservation r
               on r.org_id = l.org_id and r.held_at_ms >= l.opened_at_ms and r.held_at_ms < l.ends_at_ms
              and ('org:' || r.org_id = l.node_id or 'dep:' || r.deployment_id = l.node_id
                   or 'mem:' || r.member_id = l.node_id
                   or (substr(l.node_id, 1, 4) = 'key:' and r.key_path like '%/' || substr(l.node_id, 5) || '/%'))
             group by l.node_id, l.window_kind, l.used_nano, l.held_nano) counted
         where used_nano <> spent_nano or held_nano <> open_nano limit 1",
    ),
    (
        "I7 a settled call has one settlement in the journal, any other has none",
        "select reservation.id from reservation
         where (state = 'settled') <> (exists (select 1 from journal_tx
                                              where journal_tx.reservation_id = reservation.id)) limit 1",
    ),
    (
        "I8 no charge exceeds its hold",
        "select id from reservation where charged_nano < 0 or charged_nano > held_nano limit 1",
    ),
    (
        "I9 a call that did not land moved no money",
        "select r.id from reservation r join journal_tx t on t.reservation_id = r.id
         where r.state <> 'settled' limit 1",
    ),
    (
        "I11 what a settled call was charged is what left its wallet",
        "select r.id from reservation r
         where r.state = 'settled' and r.charged_nano <> (
             select coalesce(-sum(e.amount_nano), 0) from journal_tx t join journal_entry e on e.tx_id = t.id
             where t.reservation_id = r.id and e.org_id is not null) limit 1",
    ),
    (
        "I20 a settled call has one receipt, in its org",
        "select r.id from reservation r left join receipt c on c.id = r.id
         where r.state = 'settled' and (c.id is null or not c.settled or c.org_id <> r.org_id) limit 1",
    ),
    (
        "I21 credit comes in as top-up or grant and goes out as anything else, so that a statement adds up",
        "select t.id from journal_tx t join journal_entry e on e.tx_id = t.id
         where e.org_id is not null and (t.kind in ('top_up', 'grant')) <> (e.amount_nano > 0) limit 1",
    ),
    (
        "I21 a wallet's transactions are all in its own book",
        "select t.id from journal_tx t join journal_entry e on e.tx_id = t.id
         where e.org_id is not null and e.org_id <> t.org_id limit 1",
    ),
    (
        "I22 what is pinned in a lot is what open holds pinned there",
        "select lot.id from lot
         where pinned_nano <> (select coalesce(sum(p.pinned_nano), 0)
                               from reservation_lot p join reservation r on r.id = p.reservation_id
                               where p.lot_id = lot.id and r.state = 'held') limit 1",
    ),
    (
        "I27 what an org owes is what was claimed of it and is not taken yet",
        "select wallet.org_id from wallet
         where owed_nano <> (select coalesce(sum(amount_nano), 0) from claim where claim.org_id = wallet.org_id)
             + (select coalesce(sum(e.amount_nano), 0) from journal_tx t join journal_entry e on e.tx_id = t.id
                where t.org_id = wallet.org_id and t.kind = 'withdrawal' and e.org_id is not null) limit 1",
    ),
    (
        "I28 who owes has no paid credit that is free",
        "select wallet.org_id from wallet join lot on lot.org_id = wallet.org_id
         where owed_nano > 0 and lot.kind = 'principal' and lot.remaining_nano > lot.pinned_nano limit 1",
    ),
    (
        "I25 no two tries of a call share an upstream's id",
        "select reservation_id from upstream_attempt where upstream_request_id is not null
         group by reservation_id, upstream_request_id having count(*) > 1 limit 1",
    ),
    (
        "I22 what remains in a wallet's lots is what is posted, and what is pinned is what is held",
        "select wallet.org_id from wallet
         where posted_nano <> (select coalesce(sum(remaining_nano), 0) from lot where lot.org_id = wallet.org_id)
            or held_nano <> (select coalesce(sum(pinned_nano), 0) from lot where lot.org_id = wallet.org_id) limit 1",
    ),
];

/// What a check of the whole history checks, in words.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(name, _)| *name).chain([OVERDUE]).chain(verified::RULES)
}

/// Every rule that does not hold, over the whole history. What was found to hold is marked as verified.
pub(crate) async fn check(store: &Store, now_ms: i64) -> sqlx::Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for (invariant, sql) in RULES {
        let offender: Option<String> =
            on_database!(read store, db => sqlx::query_scalar(sql).fetch_optional(db).await)?;
        violations.extend(offender.map(|example| Violation { invariant: invariant.to_owned(), example }));
    }
    violations.extend(overdue(store, now_ms).await?);
    violations.extend(verified::check(store, From::Beginning, now_ms).await?);
    Ok(violations)
}

const OVERDUE: &str = "I19 no hold outlives its lease";
/// How long after its lease a hold may still be there: several rounds of the sweeper, and the clocks of several processes.
const SWEPT_WITHIN_MS: i64 = 300_000;

/// I19: whatever nobody works on any more is ended soon.
pub(crate) async fn overdue(store: &Store, now_ms: i64) -> sqlx::Result<Option<Violation>> {
    let left: Option<String> = on_database!(read store, db => sqlx::query_scalar(
        "select id from reservation where state = 'held' and expires_at_ms < $1 order by expires_at_ms limit 1")
        .bind(now_ms.saturating_sub(SWEPT_WITHIN_MS)).fetch_optional(db).await)?;
    let invariant = OVERDUE.to_owned();
    Ok(left.map(|example| Violation { invariant, example }))
}

/// Keeps the result of a check, for the status page and for operators.
pub(crate) async fn record(
    store: &Store,
    world: &World,
    from: From,
    violations: &[Violation],
) -> sqlx::Result<()> {
    let json = serde_json::to_string(violations).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let whole = from == From::Beginning;
    let checked = i64::try_from(if whole { RULES.len() + 1 } else { 0 } + verified::RULES.len());
    on_database!(store, db => sqlx::query(
        "insert into invariant_run (id, at_ms, checked, violations_json, whole_history) values ($1, $2, $3, $4, $5)")
        .bind(world.id("inv")).bind(world.now_ms()).bind(checked.unwrap_or(i64::MAX)).bind(json).bind(whole)
        .execute(db).await.map(drop))
}
