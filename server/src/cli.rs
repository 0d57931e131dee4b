//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::channel_commands::{self, ChannelCommand};
use crate::config::{Sources, Surface, load};
use crate::master_key_command::{self, MasterKeyCommand};
use crate::operator_command::{self, OperatorCommand};
use crate::operator_token_command::{self, OperatorTokenCommand};
use crate::price_commands::{self, PriceCommand};
use crate::voucher_command::{self, VoucherCommand};
use crate::{Failure, backup_command, commands, receipt_command, reconcile_command, telemetry};

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
    /// Write a backup of the database, which may be serving meanwhile, sealed under the master key, which is not in it.
    Backup {
        /// A file that does not exist yet, or `-` for standard output.
        file: PathBuf,
        /// Seal nothing: for a program that encrypts it in its own way.
        #[arg(long)]
        unsealed: bool,
    },
    /// Restore a backup, sealed or not, into the configured database, which has to be empty, and check it.
    Restore { file: PathBuf },
    /// Master keys: which there are, a new one, sealing anew.
    #[command(subcommand)]
    MasterKey(MasterKeyCommand),
    /// Make operators, and let them in again.
    Operator {
        #[command(subcommand)]
        command: OperatorCommand,
    },
    /// Make, list and revoke tokens of the operator API.
    OperatorToken {
        #[command(subcommand)]
        command: OperatorTokenCommand,
    },
    /// Compare providers' cost reports with what our attempts came to.
    Reconcile {
        #[command(subcommand)]
        command: ReconcileCommand,
    },
    /// Check a receipt, offline.
    Receipt {
        #[command(subcommand)]
        command: ReceiptCommand,
    },
    /// Look at, compare and publish prices.
    #[command(subcommand)]
    Prices(PriceCommand),
    /// Channels in the database: add, switch, remove.
    #[command(subcommand)]
    Channels(ChannelCommand),
    /// Codes that give credit to whoever redeems them: make, list, end.
    #[command(subcommand)]
    Voucher(VoucherCommand),
}

#[derive(Subcommand)]
enum ReconcileCommand {
    /// Read a report from a .json or .csv file and compare the days it speaks of.
    Import { file: PathBuf },
    /// Ask the providers' cost APIs that a key is configured for, and compare the days they speak of.
    Fetch,
}

#[derive(Subcommand)]
enum ReceiptCommand {
    /// Recompute a receipt from its usage and the published prices, and check its signature. Exit status 0: it fits;
    /// 1: something does not; 2: a file cannot be read.
    Verify(receipt_command::Verify),
}

/// Runs the command given to the process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(status) => status,
        Err(error) => {
            complain(&*error);
            ExitCode::FAILURE
        }
    }
}

/// Says on standard error why a command ended, secrets cut out.
#[expect(clippy::print_stderr, reason = "the last word of a failed command, to the person who ran it")]
pub fn complain(error: &dyn std::error::Error) {
    eprint!("bytespike: {}", telemetry::redact(&format!("{error}\n")));
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
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
            Command::Backup { file, unsealed } => {
                backup_command::back_up(&load(&sources)?, &file, unsealed).await
            }
            Command::Restore { file } => backup_command::restore(&load(&sources)?, &file).await,
            Command::MasterKey(command) => master_key_command::run(&load(&sources)?, command).await,
            Command::Operator { command } => operator_command::run(command, &load(&sources)?).await,
            Command::OperatorToken { command } => {
                operator_token_command::run(&load(&sources)?, command).await
            }
            Command::Reconcile { command: ReconcileCommand::Import { file } } => {
                reconcile_command::import_file(&load(&sources)?, &file).await
            }
            Command::Reconcile { command: ReconcileCommand::Fetch } => {
                reconcile_command::fetch(&load(&sources)?).await
            }
            Command::Receipt { command: ReceiptCommand::Verify(wanted) } => {
                return Ok(receipt_command::verify(&wanted));
            }
            Command::Prices(command) => Box::pin(price_commands::run(command, &load(&sources)?)).await,
            Command::Voucher(command) => Box::pin(voucher_command::run(&load(&sources)?, command)).await,
            Command::Channels(command) => Box::pin(channel_commands::run(command, &load(&sources)?)).await,
        }?;
        Ok(ExitCode::SUCCESS)
    })
}
