//! Who pays when, as Markdown: the table that the ledger's rule is tested against, each row with the test that proves it,
//! and those tests in full.

use bytespike_ui::Locale;
use bytespike_ui::markdown::Fault;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TABLE: &str = include_str!("../../../gateway/ledger/crossings.toml");
const CALLS: &str = include_str!("../../../tests/it/crossing.rs");
const LEDGER: &str = include_str!("../../../gateway/ledger/tests/ledger/crossing.rs");

#[derive(serde::Deserialize)]
struct Table {
    en: BTreeMap<String, String>,
    zh: BTreeMap<String, String>,
    crossing: Vec<Row>,
}

#[derive(serde::Deserialize)]
struct Row {
    name: String,
    proof: Proof,
    ends: String,
    pays: String,
    en: String,
    zh: String,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Proof {
    Call,
    Ledger,
}

fn table() -> Result<Table, Fault> {
    toml::from_str(TABLE).map_err(|error| Fault(format!("crossings.toml: {error}")))
}

/// The rows of the table, below the page's own heading.
pub(crate) fn rows(locale: Locale) -> Result<String, Fault> {
    let table = table()?;
    let words = match locale {
        Locale::En => &table.en,
        Locale::Zh => &table.zh,
    };
    let word =
        |key: &str| words.get(key).ok_or_else(|| Fault(format!("crossings.toml has no words for {key}")));
    let mut out = String::new();
    for row in &table.crossing {
        let (name, what) = (&row.name, text(row, locale));
        let (ends, pays) = (word(&row.ends)?, word(&row.pays)?);
        let shown = name.trim_start_matches("crossing_");
        let _ = writeln!(out, "| {what} | {ends} | {pays} | [`{shown}`](/docs/proof#{name}) |"); // to a String
    }
    Ok(out.trim_end().to_owned())
}

/// Each row with the text of its test.
pub(crate) fn tests(locale: Locale) -> Result<String, Fault> {
    let mut out = String::new();
    for row in &table()?.crossing {
        let file = match row.proof {
            Proof::Call => CALLS,
            Proof::Ledger => LEDGER,
        };
        let name = &row.name;
        let code = test(file, name).ok_or_else(|| Fault(format!("there is no test {name}")))?;
        let what = text(row, locale).replace("**", "");
        let _ = write!(out, "\n### {what} {{#{name}}}\n\n`{name}`\n\n```rust\n{code}\n```\n"); // to a String
    }
    Ok(out)
}

fn text(row: &Row, locale: Locale) -> &str {
    match locale {
        Locale::En => &row.en,
        Locale::Zh => &row.zh,
    }
}

/// The function of this name, to the brace that closes it at the margin.
fn test<'a>(file: &'a str, name: &str) -> Option<&'a str> {
    let start = file.find(&format!("async fn {name}()"))?;
    let body = file.get(start..)?;
    body.find("\n}\n").and_then(|end| body.get(..end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_test_and_every_test_its_row() {
        let table = table().expect("reads");
        for locale in Locale::ALL {
            let tests = tests(locale).expect("every row has its test");
            assert_eq!(tests.matches("\n### ").count(), table.crossing.len());
            assert_eq!(rows(locale).expect("rows").lines().count(), table.crossing.len());
        }
        let named = |file: &str| file.matches("async fn crossing_").count();
        assert_eq!(
            named(CALLS) + named(LEDGER),
            table.crossing.len(),
            "a test without a row proves nothing published"
        );
        for file in [CALLS, LEDGER] {
            for row in table.crossing.iter().filter_map(|row| test(file, &row.name)) {
                assert!(row.contains("assert") || row.contains("is_free"), "{row}");
            }
        }
    }
}
