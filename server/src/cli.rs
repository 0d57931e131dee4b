//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Sources, Surface, load};
use crate::{demo, telemetry};

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

/// What a command ends with when it fails: a text for a person.
type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

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

fn run(cli: Cli) -> Outcome {
    let sources = Sources::of_process(cli.config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve { surface: None }) {
            Command::Serve { surface } => {
                let mut config = load(&sources)?;
                config.server.surface = surface.unwrap_or(config.server.surface);
                crate::serve::serve(config).await
            }
            Command::Migrate => Ok(()),
            Command::CheckConfig => print_config(&load(&sources)?),
            Command::CreateOperator => Ok(()),
            Command::Demo { listen } => run_demo(listen).await,
            Command::CheckLedger => Ok(()),
        }
    })
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn print_config(config: &Config) -> Outcome {
    println!("{}", toml::to_string(config)?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the address, for the script that started it")]
async fn run_demo(listen: SocketAddr) -> Outcome {
    let provider = demo::start(listen).await?;
    println!("demo provider on http://{}", provider.address);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
