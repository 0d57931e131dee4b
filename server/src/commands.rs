//! The commands that do one thing and end.

use std::net::SocketAddr;

use crate::config::{Config, PublicUrls};
use crate::core::{self, Core};
use crate::told::say;
use crate::{Failure, demo, welcome};

/// Applies the migrations the database does not have yet.
///
/// # Errors
/// The database cannot be reached or changed.
pub async fn migrate(config: &Config) -> Result<(), Failure> {
    core::open_store(config).await?.close().await;
    say("The database is up to date.");
    Ok(())
}

/// Prints the settings in force, secrets hidden.
///
/// # Errors
/// Never for a configuration that was read.
pub fn check_config(config: &Config) -> Result<(), Failure> {
    say(&toml::to_string(config)?);
    Ok(())
}

/// Prints the address at which the first operator signs up.
///
/// # Errors
/// The database cannot be reached, or there is an operator.
pub async fn create_operator(config: &Config) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
    let token = core.accounts.operators.first_run_token().await?;
    let token = token.ok_or("there was an operator before, so the one-time address stays closed")?;
    say(&welcome::operator_url(&PublicUrls::new(config, config.server.listen), &token));
    Ok(())
}

/// Checks the ledger's invariants.
///
/// # Errors
/// One of them does not hold; each broken one is printed with an example.
pub async fn check_ledger(config: &Config) -> Result<(), Failure> {
    let violations = Core::of_command(config).await?.ledger.check_invariants().await?;
    for violation in &violations {
        say(&format!("{}: {}", violation.invariant, violation.example));
    }
    match violations.len() {
        0 => {
            say("Every invariant of the ledger holds.");
            Ok(())
        }
        broken => Err(format!("{broken} of the ledger's invariants do not hold").into()),
    }
}

/// Runs the demo provider alone until it is interrupted.
///
/// # Errors
/// The address cannot be bound.
pub async fn run_demo(listen: SocketAddr) -> Result<(), Failure> {
    let provider = demo::start(listen).await?;
    say(&format!("demo provider on http://{}", provider.address));
    tokio::signal::ctrl_c().await?;
    Ok(())
}
