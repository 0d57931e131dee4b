//! Tables that people's own tools read: CSV in UTF-8, money as text, a page of rows in memory at a time.

mod audit;
mod calls;
mod focus;
mod statement;

use std::sync::Arc;

use bytes::Bytes;
use bytespike_accounts::keys::KeyTags;
use bytespike_ledger::{Ledger, Order, ResolvedCall, UsageFilter};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use jiff::tz::TimeZone;

pub use audit::{AuditTable, audit};
pub use statement::statement;

/// Calls read at once.
const PAGE: u32 = 500;
/// Tells spreadsheets that the text is UTF-8; programs are spared it.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Which columns a table of calls has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// One row for each call, as the documentation lists them.
    Calls,
    /// FOCUS 1.2, for FinOps tools.
    Focus,
}

/// A table of calls about to be written.
#[derive(Debug, Clone)]
pub struct CallTable {
    pub org_id: String,
    pub filter: UsageFilter,
    pub columns: Columns,
    /// The org's; FOCUS names the billing month of each charge.
    pub zone: TimeZone,
    /// For a person's spreadsheet rather than for a program.
    pub for_spreadsheet: bool,
    /// Those that keys have now, whatever they had when a call was made.
    pub tags: Arc<KeyTags>,
}

/// One value of a row. Text comes from people and must not be taken for a formula; numbers are ours.
#[derive(Debug)]
pub enum Cell {
    Text(String),
    Number(String),
    Empty,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn number(number: impl Into<String>) -> Self {
        Self::Number(number.into())
    }

    pub(crate) fn count(count: i64) -> Self {
        Self::Number(count.to_string())
    }

    pub(crate) fn maybe(count: Option<i64>) -> Self {
        count.map_or(Self::Empty, Self::count)
    }

    fn written(self) -> String {
        match self {
            Self::Text(text) => guarded(&text),
            Self::Number(number) => number,
            Self::Empty => String::new(),
        }
    }
}

/// Milliseconds as seconds.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// A spreadsheet takes a cell that begins like this for a formula; an apostrophe makes it text.
fn guarded(text: &str) -> String {
    let text: String = text.chars().filter(|character| *character != '\0').collect();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}

/// Lines that end in `\n`, quoted where they must be (RFC 4180).
pub(crate) fn lines(header: Option<&[&str]>, rows: impl Iterator<Item = Vec<Cell>>) -> Bytes {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    // Writing into memory cannot fail.
    if let Some(header) = header {
        let _ = writer.write_record(header);
    }
    for row in rows {
        let _ = writer.write_record(row.into_iter().map(Cell::written));
    }
    Bytes::from(writer.into_inner().unwrap_or_default())
}

/// A whole table for a person's spreadsheet. Names of columns come from people too.
pub fn spreadsheet(header: Vec<String>, rows: impl Iterator<Item = Vec<Cell>>) -> Bytes {
    let header = header.into_iter().map(Cell::Text).collect();
    let body = lines(None, std::iter::once(header).chain(rows));
    Bytes::from([BYTE_ORDER_MARK.as_bytes(), &body].concat())
}

/// The table in pieces. An error ends it in the middle, so that a broken transfer cannot pass for a whole one.
pub fn calls(
    ledger: Ledger,
    table: CallTable,
) -> impl Stream<Item = Result<Bytes, sqlx::Error>> + Send + 'static {
    try_unfold(Some(None), move |position: Option<Option<i64>>| {
        let (ledger, table) = (ledger.clone(), table.clone());
        async move {
            let Some(after) = position else { return Ok(None) };
            let page = (Order::OldestFirst, after, PAGE);
            let rows = ledger.resolved_calls(&table.org_id, &table.filter, page).await?;
            let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            let next = rows.last().filter(|_| !is_last).map(|last| Some(last.resolved_seq));
            Ok(Some((table.piece(after.is_none(), &rows), next)))
        }
    })
}

impl CallTable {
    fn piece(&self, is_first: bool, rows: &[ResolvedCall]) -> Bytes {
        let header: &[&str] = match self.columns {
            Columns::Calls => &calls::HEADER,
            Columns::Focus => &focus::HEADER,
        };
        let rows = rows.iter().map(|call| match self.columns {
            Columns::Calls => calls::row(self, call),
            Columns::Focus => focus::row(self, call),
        });
        let body = lines(is_first.then_some(header), rows);
        if is_first && self.for_spreadsheet {
            return Bytes::from([BYTE_ORDER_MARK.as_bytes(), &body].concat());
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s135_what_a_spreadsheet_would_run_is_text_and_numbers_stay_numbers() {
        let hostile =
            ["=1+1", "+1", "-1", "@x", "\t=1", "＝1", "a,b", "say \"hi\"", "two\nlines", "夜间", "nul\0"];
        let rows = hostile.map(|text| vec![Cell::text(text), Cell::count(-5)]);
        let bytes = lines(Some(&["name", "n"]), rows.into_iter());
        let text = std::str::from_utf8(&bytes).unwrap();
        let expected = "name,n\n'=1+1,-5\n'+1,-5\n'-1,-5\n'@x,-5\n'\t=1,-5\n'＝1,-5\n\"a,b\",-5\n\"say \"\"hi\"\"\",-5\n\"two\nlines\",-5\n夜间,-5\nnul,-5\n";
        assert_eq!(text, expected);
    }
}
