//! What every surface with a database shares, brought up in order: key, database, migrations, accounts, ledger.

use std::path::Path;
use std::sync::Arc;

use bytespike_accounts::Accounts;
use bytespike_accounts::retention::Kept;
use bytespike_accounts::secrets::{Keyring, MasterKeyError, MasterKeys, key_file};
use bytespike_accounts::switches::SignUpPolicy;
use bytespike_gateway::operations::Operations;
use bytespike_gateway::quota_requests::QuotaRequests;
use bytespike_ledger::Ledger;
use bytespike_store::Store;
use bytespike_store::world::World;

use crate::Failure;
use crate::config::{Config, Server};

const NANO_PER_USD: i64 = 1_000_000_000;

/// The shared parts. Clones share them.
#[derive(Clone)]
pub struct Core {
    pub world: World,
    pub store: Store,
    pub keyring: Arc<Keyring>,
    pub accounts: Accounts,
    pub ledger: Ledger,
}

impl Core {
    /// Requests for more than limits allow.
    #[must_use]
    pub fn quota_requests(&self) -> QuotaRequests {
        QuotaRequests {
            store: self.store.clone(),
            world: self.world.clone(),
            accounts: self.accounts.clone(),
            ledger: self.ledger.clone(),
        }
    }

    /// What operators do to wallets.
    #[must_use]
    pub fn operations(&self) -> Operations {
        Operations { accounts: self.accounts.clone(), ledger: self.ledger.clone() }
    }

    /// For a command, which goes by this machine's clock and the configured master key.
    ///
    /// # Errors
    /// Those of [`Core::open`], or the master key is missing, weak or readable by others.
    pub async fn of_command(config: &Config) -> Result<Self, Failure> {
        let world = World::system();
        let masters = master_keys(config, &world)?;
        Self::open(config, world, masters).await
    }

    /// Opens the database, applies what migrations it lacks, and starts the ledger's writer. Recovers nothing yet.
    ///
    /// # Errors
    /// What is missing or cannot be reached, in words for the operator.
    pub async fn open(config: &Config, world: World, masters: MasterKeys) -> Result<Self, Failure> {
        check_clock(&world)?;
        let store = open_store(config).await?;
        let keyring = Arc::new(Keyring::open(&store, &world, masters).await?);
        let accounts = Accounts::new(store.clone(), world.clone(), &keyring, hash_workers());
        accounts.switches.configure(match config.accounts.sign_up {
            true => SignUpPolicy::Open,
            false => SignUpPolicy::Closed,
        });
        accounts.waiting_credits.configure(i64::from(config.operators.second_above_usd) * NANO_PER_USD);
        accounts.retention.configure([
            (Kept::FreeCalls, config.retention.free_call_days),
            (Kept::Attempts, config.retention.attempt_days),
            (Kept::InvariantRuns, config.retention.invariant_run_days),
            (Kept::CostReports, config.retention.cost_report_days),
            (Kept::WebhookMessages, config.retention.webhook_message_days),
            (Kept::Bodies, config.retention.body_days),
        ]);
        let ledger = Ledger::open(store.clone(), world.clone()).await?;
        Ok(Self { world, store, keyring, accounts, ledger })
    }
}

/// A clock before the catalogue was written is not set, and would sign and expire everything wrongly.
fn check_clock(world: &World) -> Result<(), Failure> {
    let catalogue_day = bytespike_catalog::Catalog::embedded()?.as_of;
    let today = time::OffsetDateTime::from_unix_timestamp(world.now_ms() / 1000)?.date().to_string();
    match today < catalogue_day {
        true => {
            Err(format!("this machine's clock says {today}, which is before this program was made; set it")
                .into())
        }
        false => Ok(()),
    }
}

/// Connects to the database and applies what migrations it lacks. SQLite has no lock that spans its making and all its
/// migrations, so processes that start together take turns at a file beside it.
///
/// # Errors
/// The folder or the database cannot be opened or changed.
pub async fn open_store(config: &Config) -> Result<Store, Failure> {
    let mut turn = None;
    if let Some(path) = config.database.url.sqlite_path() {
        make_private_folder(path.parent().unwrap_or(Path::new("")))?;
        turn = Some(take_turn(&path.with_extension("lock"))?);
    }
    let store = Store::connect(config.database.url.reveal()).await?;
    store.migrate().await?;
    drop(turn);
    Ok(store)
}

