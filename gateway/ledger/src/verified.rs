//! What is new since the last check that found nothing: each journal is walked on from where it was verified, and the
//! limits are counted on from what they were. A check of the whole history walks from the beginning.
use crate::invariants::{Violation, overdue};
use crate::journal;
use crate::orphans;
use crate::rows::{EntryRow, JournalRow, Row as _};
use bytespike_store::{Store, on_database};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// Where a check begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Beginning,
    /// At the marks of the last check that found nothing.
    Marks,
}

/// What is checked here.
pub(crate) const RULES: [&str; 7] = [CHAIN, AMOUNTS, SETTLEMENTS, HELD, LOTS, LIMITS, orphans::RULE];
const CHAIN: &str = "chain: every transaction names its predecessor's hash, and the wallet names the last";
const AMOUNTS: &str = "I1, I2 transactions sum to zero and come to what the wallet has";
const SETTLEMENTS: &str =
    "I7, I8, I9, I11 what a call was charged is what left its wallet, if it settled, and at most its hold";
const HELD: &str = "I3, I4 a wallet holds what its open calls hold, and has it";
const LOTS: &str = "I22 a wallet's lots come to what it has and to what it holds";
const LIMITS: &str = "I5 a limit's counters are the sums of the calls in its window";

/// Transactions read at once.
const PAGE: i64 = 1_000;

/// Every rule that does not hold. When all do, the marks move on.
pub(crate) async fn check(store: &Store, from: From, now_ms: i64) -> sqlx::Result<Vec<Violation>> {
    let heads = heads(store, from).await?;
    let mut violations: Vec<Violation> = Vec::new();
    for head in &heads {
        violations.extend(walk(store, head).await?);
        violations.extend(unbooked(store, head).await?);
    }
    for (invariant, sql) in [(HELD, HELD_SQL), (LOTS, LOTS_SQL)] {
        let offender: Option<String> =
            on_database!(read store, db => sqlx::query_scalar(sql).fetch_optional(db).await)?;
        violations.extend(offender.map(|example| violation(invariant, example)));
    }
    let limits = limits(store, from).await?;
    let off =
        limits.iter().find(|limit| (limit.used_nano, limit.held_nano) != (limit.spent_nano, limit.open_nano));
    violations.extend(off.map(|limit| violation(LIMITS, format!("{} {}", limit.node_id, limit.window_kind))));
    violations.extend(orphans::find(store, from).await?);
    if from == From::Marks {
        violations.extend(overdue(store, now_ms).await?);
    }
    if violations.is_empty() {
        mark(store, &heads, &limits).await?;
    }
    Ok(violations)
}

fn violation(invariant: &str, example: String) -> Violation {
    Violation { invariant: invariant.to_owned(), example }
}

/// A wallet's journal: its end as it was when the check began, and where the check begins. What is appended meanwhile
/// lies beyond.
#[derive(sqlx::FromRow)]
struct Head {
    org_id: String,
    journal_seq: i64,
    journal_hash: String,
    posted_nano: i64,
    mark_seq: i64,
    mark_hash: String,
    mark_nano: i64,
    resolved_seq: i64,
    mark_resolved_seq: i64,
}

