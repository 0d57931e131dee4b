//! A table that is written twice: as CSV for spreadsheets and as JSON for programs.

use super::archive::{Archive, ArchiveError};
use crate::export::{Cell, spreadsheet};
use crate::http::time;
use serde_json::{Map, Value};

/// Rows under named columns.
pub(super) struct Sheet {
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Sheet {
    pub fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// A value for each column, in order.
    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(self.columns.len(), N);
        self.rows.push(row.into());
    }

    /// Adds `name.csv` and `name.json`.
    pub async fn add_to(self, archive: &mut Archive<'_>, name: &str) -> Result<(), ArchiveError> {
        archive.add(&format!("{name}.csv"), &self.csv()).await?;
        archive.add(&format!("{name}.json"), &json(&self.objects())).await
    }

    fn csv(&self) -> Vec<u8> {
        let header = self.columns.iter().map(|column| (*column).to_owned()).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(cell).collect());
        spreadsheet(header, rows).to_vec()
    }

    fn objects(&self) -> Value {
        let object = |row: &Vec<Value>| {
            let fields = self.columns.iter().map(|column| (*column).to_owned()).zip(row.iter().cloned());
            Value::Object(fields.collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }
}

/// As people read it.
pub(super) fn json(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// A moment in UTC, or nothing.
pub(super) fn moment(at_ms: Option<i64>) -> Value {
    at_ms.map_or(Value::Null, |at_ms| Value::String(time::rfc3339_ms(at_ms)))
}

/// Text comes from people and must not be taken for a formula.
fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::Bool(_) | Value::Number(_) => Cell::number(value.to_string()),
        Value::String(text) => Cell::text(text),
        Value::Array(items) => {
            let texts: Vec<String> = items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect();
            Cell::text(texts.join(" "))
        }
        Value::Object(_) => Cell::text(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn s135_a_sheet_says_the_same_twice_and_no_cell_is_a_formula() {
        let mut sheet = Sheet::new(&["name", "count", "at", "models"]);
        sheet.push([json!("=1+1"), json!(-3), Value::Null, json!(["a", "b"])]);
        let csv = String::from_utf8(sheet.csv()).expect("UTF-8");
        assert_eq!(csv, "\u{feff}name,count,at,models\n'=1+1,-3,,a b\n");
        assert_eq!(
            sheet.objects(),
            json!([{ "name": "=1+1", "count": -3, "at": null, "models": ["a", "b"] }])
        );
    }
}
