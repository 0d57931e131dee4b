//! Turns `errors.toml` into the `ErrorCode` enum and its table.

use std::fmt::Write as _;
use std::{env, fs, path::Path};

#[derive(serde::Deserialize)]
struct Table {
    error: Vec<Row>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default)]
    reserved: bool,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Retry {
    Never,
    Later,
    AfterReset,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=errors.toml");
    let table: Table = toml::from_str(&fs::read_to_string("errors.toml")?)?;
    let out_dir = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?;
    fs::write(Path::new(&out_dir).join("error_codes.rs"), generate(&table.error)?)?;
    Ok(())
}

fn generate(rows: &[Row]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "/// What went wrong, as the API names it. One variant per row of `errors.toml`.")?;
    writeln!(out, "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\npub enum ErrorCode {{")?;
    for row in rows {
        writeln!(out, "    /// {}\n    {},", row.en, variant(&row.code))?;
    }
    writeln!(out, "}}\n\nstatic ROWS: [ErrorRow; {}] = [", rows.len())?;
    for row in rows {
        write_row(&mut out, row)?;
    }
    writeln!(out, "];")?;
    Ok(out)
}

fn write_row(out: &mut String, row: &Row) -> std::fmt::Result {
    writeln!(
        out,
        "    ErrorRow {{ code: ErrorCode::{}, name: {:?}, status: {}, anthropic_status: {}, \
         anthropic_type: {:?}, openai_type: {:?}, openai_code: {:?}, retry: Retry::{:?}, \
         message: {:?}, docs_en: {:?}, docs_zh: {:?}, reserved: {:?} }},",
        variant(&row.code),
        row.code,
        row.status,
        row.anthropic_status.unwrap_or(row.status),
        row.anthropic_type,
        row.openai_type,
        row.openai_code,
        row.retry,
        row.message,
        row.en,
        row.zh,
        row.reserved,
    )
}

/// `model_not_found` becomes `ModelNotFound`.
fn variant(code: &str) -> String {
    code.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect()
}
