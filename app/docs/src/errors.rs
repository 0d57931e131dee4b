//! The table the gateway answers by, as Markdown: an overview, then one entry with an anchor for each code.

use bytespike_ui::Locale;
use bytespike_ui::locale::catalogue::DocsErrors;
use bytespike_ui::markdown::Fault;
use std::fmt::Write as _;

const TABLE: &str = include_str!("../../../gateway/dialects/errors.toml");

#[derive(serde::Deserialize)]
struct Table {
    error: Vec<Row>,
}

#[derive(serde::Deserialize)]
struct Row {
    code: String,
    status: u16,
    anthropic_status: Option<u16>,
    anthropic_type: String,
    openai_type: String,
    openai_code: String,
    retry: Retry,
    message: String,
    en: String,
    zh: String,
    /// Nothing answers with it yet.
    #[serde(default)]
    reserved: bool,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Retry {
    Never,
    Later,
    AfterReset,
}

/// The table for the errors page.
pub(crate) fn markdown(locale: Locale) -> Result<String, Fault> {
    let table: Table = toml::from_str(TABLE).map_err(|error| Fault(format!("errors.toml: {error}")))?;
    let rows: Vec<Row> = table.error.into_iter().filter(|row| !row.reserved).collect();
    let mut out = overview(&rows, locale);
    for row in &rows {
        entry(&mut out, row, locale);
    }
    Ok(out)
}

fn overview(rows: &[Row], locale: Locale) -> String {
    let t = &locale.t().docs.errors;
    let mut out = format!("| {} | {} | {} |\n|---|---|---|\n", t.status, t.code, t.retry);
    for row in rows {
        let (status, code, retry) = (row.status, &row.code, retry(row.retry, t));
        let _ = writeln!(out, "| {status} | [`{code}`](#{code}) | {retry} |"); // writing to a String cannot fail
    }
    out
}

fn entry(out: &mut String, row: &Row, locale: Locale) {
    let t = &locale.t().docs.errors;
    let Row { code, openai_type, openai_code, anthropic_type, .. } = row;
    let text = match locale {
        Locale::En => &row.en,
        Locale::Zh => &row.zh,
    };
    let (status, anthropic_status) = (row.status, row.anthropic_status.unwrap_or(row.status));
    let _ = write!(
        out,
        "\n### `{code}` {{#{code}}}\n\n{text}\n\n\
         | {} | {status} |\n|---|---|\n\
         | {} | {anthropic_status} `{anthropic_type}` |\n\
         | {} | {status} `{openai_type}`, `{openai_code}` |\n\
         | {} | {} |\n\
         | {} | {} |\n",
        t.status,
        t.anthropic,
        t.openai,
        t.retry,
        retry(row.retry, t),
        t.message,
        row.message.replace('|', "\\|"),
    );
}

fn retry(retry: Retry, t: &DocsErrors) -> &'static str {
    match retry {
        Retry::Never => t.never,
        Retry::Later => t.later,
        Retry::AfterReset => t.after_reset,
    }
}
