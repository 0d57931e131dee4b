//! Puts a month together from the sums of its usage and from the few transactions that are no charge.
use super::content::{
    Credits, Debits, Holds, MovementLine, Movements, NotBilled, Pockets, Statement, StatementUsage, Status,
    UsagePart,
};
use super::period::Period;
use crate::ledger::Ledger;
use crate::receipt::rfc3339;
use crate::usage::{Dimension, Reach, UsageFilter, UsageKey, UsageSums};
use crate::window::time_zone;
use bytespike_catalog::NanoUsd;
use bytespike_store::names::Names;
use bytespike_store::on_database;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// The statement before, as far as the next one needs it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Previous {
    pub to_ms: i64,
    pub closing_paid_nano: i64,
    pub closing_bonus_nano: i64,
    pub hash: String,
}

/// The org's open month and what it follows.
pub(crate) struct Open {
    pub period: Period,
    pub previous: Option<Previous>,
}

/// How much of what is known goes into a statement.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub status: Status,
    /// The last transaction.
    pub journal_seq: i64,
    pub reach: Reach,
}

/// A transaction that is no charge, on one of the org's accounts.
#[derive(sqlx::FromRow)]
struct Moved {
    id: String,
    kind: String,
    note: Option<String>,
    at_ms: i64,
    account: String,
    amount_nano: i64,
}

impl Ledger {
    /// The running month, so far; `None` before the org has a wallet.
    pub async fn statement_preview(&self, org_id: &str) -> sqlx::Result<Option<Statement>> {
        let Some(open) = self.open_month(org_id).await? else { return Ok(None) };
        let known = Known { status: Status::Preview, journal_seq: i64::MAX, reach: Reach::Now };
        self.build_statement(org_id, &open, known).await.map(Some)
    }

    pub(crate) async fn open_month(&self, org_id: &str) -> sqlx::Result<Option<Open>> {
        let wallet: Option<(String, i64)> = on_database!(read &self.store, db => sqlx::query_as(
            "select time_zone, created_at_ms from wallet where org_id = $1")
            .bind(org_id).fetch_optional(db).await)?;
        let Some((zone_name, made_at_ms)) = wallet else { return Ok(None) };
        let previous: Option<Previous> = on_database!(read &self.store, db => sqlx::query_as(
            "select to_ms, closing_paid_nano, closing_bonus_nano, hash from statement
             where org_id = $1 order by to_ms desc limit 1")
            .bind(org_id).fetch_optional(db).await)?;
        let zone = time_zone(&zone_name).unwrap_or(TimeZone::UTC);
        let ended = previous.as_ref().map(|previous| previous.to_ms);
        Ok(Some(Open { period: Period::next(ended, made_at_ms, (&zone_name, &zone)), previous }))
    }

    pub(crate) async fn build_statement(
        &self,
        org_id: &str,
        open: &Open,
        known: Known,
    ) -> sqlx::Result<Statement> {
        let Open { period, previous } = open;
        let names = bytespike_store::names::of_org(&self.store, org_id).await?;
        let used = self.used(org_id, open, known.reach).await?;
        let moved = self.moved(org_id, open, known.journal_seq).await?;
        let opening = previous.as_ref().map_or((0, 0), |p| (p.closing_paid_nano, p.closing_bonus_nano));
        let usage = usage_of(&used, &names);
        let (paid, bonus) = moved.iter().fold(opening, |(paid, bonus), line| match line.account.as_str() {
            "principal" => (paid.saturating_add(line.amount_nano), bonus),
            _ => (paid, bonus.saturating_add(line.amount_nano)),
        });
        let closing = Pockets::of(
            paid.saturating_sub(usage.from_paid_credits.nano()),
            bonus.saturating_sub(usage.from_bonus_credits.nano()),
        );
        Ok(Statement {
            object: "statement".to_owned(),
            version: 1,
            status: known.status,
            org_id: org_id.to_owned(),
            org: names.get(org_id),
            month: period.month.clone(),
            time_zone: period.zone_name.clone(),
            from: rfc3339(period.from_ms),
            to: rfc3339(period.to_ms),
            written_at: rfc3339(self.world.now_ms()),
            opening: Pockets::of(opening.0, opening.1),
            top_ups: movements(&moved, "top_up"),
            grants: movements(&moved, "grant"),
            not_billed: not_billed(&used),
            usage,
            expired: expired(&moved),
            withdrawals: movements(&moved, "withdrawal"),
            debits: debits(&moved),
            closing,
            open_holds: self.open_at(org_id, period.to_ms).await?,
            previous_hash: previous.as_ref().map(|previous| format!("sha256:{}", previous.hash)),
        })
    }

    async fn used(
        &self,
        org_id: &str,
        open: &Open,
        reach: Reach,
    ) -> sqlx::Result<BTreeMap<UsageKey, UsageSums>> {
        let filter =
            UsageFilter { from_ms: counted_from(open), to_ms: open.period.to_ms, ..UsageFilter::default() };
        let by = [Dimension::Model, Dimension::Key, Dimension::Member, Dimension::Deployment];
        self.usage_within(org_id, &filter, (&by, &TimeZone::UTC), reach).await
    }

    async fn moved(&self, org_id: &str, open: &Open, journal_seq: i64) -> sqlx::Result<Vec<Moved>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select t.id, t.kind, t.note, t.at_ms, e.account, cast(sum(e.amount_nano) as bigint) as amount_nano
             from (select id, org_id, kind, note, at_ms, seq,
                          coalesce((select max(s.to_ms) from statement s where s.org_id = j.org_id
                                    and s.to_ms > j.at_ms and s.journal_seq < j.seq), at_ms) as counted_at_ms
                   from journal_tx j
                   where j.org_id = $1 and j.kind <> 'settle' and j.at_ms < $3 and j.seq <= $4) t
             join journal_entry e on e.tx_id = t.id and e.org_id is not null
             where t.counted_at_ms >= $2 and t.counted_at_ms < $3
             group by t.id, t.kind, t.note, t.at_ms, t.seq, e.account order by t.seq, e.account")
            .bind(org_id).bind(counted_from(open)).bind(open.period.to_ms).bind(journal_seq)
            .fetch_all(db).await)
    }

    /// What was held at that moment, by calls that are still running or have ended since.
    async fn open_at(&self, org_id: &str, at_ms: i64) -> sqlx::Result<Holds> {
        let (calls, held_nano): (i64, i64) = on_database!(read &self.store, db => sqlx::query_as(
            "select count(*), cast(coalesce(sum(held_nano), 0) as bigint) from (
                 select held_nano from reservation where org_id = $1 and state = 'held' and held_at_ms < $2
                 union all
                 select held_nano from reservation r
                 where r.org_id = $1 and r.held_at_ms < $2 and r.resolved_at_ms >= $2
                   and r.resolved_seq >= coalesce(
                       (select min(q.first_seq) from usage_quarter q where q.org_id = $1 and q.start_ms >= $2),
                       (select m.resolved_seq + 1 from usage_mark m where m.org_id = $1))) open")
            .bind(org_id).bind(at_ms).fetch_one(db).await)?;
        Ok(Holds { calls, held_credits: Credits::of(held_nano) })
    }
}

