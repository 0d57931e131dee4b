//! `bytespike operator-token`: makes, lists and revokes tokens of the operator API, on the host alone.

use bytespike_accounts::operator_tokens::OperatorToken;

use crate::Failure;
use crate::config::Config;
use crate::core::Core;
use crate::told::{note, say};

const DAY_MS: i64 = 86_400_000;

#[derive(clap::Subcommand)]
pub enum OperatorTokenCommand {
    /// Make a token and print it, this once.
    Create {
        /// What it is for, such as the program that will use it.
        name: String,
        /// How many days it is good for; without it, until it is revoked.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// List every token, revoked ones too.
    List,
    /// Revoke a token, from the next request on.
    Revoke {
        /// Its id, as `list` prints it.
        id: String,
    },
}

/// # Errors
/// The database cannot be reached, the name is none, or there is no such token.
pub async fn run(config: &Config, command: OperatorTokenCommand) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
    let tokens = &core.accounts.operator_tokens;
    match command {
        OperatorTokenCommand::Create { name, days } => {
            let (token, text) = tokens.create(&name, days.map(|days| i64::from(days) * DAY_MS)).await?;
            say(text.expose());
            note(&format!(
                "Token {} is shown this once. Whoever has it may operate this installation.",
                token.id
            ));
        }
        OperatorTokenCommand::List => {
            for token in tokens.list().await? {
                say(&listed(&token, core.world.now_ms()));
            }
        }
        OperatorTokenCommand::Revoke { id } => {
            if !tokens.revoke(&id).await? {
                return Err(format!("there is no operator token {id} that could be revoked").into());
            }
            note("Revoked.");
        }
    }
    core.store.close().await;
    Ok(())
}

fn listed(token: &OperatorToken, now_ms: i64) -> String {
    let state = match (token.revoked_at_ms, token.expires_at_ms) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now_ms => "expired",
        (None, _) => "active",
    };
    let used = token
        .last_used_at_ms
        .map_or_else(|| "never used".to_owned(), |at_ms| format!("last used {}", day(at_ms)));
    format!("{}  {state:<8} {}  {}  {used}", token.id, token.hint, token.name)
}

fn day(at_ms: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(at_ms / 1_000)
        .map_or_else(|_| at_ms.to_string(), |at| at.date().to_string())
}
