//! Providers' reports beside our attempts: once a day, and by `bytespike reconcile import`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Ledger, Reconciliation};
use bytespike_store::world::World;

use crate::Failure;
use crate::config::{Config, PROVIDERS};
use crate::core::{self, Core};
use crate::cost_reports::{CostSource, File, Folder};

/// Which provider a channel calls. A channel that is configured no more still names its past attempts, so its provider
/// is kept only as long as its configuration is.
#[derive(Clone, Debug)]
pub struct ProviderNames(BTreeMap<String, String>);

impl ProviderNames {
    pub fn of(config: &Config) -> Self {
        let written = config.channels.iter().map(|channel| (channel.id.clone(), channel.provider.clone()));
        // A channel from a key in the environment is called like its provider.
        let keyed = PROVIDERS.iter().map(|known| (known.provider.to_owned(), known.provider.to_owned()));
        Self(keyed.chain(written).collect())
    }

    fn provider(&self, channel_id: &str) -> Option<String> {
        self.0.get(channel_id).cloned()
    }
}

/// The daily job: reads the folder, compares, and counts what does not fit.
///
/// # Errors
/// The folder or the database cannot be read.
pub async fn daily(ledger: &Ledger, (folder, names): (&str, &ProviderNames)) -> Result<(), Failure> {
    if !folder.is_empty() {
        import(ledger, &Folder(PathBuf::from(folder)), names).await?;
    }
    let compared = ledger.reconcile(&|channel: &str| names.provider(channel)).await?;
    let off: Vec<&Reconciliation> = compared.iter().filter(|day| day.state != "matched").collect();
    metrics::gauge!("bytespike_reconciliation_days_off").set(f64::from(u32::try_from(off.len())?));
    for day in off {
        tracing::warn!(
            provider = day.provider,
            day = day.day,
            state = day.state,
            expected_nano = day.expected_nano,
            actual_nano = day.actual_nano,
            "a provider's costs do not fit our attempts"
        );
    }
    Ok(())
}

/// Reads a report, compares it and prints the result. Differences are facts to look into, not a failure of the command.
///
/// # Errors
/// The file cannot be read as a report, or the database fails.
pub async fn import_file(config: &Config, file: &Path) -> Result<(), Failure> {
    let world = World::system();
    let master = core::master_key(config, &world)?;
    let core = Core::open(config, world, &master).await?;
    let compared = import(&core.ledger, &File(file.to_owned()), &ProviderNames::of(config)).await?;
    if compared.is_empty() {
        say("The report has no line.");
    }
    for day in &compared {
        say(&described(day));
    }
    core.store.close().await;
    Ok(())
}

async fn import(
    ledger: &Ledger,
    source: &dyn CostSource,
    names: &ProviderNames,
) -> Result<Vec<Reconciliation>, Failure> {
    let mut compared = Vec::new();
    for report in source.reports()? {
        compared.extend(ledger.import_costs(&report, &|channel: &str| names.provider(channel)).await?);
    }
    Ok(compared)
}

fn described(day: &Reconciliation) -> String {
    let usd = |nano| NanoUsd(nano).usd();
    format!(
        "{:<9} {} {}: {} attempts come to {} USD, the report to {} USD{}",
        day.state,
        day.provider,
        day.day,
        day.attempts,
        usd(day.expected_nano),
        day.actual_nano.map_or_else(|| "nothing".to_owned(), usd),
        match day.unpriced_attempts {
            0 => String::new(),
            unpriced => format!(" ({unpriced} attempts have no known cost)"),
        }
    )
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn say(text: &str) {
    println!("{text}");
}