/// The first statement takes everything that came before it.
fn counted_from(open: &Open) -> i64 {
    if open.previous.is_some() { open.period.from_ms } else { 0 }
}

fn usage_of(used: &BTreeMap<UsageKey, UsageSums>, names: &Names) -> StatementUsage {
    let total = total(used);
    let part = |id: fn(&UsageKey) -> Option<&String>| {
        let mut parts: BTreeMap<&str, UsageSums> = BTreeMap::new();
        for (key, sums) in used {
            parts.entry(id(key).map_or("", String::as_str)).or_default().add(sums);
        }
        parts.into_iter().map(|(id, sums)| usage_part(id, &sums, names)).collect()
    };
    StatementUsage {
        calls: total.settled_calls,
        charged_credits: Credits::of(total.charged_nano),
        charged_usd: NanoUsd(total.charged_nano).usd(),
        from_paid_credits: Credits::of(total.charged_nano.saturating_sub(total.bonus_nano)),
        from_bonus_credits: Credits::of(total.bonus_nano),
        quantities: total.quantities,
        by_model: part(|key| key.model.as_ref()),
        by_member: part(|key| key.member_id.as_ref()),
        by_key: part(|key| key.key_id.as_ref()),
        by_deployment: part(|key| key.deployment_id.as_ref()),
    }
}

fn usage_part(id: &str, sums: &UsageSums, names: &Names) -> UsagePart {
    UsagePart {
        id: id.to_owned(),
        name: names.get(id),
        calls: sums.settled_calls,
        charged_credits: Credits::of(sums.charged_nano),
        not_billed_calls: sums.not_billed_calls(),
    }
}

fn total(used: &BTreeMap<UsageKey, UsageSums>) -> UsageSums {
    used.values().fold(UsageSums::default(), |mut total, sums| {
        total.add(sums);
        total
    })
}

fn not_billed(used: &BTreeMap<UsageKey, UsageSums>) -> NotBilled {
    let total = total(used);
    NotBilled {
        calls: total.not_billed_calls(),
        released_calls: total.released_calls,
        expired_calls: total.expired_calls,
        held_credits: Credits::of(total.not_billed_held_nano),
        charged_credits: Credits::default(),
    }
}

/// Money of one kind, as its amounts came in or left.
fn movements(moved: &[Moved], kind: &str) -> Movements {
    let of_kind = || moved.iter().filter(|line| line.kind == kind);
    let amount = of_kind().map(|line| line.amount_nano).sum::<i64>().abs();
    Movements { credits: Credits::of(amount), lines: of_kind().map(movement_line).collect() }
}

fn movement_line(line: &Moved) -> MovementLine {
    MovementLine {
        at: rfc3339(line.at_ms),
        transaction_id: line.id.clone(),
        note: line.note.clone().filter(|note| !note.is_empty()),
        credits: Credits::of(line.amount_nano.abs()),
    }
}

fn expired(moved: &[Moved]) -> Pockets {
    left(moved, "breakage")
}

fn debits(moved: &[Moved]) -> Debits {
    let lines = moved.iter().filter(|line| line.kind == "debit").map(movement_line);
    Debits { taken: left(moved, "debit"), lines: lines.collect() }
}

/// What left of paid and of given credit in movements of one kind.
fn left(moved: &[Moved], kind: &str) -> Pockets {
    let of = |account: &str| {
        let lines = moved.iter().filter(|line| line.kind == kind && line.account == account);
        -lines.map(|line| line.amount_nano).sum::<i64>()
    };
    Pockets::of(of("principal"), of("bonus"))
}
