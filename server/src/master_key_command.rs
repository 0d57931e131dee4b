//! `bytespike master-key`: which ones are known, a new one, and sealing anew what former ones sealed.

use std::path::Path;

use bytespike_accounts::secrets::{MasterKey, Resealed, key_file};
use clap::Subcommand;

use crate::Failure;
use crate::config::Config;
use crate::core::{self, Core};
use crate::told::say;

#[derive(Subcommand)]
pub enum MasterKeyCommand {
    /// List the master keys by their ids, and what each kind of them sealed.
    Status,
    /// Put a new master key before the others in the key file. It is in use from the next start on.
    Rotate,
    /// Seal anew, under the master key in use, what former ones sealed. Processes may be serving.
    Reseal,
}

/// # Errors
/// The master keys or the database cannot be read or written, or the keys are not this program's to change.
pub async fn run(config: &Config, command: MasterKeyCommand) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
    match command {
        MasterKeyCommand::Status => {
            list(config)?;
            tell(&core.keyring.sealed_by(&core.store, &core.world).await?);
        }
        MasterKeyCommand::Rotate => rotate(config, &core)?,
        MasterKeyCommand::Reseal => {
            let done = core.keyring.seal_anew(&core.store, &core.world).await?;
            say(&format!("Sealed anew: {}.", done.iter().map(|column| column.former).sum::<u64>()));
            tell(&core.keyring.sealed_by(&core.store, &core.world).await?);
        }
    }
    core.store.close().await;
    Ok(())
}

fn rotate(config: &Config, core: &Core) -> Result<(), Failure> {
    if config.secrets.master_key.reveal().is_some() {
        return Err("the master key is configured in BYTESPIKE_SECRETS__MASTER_KEY or the configuration file; put a new \
                    one (`openssl rand -hex 32`) before it there, with a comma between"
            .into());
    }
    let path = Path::new(&config.secrets.master_key_file);
    let turn = core::take_turn(&path.with_extension("lock"))?;
    let keys = key_file::load(path)?.behind(MasterKey::random(&core.world));
    key_file::replace(path, &keys)?;
    drop(turn);
    list(config)?;
    say(&format!(
        "{} has a new key before the others. Copy it to wherever other processes read theirs, restart every process, then \
         run `bytespike master-key reseal`.",
        path.display()
    ));
    Ok(())
}

fn list(config: &Config) -> Result<(), Failure> {
    let keys = core::existing_master_keys(config)?;
    for (at, key) in keys.all().enumerate() {
        say(&format!("{}  {}", key.id(), if at == 0 { "in use" } else { "former" }));
    }
    Ok(())
}

/// What is sealed by which kind of key, and what to do about it.
fn tell(columns: &[Resealed]) {
    let width = columns.iter().map(|column| column.column.len()).max().unwrap_or(0);
    say(&format!("{:width$}  in use  former  closed", "sealed by"));
    for Resealed { column, current, former, closed } in columns {
        say(&format!("{column:width$}  {current:6}  {former:6}  {closed:6}"));
    }
    let total = |of: fn(&Resealed) -> u64| columns.iter().map(of).sum::<u64>();
    if total(|column| column.closed) > 0 {
        say("No configured key opens the closed ones: the key that sealed them is missing.");
    }
    match total(|column| column.former) {
        0 => say(
            "Nothing that lasts needs a former key. Take former keys out once every process has run with the one in use for \
             a day: until then they open what is sealed for hours only.",
        ),
        _ => say("Run `bytespike master-key reseal`; until then the former keys are needed."),
    }
}
