//! `bytespike channels`: the channels in the database, which running processes take up within seconds.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytespike_accounts::Origin;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_catalog::overrides::OwnPrice;
use bytespike_gateway::stored_channels::{ChannelView, NewChannel, StoredChannels};
use clap::Subcommand;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Failure;
use crate::config::Config;
use crate::core::Core;
use crate::product;
use crate::told::say;

#[derive(Subcommand)]
pub enum ChannelCommand {
    /// Print the channels in the database, without their keys.
    List,
    /// Add or replace a channel from a TOML file: id, provider, dialect, base_url, models.
    Put {
        file: PathBuf,
        /// Read the provider's keys from standard input, one a line. Without, it keeps those it has, as long as its base URL stays.
        #[arg(long)]
        keys_from_stdin: bool,
    },
    /// Use a channel.
    Enable { id: String },
    /// Use a channel no more; running calls end as they would.
    Disable { id: String },
    /// Take a channel away, with its keys and its costs.
    Remove { id: String },
    /// Replace what a channel pays from a TOML file of [[costs]]. No price below it is published.
    Costs { id: String, file: PathBuf },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CostsFile {
    costs: Vec<OwnPrice>,
}

/// Runs one of them.
///
/// # Errors
/// What is wrong with the channel, or what cannot be read.
pub async fn run(command: ChannelCommand, config: &Config) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
    let channels = product::channel_sources(config, &core, None)?.stored;
    let told = |name| core.accounts.audit.entry(&Origin::host(), Event::new(name, Actor::Host));
    match command {
        ChannelCommand::List => list(&channels).await?,
        ChannelCommand::Put { file, keys_from_stdin } => {
            let keys = if keys_from_stdin { keys_from_stdin_lines()? } else { Vec::new() };
            let new: NewChannel = read(&file).await?;
            refuse_configured(config, &new.id)?;
            say(&described(&channels.put(new, &keys, &told("channel.put")).await?));
        }
        ChannelCommand::Enable { id } => {
            channels.set_enabled(&id, true, &told("channel.enabled")).await?;
        }
        ChannelCommand::Disable { id } => {
            channels.set_enabled(&id, false, &told("channel.disabled")).await?;
        }
        ChannelCommand::Remove { id } => channels.remove(&id, &told("channel.removed")).await?,
        ChannelCommand::Costs { id, file } => {
            let CostsFile { costs } = read(&file).await?;
            channels.put_costs((&id, &costs), &told("channel.costs_set")).await?;
        }
    }
    say("Running processes know within five seconds.");
    Ok(())
}

async fn list(channels: &StoredChannels) -> Result<(), Failure> {
    let all = channels.list().await?;
    for channel in &all {
        say(&described(channel));
    }
    say(&format!("{} channels in the database; those of the configuration are not here.", all.len()));
    Ok(())
}

fn described(channel: &ChannelView) -> String {
    let state = match (channel.enabled, channel.has_credentials) {
        (true, _) => "enabled",
        (false, true) => "disabled",
        (false, false) => "disabled: it has no key; put it again with --keys-from-stdin",
    };
    let ChannelView { id, provider, dialect, base_url, models, weight, tags, .. } = channel;
    let tags = tags.join(",");
    format!(
        "{id}  {provider}  {dialect}  {base_url}  {} models  weight {weight}  {tags}  {state}",
        models.len()
    )
}

fn refuse_configured(config: &Config, id: &str) -> Result<(), Failure> {
    match config.channels.iter().any(|channel| channel.id == id) {
        true => Err(format!("the configuration has a channel `{id}`, which would go before this one").into()),
        false => Ok(()),
    }
}

/// A key on a command line would be seen by everyone on the machine.
fn keys_from_stdin_lines() -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    let keys: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if keys.is_empty() { Err("no key was given on standard input".into()) } else { Ok(keys) }
}

async fn read<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = tokio::fs::read_to_string(file).await.map_err(|error| wrong(&error))?;
    Ok(toml::from_str(&text).map_err(|error| wrong(&error))?)
}
