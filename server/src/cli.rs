//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Sources, Surface, load};
use crate::{Failure, commands, telemetry};

/// One key for all the world's models.
#[derive(Parser)]
#[command(name = "bytespike", version)]
struct Cli {
    /// Settings; `bytespike.toml` in this directory is read by itself.
    #[arg(long, global = true, env = "BYTESPIKE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start serving (this is what happens without a command).
    Serve {
        /// Which surfaces: all of them on one port, or one.
        #[arg(long)]
        surface: Option<Surface>,
    },
    /// Apply the migrations the database does not have yet.
    Migrate,
    /// Print the settings in force, secrets hidden.
    CheckConfig,
    /// Print a one-time address at which an operator signs up, valid for 30 minutes.
    CreateOperator,
    /// Run the demo provider alone, for tests and measurements.
    Demo {
        #[arg(long, default_value = "127.0.0.1:9400")]
        listen: SocketAddr,
    },
    /// Check the ledger's invariants and print what breaks them.
    CheckLedger,
}

/// Runs the command given to the process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&*error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a failed command, to the person who ran it")]
fn complain(error: &dyn std::error::Error) {
    eprint!("bytespike: {}", telemetry::redact(&format!("{error}\n")));
}

fn run(cli: Cli) -> Result<(), Failure> {
    let sources = Sources::of_process(cli.config);
    // Whichever library asks first must find the one TLS implementation; a second installation changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve { surface: None }) {
            Command::Serve { surface } => {
                let mut config = load(&sources)?;
                config.server.surface = surface.unwrap_or(config.server.surface);
                Box::pin(crate::serve::serve(config)).await
            }
            Command::Migrate => commands::migrate(&load(&sources)?).await,
            Command::CheckConfig => commands::check_config(&load(&sources)?),
            Command::CreateOperator => commands::create_operator(&load(&sources)?).await,
            Command::Demo { listen } => commands::run_demo(listen).await,
            Command::CheckLedger => commands::check_ledger(&load(&sources)?).await,
        }
    })
}
