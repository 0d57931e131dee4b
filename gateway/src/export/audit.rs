//! The audit log as a table: one row for each event, the newest first, with the hash that chains it to the one before.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use bytespike_accounts::audit::{Audit, AuditFilter, AuditRow};
use futures_util::Stream;
use futures_util::stream::try_unfold;

use super::{BYTE_ORDER_MARK, Cell, PAGE, lines};
use crate::http::time;

const HEADER: [&str; 12] = [
    "seq",
    "time_utc",
    "event",
    "actor",
    "actor_name",
    "org_id",
    "target",
    "detail",
    "ip",
    "user_agent",
    "request_id",
    "hash",
];

/// A table of events about to be written, for a person's spreadsheet.
#[derive(Debug, Clone)]
pub struct AuditTable {
    /// `None` for the whole installation.
    pub org_id: Option<String>,
    pub filter: AuditFilter,
    /// What those are called who acted, by `person:…`; whoever is not here has no name in the table.
    pub actors: Arc<HashMap<String, String>>,
}

/// The table in pieces. An error ends it in the middle, so that a broken transfer cannot pass for a whole one.
pub fn audit(
    audit: Audit,
    table: AuditTable,
) -> impl Stream<Item = Result<Bytes, sqlx::Error>> + Send + 'static {
    try_unfold(Some(table.filter.before_seq), move |position: Option<Option<i64>>| {
        let (audit, table) = (audit.clone(), table.clone());
        async move {
            let Some(before_seq) = position else { return Ok(None) };
            let is_first = before_seq == table.filter.before_seq;
            let asked = AuditFilter { before_seq, ..table.filter.clone() };
            let rows = audit.of_all(table.org_id.as_deref(), &asked, i64::from(PAGE)).await?;
            let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            let next = rows.last().filter(|_| !is_last).map(|last| Some(last.seq));
            let body = lines(is_first.then_some(&HEADER), rows.into_iter().map(|event| row(&table, event)));
            let mark = if is_first { BYTE_ORDER_MARK } else { "" };
            Ok(Some((Bytes::from([mark.as_bytes(), &body].concat()), next)))
        }
    })
}

fn row(table: &AuditTable, event: AuditRow) -> Vec<Cell> {
    let maybe = |text: Option<String>| text.map_or(Cell::Empty, Cell::Text);
    let actor_name = table.actors.get(&event.actor).cloned();
    vec![
        Cell::count(event.seq),
        Cell::number(time::rfc3339_ms(event.at_ms)),
        Cell::Text(event.event),
        Cell::Text(event.actor),
        maybe(actor_name),
        maybe(event.org_id),
        maybe(event.target),
        Cell::Text(event.detail_json),
        Cell::Text(event.ip),
        Cell::Text(event.user_agent),
        Cell::Text(event.request_id),
        Cell::Text(event.hash),
    ]
}
