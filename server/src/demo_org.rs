//! The demo organisation: credit and a key, so that the sample printed at the start can be pasted at once. Only where
//! nobody but this machine can connect.

use std::io::Write;
use std::path::{Path, PathBuf};

use bytespike_accounts::Origin;
use bytespike_accounts::keys::NewKey;
use bytespike_accounts::orgs::Language;
use bytespike_accounts::people::{Membership, NewOwner};
use bytespike_accounts::secrets::SecretText;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Credit, CreditKind};

use crate::Failure;
use crate::config::Config;
use crate::core::Core;

/// Its owner; `.invalid` never belongs to anyone (RFC 2606). Has no password, so nobody signs in as it.
const EMAIL: &str = "demo@bytespike.invalid";
const NAME: &str = "ByteSpike demo";
/// $10.
const CREDIT: NanoUsd = NanoUsd(10_000_000_000);

/// Makes the organisation, its credit and its key unless they are there, and returns the key. It is random, and kept
/// beside the master key in a file of the same mode, so that it can be printed again at the next start.
///
/// # Errors
/// The database or the file cannot be written.
pub async fn ready(core: &Core, config: &Config) -> Result<SecretText, Failure> {
    let owner = NewOwner { email: EMAIL, name: NAME, org_name: NAME, language: Language::En };
    let member = core.accounts.people.create_owner(owner).await?;
    core.ledger.open_wallet(member.org_id(), "UTC").await?;
    let credit = Credit {
        org_id: member.org_id().to_owned(),
        amount: CREDIT,
        kind: CreditKind::Grant,
        idempotency_key: format!("demo:{}", member.org_id()),
        note: "Demo credit".to_owned(),
        expires_at_ms: None,
    };
    core.ledger.credit(credit).await?;
    let file = key_file(config);
    match kept_key(core, &file).await? {
        Some(key) => Ok(key),
        None => new_key(core, &member, &file).await,
    }
}

fn key_file(config: &Config) -> PathBuf {
    Path::new(&config.secrets.master_key_file).with_file_name("demo.key")
}

/// The key in the file, if it belongs to this database.
async fn kept_key(core: &Core, file: &Path) -> Result<Option<SecretText>, Failure> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => SecretText::new(text.trim()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read {}: {error}", file.display()).into()),
    };
    Ok(core.accounts.keys.identify(text.expose()).await.is_ok().then_some(text))
}

async fn new_key(core: &Core, member: &Membership, file: &Path) -> Result<SecretText, Failure> {
    let created = core.accounts.keys.create(&Origin::host(), member, NewKey::named("demo")).await?;
    write_private(file, created.secret.expose())
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(created.secret)
}

/// Writes the file, made with mode 0600. Of processes that start together the last one's key stays; both keys work.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        crate::core::make_private_folder(folder)?;
    }
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
