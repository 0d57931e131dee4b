//! Providers' cost reports: where they come from, and the shapes they come in.

mod csv_table;
mod http_api;
mod json_api;

use std::path::{Path, PathBuf};

use bytespike_ledger::CostReport;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::Failure;

pub use http_api::Api;

/// Somewhere that cost reports come from: a file, a folder, a provider's API.
pub trait CostSource: Send + Sync {
    /// What it is called in messages.
    fn name(&self) -> String;

    /// Every report there is now. A report may come again; the newer one counts.
    ///
    /// # Errors
    /// What cannot be read, by name.
    fn reports(&self) -> BoxFuture<'_, Result<Vec<CostReport>, Failure>>;
}

/// One file.
pub struct File(pub PathBuf);

/// Every file of a folder, by name, so that of two reports of one day the later named one counts.
pub struct Folder(pub PathBuf);

impl CostSource for File {
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn reports(&self) -> BoxFuture<'_, Result<Vec<CostReport>, Failure>> {
        ready(self.read()).boxed()
    }
}

impl CostSource for Folder {
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn reports(&self) -> BoxFuture<'_, Result<Vec<CostReport>, Failure>> {
        ready(self.read()).boxed()
    }
}

impl File {
    fn read(&self) -> Result<Vec<CostReport>, Failure> {
        let text = std::fs::read_to_string(&self.0).map_err(|error| format!("cannot be read: {error}"))?;
        parse(&self.0, &text)
    }
}

impl Folder {
    fn read(&self) -> Result<Vec<CostReport>, Failure> {
        let entries = std::fs::read_dir(&self.0).map_err(|error| format!("cannot be read: {error}"))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.is_file() && kind(&path).is_some() {
                files.push(path);
            }
        }
        files.sort_unstable();
        let read = |path: PathBuf| {
            let named = |error| format!("{}: {error}", path.display());
            File(path.clone()).read().map_err(named)
        };
        let reports: Result<Vec<_>, String> = files.into_iter().map(read).collect();
        Ok(reports?.into_iter().flatten().collect())
    }
}

enum Kind {
    Csv,
    Json,
}

fn kind(path: &Path) -> Option<Kind> {
    let extension = path.extension()?.to_str()?;
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Some(Kind::Csv),
        "json" => Some(Kind::Json),
        _ => None,
    }
}

fn parse(path: &Path, text: &str) -> Result<Vec<CostReport>, Failure> {
    let source = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match kind(path) {
        Some(Kind::Csv) => csv_table::parse(&source, text),
        Some(Kind::Json) => json_api::parse(&source, text),
        None => Err("a cost report is a .json or a .csv file".into()),
    }
}
