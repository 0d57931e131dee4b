//! `bytespike prices`: a draft is looked at, compared with what is in force, and put in force.

use std::path::{Path, PathBuf};

use bytespike_accounts::Origin;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_accounts::secrets::SignPurpose;
use bytespike_catalog::check::Problem;
use bytespike_catalog::{Overrides, PriceExport};
use bytespike_gateway::price_desk::{self, Look};
use bytespike_gateway::{Gateway, PriceDesk};
use bytespike_store::estimate_ratio;
use clap::Subcommand;
use ed25519_dalek::SigningKey;
use serde_json::json;

use crate::Failure;
use crate::config::Config;
use crate::core::Core;
use crate::told::say;
use crate::{prices, product};

/// How long other processes may go on selling by the book before.
const ADOPTED_WITHIN: &str = "five seconds";

#[derive(Subcommand)]
pub enum PriceCommand {
    /// Say what is wrong with the draft: the catalogue, the configuration and the overrides. Fails when it may not be published.
    Check(DraftArguments),
    /// Say what would change.
    Diff(DraftArguments),
    /// Put the draft in force, if nothing blocks it.
    Publish {
        #[command(flatten)]
        draft: DraftArguments,
        /// Why, for the history.
        #[arg(long, default_value = "with `bytespike prices publish`")]
        note: String,
    },
    /// Print the signed export of a version, by default the one in force.
    Export {
        #[arg(long)]
        version: Option<i64>,
    },
    /// Print which versions came into force, newest first.
    History {
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Print what was learned about estimates: each model's factor, and from how many calls.
    Factors,
}

#[derive(clap::Args)]
pub struct DraftArguments {
    /// A TOML or JSON file with own prices, markups, an exchange rate … Absent: those in force.
    #[arg(long, value_name = "FILE", conflicts_with = "no_overrides")]
    overrides: Option<PathBuf>,
    /// Drop the overrides in force.
    #[arg(long)]
    no_overrides: bool,
}

/// Runs one of them.
///
/// # Errors
/// What blocks the draft, or what cannot be read.
pub async fn run(command: PriceCommand, config: &Config) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    match command {
        PriceCommand::Check(arguments) => check(&desk.look(&arguments).await?, true),
        PriceCommand::Diff(arguments) => {
            show_diff(&desk.look(&arguments).await?);
            Ok(())
        }
        PriceCommand::Publish { draft, note } => desk.publish(desk.look(&draft).await?, &note).await,
        PriceCommand::Export { version } => desk.export(version).await,
        PriceCommand::History { limit } => desk.history(limit).await,
        PriceCommand::Factors => desk.factors().await,
    }
}

/// Everything a draft is looked at with.
struct Desk {
    core: Core,
    desk: PriceDesk,
    signing_key: SigningKey,
}

impl Desk {
    async fn open(config: &Config) -> Result<Self, Failure> {
        let core = Core::of_command(config).await?;
        let sources = product::channel_sources(config, &core, None)?;
        let signing_key = SigningKey::from_bytes(&core.keyring.signing_seed(SignPurpose::PriceExport));
        Ok(Self { desk: prices::desk(&core, sources), signing_key, core })
    }

    async fn look(&self, arguments: &DraftArguments) -> Result<Look, Failure> {
        let overrides = match &arguments.overrides {
            Some(file) => Some(read_overrides(file).await?),
            None if arguments.no_overrides => Some(Overrides::default()),
            None => None,
        };
        Ok(self.desk.look(overrides).await?)
    }

    async fn publish(&self, look: Look, note: &str) -> Result<(), Failure> {
        show_diff(&look);
        check(&look, false)?;
        if let Some(in_force) = look.in_force.as_ref().filter(|_| look.is_in_force()) {
            say(&format!("Version {} is in force already.", in_force.publication.version));
            return Ok(());
        }
        let event = Event::new("prices.published", Actor::Host).detail(json!({ "note": note }));
        let entry = self.core.accounts.audit.entry(&Origin::host(), event);
        let book = self.desk.publish(look, (note, &entry)).await?;
        say(&format!(
            "Version {} is in force; running processes sell by it within {ADOPTED_WITHIN}. Running calls keep theirs.",
            book.version
        ));
        Ok(())
    }

    async fn export(&self, version: Option<i64>) -> Result<(), Failure> {
        let now_ms = self.core.world.now_ms();
        let in_force = self.core.ledger.prices_in_force().await?;
        let current = in_force.as_ref().map(|in_force| &in_force.book);
        let export = match (version, current) {
            (Some(version), current) if current.is_none_or(|book| book.version != version) => {
                let book = self.core.ledger.price_book(version).await?;
                let book = book.ok_or_else(|| format!("there is no price book version {version}"))?;
                PriceExport::superseded(&book, now_ms)
            }
            (_, Some(book)) => {
                let channels = self.desk.drafts.channels(book).await?;
                PriceExport::new(book, &Gateway::wired(&channels), now_ms)
            }
            (_, None) => {
                return Err("no price book is in force yet; `bytespike serve` publishes the first".into());
            }
        };
        say(&serde_json::to_string(&export.sign(&self.signing_key)?)?);
        Ok(())
    }

    async fn history(&self, limit: u32) -> Result<(), Failure> {
        for publication in self.core.ledger.publications(limit).await? {
            let at = time::OffsetDateTime::from_unix_timestamp(publication.at_ms / 1_000)?;
            let at = at.format(&time::format_description::well_known::Rfc3339)?;
            say(&format!(
                "{at}  version {}  {}  {}",
                publication.version, publication.hash, publication.note
            ));
        }
        Ok(())
    }

    async fn factors(&self) -> Result<(), Failure> {
        let rows = estimate_ratio::all(&self.core.store).await?;
        let mut learned: Vec<_> = bytespike_gateway::factors::learned(&rows).into_iter().collect();
        learned.sort_by(|a, b| a.0.cmp(&b.0));
        for (model, known) in &learned {
            let factor = bytespike_catalog::decimal::format(i128::from(known.factor.micro()), 6, 2);
            say(&format!("{model}  × {factor}  from {} calls", known.calls));
        }
        say(&format!(
            "{} models have calls enough; every other estimate is stretched by 1.15.",
            learned.len()
        ));
        Ok(())
    }
}

/// Prints what does not block, catalogue models without a complete price only when `all` is wanted, and fails when
/// something blocks.
fn check(look: &Look, all: bool) -> Result<(), Failure> {
    let notices = look.problems.iter().filter(|problem| !problem.blocks());
    for notice in notices.filter(|problem| all || !matches!(problem, Problem::Missing { .. })) {
        say(&format!("notice: {notice}"));
    }
    price_desk::refuse_blocked(&look.problems)?;
    say("Nothing blocks its publication.");
    Ok(())
}

fn show_diff(look: &Look) {
    let Some(in_force) = &look.in_force else {
        say("No price book is in force; everything in the draft is new.");
        return;
    };
    for change in &look.changes {
        say(&change.to_string());
    }
    let (count, version) = (look.changes.len(), in_force.publication.version);
    say(&format!("Changes from version {version}: {count}."));
}

async fn read_overrides(file: &Path) -> Result<Overrides, Failure> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = tokio::fs::read_to_string(file).await.map_err(|error| wrong(&error))?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let read = if is_json {
        serde_json::from_str(&text).map_err(|error| wrong(&error))
    } else {
        toml::from_str(&text).map_err(|error| wrong(&error))
    };
    Ok(read?)
}