async fn heads(store: &Store, from: From) -> sqlx::Result<Vec<Head>> {
    on_database!(read store, db => sqlx::query_as(
        "select w.org_id, w.journal_seq, w.journal_hash, w.posted_nano, coalesce(v.seq, 0) as mark_seq,
                coalesce(v.hash, '') as mark_hash, coalesce(v.posted_nano, 0) as mark_nano,
                w.resolved_seq, coalesce(v.resolved_seq, 0) as mark_resolved_seq
         from wallet w left join verified_wallet v on v.org_id = w.org_id and $1
         where v.org_id is null or v.seq <> w.journal_seq or v.posted_nano <> w.posted_nano
            or v.hash <> w.journal_hash or v.resolved_seq <> w.resolved_seq")
        .bind(from == From::Marks).fetch_all(db).await)
}

/// A transaction, and the call it settles.
#[derive(sqlx::FromRow)]
struct Booked {
    #[sqlx(flatten)]
    row: JournalRow,
    call_state: Option<String>,
    call_held_nano: Option<i64>,
    call_charged_nano: Option<i64>,
}

/// Follows a journal from its mark to its end.
async fn walk(store: &Store, head: &Head) -> sqlx::Result<Option<Violation>> {
    let (mut seq, mut hash, mut posted) = (head.mark_seq, head.mark_hash.clone(), head.mark_nano);
    while seq < head.journal_seq {
        let upto = head.journal_seq.min(seq + PAGE);
        let (page, entries) =
            (transactions(store, head, (seq, upto)).await?, entries(store, head, (seq, upto)).await?);
        if page.is_empty() {
            break;
        }
        for booked in page {
            let entries = entries.get(&booked.row.id).map_or(&[][..], Vec::as_slice);
            if let Some(rule) = broken(&booked, entries, (seq, &hash)) {
                return Ok(Some(violation(rule, booked.row.id)));
            }
            posted += moved(entries);
            (seq, hash) = (booked.row.seq, booked.row.hash);
        }
    }
    let rule = if (seq, &hash) != (head.journal_seq, &head.journal_hash) {
        Some(CHAIN)
    } else {
        (posted != head.posted_nano).then_some(AMOUNTS)
    };
    Ok(rule.map(|rule| violation(rule, head.org_id.clone())))
}

/// The rule that a transaction breaks, after the one of this number and hash.
fn broken(booked: &Booked, entries: &[EntryRow], (seq, hash): (i64, &str)) -> Option<&'static str> {
    let row = &booked.row;
    if row.seq != seq + 1 || row.prev_hash != hash || journal::hash(row, entries) != row.hash {
        return Some(CHAIN);
    }
    if entries.iter().map(|entry| i128::from(entry.amount_nano)).sum::<i128>() != 0 {
        return Some(AMOUNTS);
    }
    let settles = row.kind == "settle";
    let charged = settles.then(|| -moved(entries));
    let call_settled = booked.call_state.as_deref() == Some("settled");
    let within = charged <= booked.call_held_nano;
    (settles != call_settled || charged != booked.call_charged_nano || !within).then_some(SETTLEMENTS)
}

/// What a transaction did to the wallet.
fn moved(entries: &[EntryRow]) -> i64 {
    entries.iter().filter(|entry| entry.org_id.is_some()).map(|entry| entry.amount_nano).sum()
}

async fn transactions(store: &Store, head: &Head, (after, upto): (i64, i64)) -> sqlx::Result<Vec<Booked>> {
    let columns =
        JournalRow::COLUMNS.iter().map(|column| format!("t.{column}")).collect::<Vec<_>>().join(", ");
    // The text is made of names from the program alone.
    let sql = AssertSqlSafe(format!(
        "select {columns}, r.state as call_state, r.held_nano as call_held_nano, r.charged_nano as call_charged_nano
         from journal_tx t left join reservation r on r.id = t.reservation_id
         where t.org_id = $1 and t.seq > $2 and t.seq <= $3 order by t.seq"
    ));
    on_database!(read store, db => sqlx::query_as(sql)
        .bind(&head.org_id).bind(after).bind(upto).fetch_all(db).await)
}

async fn entries(
    store: &Store,
    head: &Head,
    (after, upto): (i64, i64),
) -> sqlx::Result<HashMap<String, Vec<EntryRow>>> {
    let sql = EntryRow::select_where()
        + "tx_id in (select id from journal_tx where org_id = $1 and seq > $2 and seq <= $3) order by tx_id, seq";
    let rows: Vec<EntryRow> = on_database!(read store, db => sqlx::query_as(AssertSqlSafe(sql))
        .bind(&head.org_id).bind(after).bind(upto).fetch_all(db).await)?;
    let mut entries: HashMap<String, Vec<EntryRow>> = HashMap::new();
    for row in rows {
        entries.entry(row.tx_id.clone()).or_default().push(row);
    }
    Ok(entries)
}