/// What makes this process the only server of an SQLite file. The operating system takes it back when the process
/// ends, however it ends.
pub struct OnlyServer(#[expect(dead_code, reason = "held, never read")] std::fs::File);

/// Becomes the only server of an SQLite file: a second one would take the first one's running calls for abandoned.
/// `None` on PostgreSQL, which any number of processes may serve.
///
/// # Errors
/// Another process serves the file.
pub fn only_server(config: &Config) -> Result<Option<OnlyServer>, Failure> {
    let Some(path) = config.database.url.sqlite_path() else { return Ok(None) };
    make_private_folder(path.parent().unwrap_or(Path::new("")))?;
    let mark = path.with_extension("serving");
    let mut file = std::fs::File::options().create(true).read(true).append(true).open(&mark)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            std::io::Write::write_all(&mut file, std::process::id().to_string().as_bytes())?;
            Ok(Some(OnlyServer(file)))
        }
        Err(std::fs::TryLockError::WouldBlock) => Err(served_by_another(path, &mark).into()),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(format!("cannot lock {}: {error}", mark.display()).into())
        }
    }
}

fn served_by_another(path: &Path, mark: &Path) -> String {
    let process = std::fs::read_to_string(mark).unwrap_or_default();
    format!(
        "another process ({process}) serves {}, and an SQLite database has one server. Stop that one first; to serve \
         from several processes, use PostgreSQL",
        path.display()
    )
}

/// Waits until no other process holds the file; dropping it lets the next one go on. For what only one of several
/// processes that start together may do.
pub fn take_turn(path: &Path) -> std::io::Result<std::fs::File> {
    let file = std::fs::File::options().create(true).append(true).open(path)?;
    file.lock()?;
    Ok(file)
}

/// The master keys: configured, or in their file. A listener that only this machine can reach may make the file.
///
/// # Errors
/// They are missing, weak, or readable by others.
pub fn master_keys(config: &Config, world: &World) -> Result<MasterKeys, Failure> {
    let path = Path::new(&config.secrets.master_key_file);
    if config.secrets.master_key.reveal().is_some() || !may_make_secrets(&config.server) {
        return existing_master_keys(config);
    }
    make_private_folder(path.parent().unwrap_or(Path::new("")))?;
    let turn = take_turn(&path.with_extension("lock"))?;
    let made = key_file::load_or_create(path, world)?;
    drop(turn);
    Ok(made)
}

/// The master keys, which nothing makes here: for what only those that are in use can open.
///
/// # Errors
/// They are missing, weak, or readable by others.
pub fn existing_master_keys(config: &Config) -> Result<MasterKeys, Failure> {
    if let Some(text) = config.secrets.master_key.reveal() {
        return Ok(MasterKeys::from_text(text)?);
    }
    let path = Path::new(&config.secrets.master_key_file);
    key_file::load(path).map_err(|error| match error {
        MasterKeyError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            missing_key(path).into()
        }
        other => other.into(),
    })
}

/// A developer's machine: nobody else can connect.
fn may_make_secrets(server: &Server) -> bool {
    server.is_loopback()
}

fn missing_key(path: &Path) -> String {
    format!(
        "there is no master key. Make one with `openssl rand -hex 32`, and put it into {} (mode 0600) or into \
         BYTESPIKE_SECRETS__MASTER_KEY. Keep it: without it nothing sealed can be opened, and every API key stops working",
        path.display()
    )
}

/// Writes a file that only its owner can read, in place of the one that was there.
///
/// # Errors
/// The file cannot be written.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    remove_if_there(path)?;
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

/// Removes a file, unless there is none.
///
/// # Errors
/// The file cannot be removed.
pub fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder that only its owner can enter, unless it is there.
///
/// # Errors
/// The folder cannot be made.
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Password hashes take 19 MiB and a core each; the other half is for everything else.
fn hash_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_store::world::{ManualClock, SeededRandom};
    use std::sync::Arc;

    fn at(day: &str) -> World {
        let date: jiff::civil::Date = day.parse().unwrap();
        let ms = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond();
        World { clock: Arc::new(ManualClock::at(ms)), random: Arc::new(SeededRandom::new(1)) }
    }

    #[test]
    fn s143_a_clock_from_before_this_program_was_made_is_refused_and_says_so() {
        let made = bytespike_catalog::Catalog::embedded().unwrap().as_of;
        let error = check_clock(&at("2020-01-01")).unwrap_err().to_string();
        assert!(error.contains("2020-01-01") && error.contains("set it"), "{error}");
        check_clock(&at(&made)).unwrap();
        check_clock(&at("2036-01-01")).unwrap();
    }
}
