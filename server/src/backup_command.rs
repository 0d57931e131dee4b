//! `bytespike backup` and `bytespike restore`.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use bytespike_store::Store;
use bytespike_store::backup::{self, Contents};
use bytespike_store::world::World;

use crate::Failure;
use crate::config::Config;
use crate::core::{self, Core};

/// Writes a backup of the configured database, which may be serving meanwhile, into a file that only its owner can
/// read, or to standard output for `-`.
///
/// # Errors
/// The file is there already, or the database or the file fails; then no file is left.
pub async fn back_up(config: &Config, target: &Path) -> Result<(), Failure> {
    let now_ms = World::system().now_ms();
    let store = existing_store(config).await?;
    let contents = match target == Path::new("-") {
        true => backup::write(&store, BufWriter::new(std::io::stdout()), now_ms).await?.1,
        false => into_file(&store, target, now_ms).await?,
    };
    store.close().await;
    note(&format!(
        "Backed up {}. The master key is not in it: keep that apart, for without it no API key works and nothing sealed opens.",
        described(&contents)
    ));
    Ok(())
}

/// Restores a backup into the configured database, which has to be empty, and checks the result.
///
/// # Errors
/// The database is not empty, the backup is damaged, or what was restored is not in order.
pub async fn restore(config: &Config, source: &Path) -> Result<(), Failure> {
    let file = File::open(source).map_err(|error| format!("cannot read {}: {error}", source.display()))?;
    let only_server = core::only_server(config)?;
    let made = config.database.url.sqlite_path().filter(|path| !path.exists()).map(Path::to_owned);
    let restored = fill(config, file).await;
    if restored.is_err()
        && let Some(path) = made
    {
        remove_database(&path);
    }
    note(&format!("Restored {}.", described(&restored?)));
    let checked = check(config).await;
    drop(only_server);
    checked
}

/// A mistyped path must not become a new, empty database.
async fn existing_store(config: &Config) -> Result<Store, Failure> {
    if let Some(path) = config.database.url.sqlite_path().filter(|path| !path.is_file()) {
        return Err(format!("there is no database {}", path.display()).into());
    }
    Ok(Store::connect(config.database.url.reveal()).await?)
}

/// Under another name until it is whole, so that half a backup never passes for one.
async fn into_file(store: &Store, target: &Path, now_ms: i64) -> Result<Contents, Failure> {
    if target.exists() {
        return Err(format!("{} is there already; a backup replaces nothing", target.display()).into());
    }
    let part = with_suffix(target, ".part");
    let file = private_file(&part).map_err(|error| format!("cannot write {}: {error}", part.display()))?;
    let written = async {
        let (out, contents) = backup::write(store, BufWriter::new(file), now_ms).await?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        std::fs::rename(&part, target)?;
        Ok::<_, Failure>(contents)
    };
    let written = written.await;
    if written.is_err() {
        // The reason of the failure is what the operator needs to hear, not whether the rest could be removed.
        drop(std::fs::remove_file(&part));
    }
    written
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn fill(config: &Config, file: File) -> Result<Contents, Failure> {
    let store = Store::connect(config.database.url.reveal()).await?;
    let restored = backup::restore(&store, BufReader::new(file)).await;
    store.close().await;
    Ok(restored?)
}

/// What a start checks, and that the audit log was written under this master key.
async fn check(config: &Config) -> Result<(), Failure> {
    let world = World::system();
    let master = core::master_key(config, &world)?;
    let core = Core::open(config, world, &master).await?;
    let recovered = core.ledger.recover().await?;
    let violations = core.ledger.check_invariants().await?;
    if let Some(first) = violations.first() {
        return Err(format!("the rows are restored, but {}: {}", first.invariant, first.example).into());
    }
    note(&format!(
        "Every invariant of the ledger holds; {} calls were running when the backup was made and are free.",
        recovered.expired
    ));
    match core.accounts.audit.verify().await? {
        Ok(events) => note(&format!("The audit log is whole: {events} events.")),
        Err(broken) => {
            return Err(format!(
                "the rows are restored, but {broken}. If that is the first event, the master key is not the one the backup \
                 was made under: configure that one before you serve"
            )
            .into());
        }
    }
    core.store.close().await;
    Ok(())
}

fn remove_database(path: &Path) {
    for file in [path.to_owned(), with_suffix(path, "-wal"), with_suffix(path, "-shm")] {
        drop(std::fs::remove_file(file));
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn described(contents: &Contents) -> String {
    format!("{} rows of {} tables", contents.rows, contents.tables)
}

/// Standard output may be the backup itself.
#[expect(clippy::print_stderr, reason = "what the command did, for whoever ran it")]
fn note(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_its_suffix_behind_everything() {
        assert_eq!(with_suffix(Path::new("a/b.sqlite"), "-wal"), Path::new("a/b.sqlite-wal"));
    }
}
