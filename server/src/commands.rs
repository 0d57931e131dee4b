//! The commands that do one thing and end.

use std::net::SocketAddr;

use bytespike_store::world::World;

use crate::config::{Config, PublicUrls};
use crate::core::{self, Core};
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
    let world = World::system();
    let master = core::master_key(config, &world)?;
    let core = Core::open(config, world, &master).await?;
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
    let world = World::system();
    let master = core::master_key(config, &world)?;
    let violations = Core::open(config, world, &master).await?.ledger.check_invariants().await?;
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

#[expect(clippy::print_stdout, reason = "the command's result")]
fn say(text: &str) {
    println!("{text}");
}