/// A call that settled without a transaction.
async fn unbooked(store: &Store, head: &Head) -> sqlx::Result<Option<Violation>> {
    let offender: Option<String> = on_database!(read store, db => sqlx::query_scalar(
        "select id from reservation where org_id = $1 and resolved_seq > $2 and resolved_seq <= $3
         and state = 'settled'
         and not exists (select 1 from journal_tx where journal_tx.reservation_id = reservation.id) limit 1")
        .bind(&head.org_id).bind(head.mark_resolved_seq).bind(head.resolved_seq).fetch_optional(db).await)?;
    Ok(offender.map(|example| violation(SETTLEMENTS, example)))
}

/// Open holds are few, and have an index of their own.
const HELD_SQL: &str = "select w.org_id from wallet w
     left join (select org_id, sum(held_nano) as open_nano from reservation
                where state = 'held' group by org_id) r on r.org_id = w.org_id
     where w.held_nano <> coalesce(r.open_nano, 0) or w.held_nano < 0 or w.held_nano > w.posted_nano limit 1";

const LOTS_SQL: &str = "select w.org_id from wallet w
     left join (select org_id, sum(remaining_nano) as remaining_nano, sum(pinned_nano) as pinned_nano
                from lot where remaining_nano > 0 group by org_id) l on l.org_id = w.org_id
     where w.posted_nano <> coalesce(l.remaining_nano, 0) or w.held_nano <> coalesce(l.pinned_nano, 0) limit 1";

/// A limit's counters, and what they should be.
#[derive(sqlx::FromRow)]
struct CountedLimit {
    node_id: String,
    window_kind: String,
    opened_at_ms: i64,
    used_nano: i64,
    held_nano: i64,
    journal_seq: i64,
    spent_nano: i64,
    open_nano: i64,
}

/// A window with a mark is counted on from it by the journal; one without by the calls that were held in it.
async fn limits(store: &Store, from: From) -> sqlx::Result<Vec<CountedLimit>> {
    // `$1` in an `on` clause lets go of every mark at once.
    const SQL: &str = "select l.node_id, l.window_kind, l.opened_at_ms, l.used_nano, l.held_nano, w.journal_seq,
        cast(case when v.seq is null then
            (select coalesce(sum(r.charged_nano), 0) from reservation r
             where r.org_id = l.org_id and r.state = 'settled' and IN_WINDOW and AT_NODE)
        else v.used_nano +
            (select coalesce(sum(r.charged_nano), 0) from journal_tx t join reservation r on r.id = t.reservation_id
             where t.org_id = l.org_id and t.seq > v.seq and IN_WINDOW and AT_NODE)
        end as bigint) as spent_nano,
        cast((select coalesce(sum(r.held_nano), 0) from reservation r
              where r.state = 'held' and r.org_id = l.org_id and IN_WINDOW and AT_NODE) as bigint) as open_nano
     from spend_limit l join wallet w on w.org_id = l.org_id
     left join verified_limit v on v.node_id = l.node_id and v.window_kind = l.window_kind
           and v.opened_at_ms = l.opened_at_ms and $1";
    const IN_WINDOW: &str = "r.held_at_ms >= l.opened_at_ms and r.held_at_ms < l.ends_at_ms";
    const AT_NODE: &str = "('org:' || r.org_id = l.node_id or 'dep:' || r.deployment_id = l.node_id
         or 'mem:' || r.member_id = l.node_id
         or (substr(l.node_id, 1, 4) = 'key:' and r.key_path like '%/' || substr(l.node_id, 5) || '/%'))";
    // The text is made of the constants above.
    let sql = AssertSqlSafe(SQL.replace("IN_WINDOW", IN_WINDOW).replace("AT_NODE", AT_NODE));
    on_database!(read store, db => sqlx::query_as(sql).bind(from == From::Marks).fetch_all(db).await)
}

/// Moves the marks to what was found to hold. A mark only moves forward: another process may have been further.
async fn mark(store: &Store, heads: &[Head], limits: &[CountedLimit]) -> sqlx::Result<()> {
    for head in heads {
        on_database!(store, db => sqlx::query(
            "insert into verified_wallet (org_id, seq, hash, posted_nano, resolved_seq) values ($1, $2, $3, $4, $5)
             on conflict (org_id) do update set seq = excluded.seq, hash = excluded.hash,
                posted_nano = excluded.posted_nano, resolved_seq = excluded.resolved_seq
             where verified_wallet.seq <= excluded.seq")
            .bind(&head.org_id).bind(head.journal_seq).bind(&head.journal_hash).bind(head.posted_nano)
            .bind(head.resolved_seq).execute(db).await.map(drop))?;
    }
    for limit in limits {
        on_database!(store, db => sqlx::query(
            "insert into verified_limit (node_id, window_kind, opened_at_ms, seq, used_nano)
             values ($1, $2, $3, $4, $5)
             on conflict (node_id, window_kind) do update set opened_at_ms = excluded.opened_at_ms,
                seq = excluded.seq, used_nano = excluded.used_nano
             where verified_limit.seq <= excluded.seq")
            .bind(&limit.node_id).bind(&limit.window_kind).bind(limit.opened_at_ms).bind(limit.journal_seq)
            .bind(limit.used_nano).execute(db).await.map(drop))?;
    }
    Ok(())
}
