//! Providers' reports beside our attempts: once a day, and by `bytespike reconcile`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Ledger, Reconciliation};

use crate::config::{self, Config, PROVIDERS};
use crate::core::Core;
use crate::cost_reports::{Api, CostSource, File, Folder};
use crate::follow::ChannelSources;
use crate::told::say;
use crate::{Failure, product};

/// Which provider a channel calls. A channel that is neither configured nor in the database any more still names its past
/// attempts, so its provider is known only as long as it is kept, if disabled.
#[derive(Clone, Debug)]
pub struct ProviderNames(BTreeMap<String, String>);

impl ProviderNames {
    /// The channels of the configuration and those of the database; of two with one id the configured one is used.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn of(sources: &ChannelSources) -> Result<Self, Failure> {
        let stored = sources.stored.list().await?;
        let stored = stored.into_iter().map(|channel| (channel.id, channel.provider));
        // A channel from a key in the environment is called like its provider.
        let keyed = PROVIDERS.iter().map(|known| (known.provider.to_owned(), known.provider.to_owned()));
        let written = sources.config.channels.iter();
        let written = written.map(|channel| (channel.id.clone(), channel.provider.clone()));
        Ok(Self(stored.chain(keyed).chain(written).collect()))
    }

    fn provider(&self, channel_id: &str) -> Option<String> {
        self.0.get(channel_id).cloned()
    }
}

/// The daily job: reads the folder and the providers' cost APIs, compares, and counts what does not fit. A source that
/// cannot be read is logged and counted, and keeps no other from being read; it is asked again the next day.
///
/// # Errors
/// The database cannot be read.
pub async fn daily(core: &Core, sources: &ChannelSources) -> Result<(), Failure> {
    let names = ProviderNames::of(sources).await?;
    let config = &sources.config.reconciliation;
    for source in configured(config, core.world.now_ms()) {
        if let Err(error) = import(&core.ledger, &*source, &names).await {
            metrics::counter!("bytespike_cost_reports_failed_total").increment(1);
            tracing::warn!(error, "a cost report could not be read; it is tried again tomorrow");
        }
    }
    let compared = core.ledger.reconcile(&|channel: &str| names.provider(channel)).await?;
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

fn configured(config: &config::Reconciliation, now_ms: i64) -> Vec<Box<dyn CostSource>> {
    let folder = (!config.folder.is_empty()).then(|| Folder(PathBuf::from(&config.folder)));
    let folder = folder.map(|folder| Box::new(folder) as Box<dyn CostSource>);
    let apis = Api::configured(config, now_ms).into_iter().map(|api| Box::new(api) as Box<dyn CostSource>);
    folder.into_iter().chain(apis).collect()
}

/// Reads a report, compares it and prints the result. Differences are facts to look into, not a failure of the command.
///
/// # Errors
/// The file cannot be read as a report, or the database fails.
pub async fn import_file(config: &Config, file: &Path) -> Result<(), Failure> {
    import_and_print(config, |_| vec![Box::new(File(file.to_owned()))]).await
}

/// Fetches what the configured cost APIs report, as the daily job does.
///
/// # Errors
/// No key for one is configured, one does not answer as it should, or the database fails.
pub async fn fetch(config: &Config) -> Result<(), Failure> {
    if Api::configured(&config.reconciliation, 0).is_empty() {
        return Err("no cost API can be asked: set reconciliation.anthropic_admin_key or reconciliation.openai_admin_key".into());
    }
    let apis = |now_ms| Api::configured(&config.reconciliation, now_ms).into_iter();
    import_and_print(config, |now_ms| apis(now_ms).map(|api| Box::new(api) as Box<dyn CostSource>).collect())
        .await
}

async fn import_and_print(
    config: &Config,
    from: impl FnOnce(i64) -> Vec<Box<dyn CostSource>>,
) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
    let names = ProviderNames::of(&product::channel_sources(config, &core, None)?).await?;
    let mut compared = Vec::new();
    for source in from(core.world.now_ms()) {
        compared.extend(import(&core.ledger, &*source, &names).await?);
    }
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
    let reports = source.reports().await.map_err(|error| format!("{}: {error}", source.name()))?;
    let mut compared = Vec::new();
    for report in reports {
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
