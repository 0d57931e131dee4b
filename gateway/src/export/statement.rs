//! A statement as a table: one line for each figure on it.

use bytes::Bytes;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Credits, MovementLine, Pockets, Statement, UsagePart};

use super::{Cell, lines};

const HEADER: [&str; 8] = ["month", "section", "id", "name", "at", "calls", "credits", "usd"];

/// What a line is about, beside its amount.
#[derive(Clone, Copy, Default)]
struct About<'a> {
    section: &'static str,
    id: &'a str,
    name: &'a str,
    at: &'a str,
    calls: Option<i64>,
}

/// The whole table.
#[must_use]
pub fn statement(statement: &Statement) -> Bytes {
    let month = statement.month.as_str();
    let mut rows = Vec::new();
    rows.extend(pockets(month, ["opening_paid", "opening_bonus"], &statement.opening));
    rows.extend(movements(month, "top_up", &statement.top_ups.lines));
    rows.extend(movements(month, "grant", &statement.grants.lines));
    let usage = &statement.usage;
    let used = About { section: "usage", calls: Some(usage.calls), ..About::default() };
    rows.push(line(month, used, usage.charged_credits));
    rows.extend(parts(month, "usage_by_model", &usage.by_model));
    rows.extend(parts(month, "usage_by_member", &usage.by_member));
    rows.extend(parts(month, "usage_by_key", &usage.by_key));
    rows.extend(parts(month, "usage_by_deployment", &usage.by_deployment));
    rows.extend(pockets(month, ["expired_paid", "expired_bonus"], &statement.expired));
    rows.extend(movements(month, "withdrawal", &statement.withdrawals.lines));
    rows.extend(movements(month, "debit", &statement.debits.lines));
    rows.extend(pockets(month, ["closing_paid", "closing_bonus"], &statement.closing));
    let open = About { section: "open_holds", calls: Some(statement.open_holds.calls), ..About::default() };
    rows.push(line(month, open, statement.open_holds.held_credits));
    let free = &statement.not_billed;
    let held = About { section: "not_billed_held", calls: Some(free.calls), ..About::default() };
    rows.push(line(month, held, free.held_credits));
    let charged = About { section: "not_billed_charged", calls: Some(free.calls), ..About::default() };
    rows.push(line(month, charged, free.charged_credits));
    lines(Some(&HEADER), rows.into_iter())
}

fn line(month: &str, about: About<'_>, amount: Credits) -> Vec<Cell> {
    vec![
        Cell::text(month),
        Cell::text(about.section),
        Cell::text(about.id),
        Cell::text(about.name),
        Cell::text(about.at),
        Cell::maybe(about.calls),
        Cell::number(amount.0.credits()),
        Cell::number(NanoUsd(amount.nano()).usd()),
    ]
}

fn pockets(month: &str, [paid, bonus]: [&'static str; 2], amounts: &Pockets) -> [Vec<Cell>; 2] {
    let about = |section| About { section, ..About::default() };
    [line(month, about(paid), amounts.paid_credits), line(month, about(bonus), amounts.bonus_credits)]
}

fn movements(month: &str, section: &'static str, moved: &[MovementLine]) -> Vec<Vec<Cell>> {
    let row = |moved: &MovementLine| {
        let name = moved.note.as_deref().unwrap_or_default();
        let about = About { section, id: &moved.transaction_id, name, at: &moved.at, calls: None };
        line(month, about, moved.credits)
    };
    moved.iter().map(row).collect()
}

fn parts(month: &str, section: &'static str, parts: &[UsagePart]) -> Vec<Vec<Cell>> {
    let row = |part: &UsagePart| {
        let about = About { section, id: &part.id, name: &part.name, at: "", calls: Some(part.calls) };
        line(month, about, part.charged_credits)
    };
    parts.iter().map(row).collect()
}
