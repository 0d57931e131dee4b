//! The ledger's rules as SQL: each statement finds what breaks one of them, so that an empty answer is the proof.
//! I6 binds when a hold is taken and cannot be asked afterwards, because a limit may be lowered below what is used.
use crate::journal;
use crate::rows::{EntryRow, JournalRow, Row as _};
use bytespike_store::world::World;
use bytespike_store::{Store, on_database};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// A rule that does not hold, and an example.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Violation {
    pub invariant: String,
    pub example: String,
}

/// Name and statement; each answers with the ids of at most one offender.
const RULES: [(&str, &str); 10] = [
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
        "I22 what remains in a wallet's lots is what is posted, and what is pinned is what is held",
        "select wallet.org_id from wallet
         where posted_nano <> (select coalesce(sum(remaining_nano), 0) from lot where lot.org_id = wallet.org_id)
            or held_nano <> (select coalesce(sum(pinned_nano), 0) from lot where lot.org_id = wallet.org_id) limit 1",
    ),
];

/// Every rule that does not hold.
pub(crate) async fn check(store: &Store) -> sqlx::Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for (invariant, sql) in RULES {
        let offender: Option<String> =
            on_database!(read store, db => sqlx::query_scalar(sql).fetch_optional(db).await)?;
        violations.extend(offender.map(|example| Violation { invariant: invariant.to_owned(), example }));
    }
    let unchained = unchained(store).await?;
    violations.extend(unchained.map(|example| Violation { invariant: CHAIN.to_owned(), example }));
    Ok(violations)
}

const CHAIN: &str = "chain: every transaction names its predecessor's hash, and the wallet names the last";

/// The first transaction, or wallet, that does not fit into its chain. The heads are read first: what is appended
/// meanwhile lies beyond them.
async fn unchained(store: &Store) -> sqlx::Result<Option<String>> {
    let heads: Vec<(String, i64, String)> = on_database!(read store, db => sqlx::query_as(
        "select org_id, journal_seq, journal_hash from wallet").fetch_all(db).await)?;
    for (org_id, seq, hash) in heads {
        let transactions: Vec<JournalRow> = on_database!(read store, db => sqlx::query_as(AssertSqlSafe(
            JournalRow::select_where() + "org_id = $1 and seq <= $2 order by seq"))
            .bind(&org_id).bind(seq).fetch_all(db).await)?;
        let entries: Vec<EntryRow> = on_database!(read store, db => sqlx::query_as(AssertSqlSafe(
            EntryRow::select_where()
                + "tx_id in (select id from journal_tx where org_id = $1 and seq <= $2) order by tx_id, seq"))
            .bind(&org_id).bind(seq).fetch_all(db).await)?;
        match broken_link(&transactions, entries) {
            Some(example) => return Ok(Some(example)),
            None if transactions.last().map_or(("", 0), |last| (&last.hash, last.seq)) != (&hash, seq) => {
                return Ok(Some(org_id));
            }
            None => {}
        }
    }
    Ok(None)
}

fn broken_link(transactions: &[JournalRow], entries: Vec<EntryRow>) -> Option<String> {
    let mut of_transaction: HashMap<String, Vec<EntryRow>> = HashMap::new();
    for entry in entries {
        of_transaction.entry(entry.tx_id.clone()).or_default().push(entry);
    }
    let mut previous = ("", 0);
    for transaction in transactions {
        let entries = of_transaction.get(&transaction.id).map_or(&[][..], Vec::as_slice);
        let follows = (transaction.prev_hash.as_str(), transaction.seq) == (previous.0, previous.1 + 1);
        if !follows || journal::hash(transaction, entries) != transaction.hash {
            return Some(transaction.id.clone());
        }
        previous = (&transaction.hash, transaction.seq);
    }
    None
}

/// Keeps the result of a check, for the status page and for operators.
pub(crate) async fn record(store: &Store, world: &World, violations: &[Violation]) -> sqlx::Result<()> {
    let json = serde_json::to_string(violations).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let checked = i64::try_from(RULES.len() + 1).unwrap_or(i64::MAX);
    on_database!(store, db => sqlx::query(
        "insert into invariant_run (id, at_ms, checked, violations_json) values ($1, $2, $3, $4)")
        .bind(world.id("inv")).bind(world.now_ms()).bind(checked).bind(json).execute(db).await.map(drop))
}
