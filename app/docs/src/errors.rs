//! The table the gateway answers by, as Markdown: an overview, then one entry with an anchor for each code.

use bytespike_dialects::ErrorCode;
use bytespike_dialects::error::{ErrorRow, Retry};
use bytespike_ui::Locale;
use bytespike_ui::locale::catalogue::DocsErrors;
use std::fmt::Write as _;

/// The table for the errors page.
pub(crate) fn markdown(locale: Locale) -> String {
    let rows: Vec<&ErrorRow> = ErrorCode::rows().iter().filter(|row| !row.reserved).collect();
    let mut out = overview(&rows, locale);
    for row in rows {
        entry(&mut out, row, locale);
    }
    out
}

fn overview(rows: &[&ErrorRow], locale: Locale) -> String {
    let t = &locale.t().docs.errors;
    let mut out = format!("| {} | {} | {} |\n|---|---|---|\n", t.status, t.code, t.retry);
    for row in rows {
        let (status, code, retry) = (row.status, row.name, retry(row.retry, t));
        let _ = writeln!(out, "| {status} | [`{code}`](#{code}) | {retry} |"); // writing to a String cannot fail
    }
    out
}

fn entry(out: &mut String, row: &ErrorRow, locale: Locale) {
    let t = &locale.t().docs.errors;
    let ErrorRow { name, status, anthropic_status, anthropic_type, openai_type, openai_code, .. } = row;
    let text = match locale {
        Locale::En => row.docs_en,
        Locale::Zh => row.docs_zh,
    };
    let _ = write!(
        out,
        "\n### `{name}` {{#{name}}}\n\n{text}\n\n\
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
