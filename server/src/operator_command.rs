//! `bytespike operator`: making operators and letting them in again, on the host and nowhere else.

use std::io::Read as _;

use bytespike_accounts::operators::NewOperator;
use clap::Subcommand;

use crate::Failure;
use crate::config::Config;
use crate::core::Core;
use crate::told::say;

#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Make an operator. The password is read from standard input; the second factor is set up at the first sign-in.
    Create {
        email: String,
        /// What the audit log calls them.
        #[arg(long)]
        name: String,
    },
    /// Let an operator in again who lost the password or the second factor. The new password is read from standard input.
    Reset { email: String },
}

/// Runs one of them.
///
/// # Errors
/// What is wrong with the address or the password, or what cannot be read.
pub async fn run(command: OperatorCommand, config: &Config) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
    let operators = &core.accounts.operators;
    let password = password()?;
    match command {
        OperatorCommand::Create { email, name } => {
            operators.create(NewOperator { email: &email, name: &name, password: &password }).await?;
            say("The operator is made, and sets up a second factor at the first sign-in under /admin.");
        }
        OperatorCommand::Reset { email } => {
            operators.reset(&email, &password).await?;
            say(
                "The operator is signed out everywhere, and sets up a second factor at the next sign-in under /admin.",
            );
        }
    }
    Ok(())
}

/// A password on a command line would be seen by everyone on the machine.
fn password() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        Err("no password was given on standard input".into())
    } else {
        Ok(password.to_owned())
    }
}
