//! `bytespike backup` and `bytespike restore`.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, IntoInnerError, Read, Write};
use std::path::{Path, PathBuf};

use bytespike_accounts::secrets::{SEALED_FILE, SealKey, SealPurpose, SealedReader, SealedWriter};
use bytespike_store::Store;
use bytespike_store::backup::{self, Contents};
use bytespike_store::world::World;

use crate::Failure;
use crate::config::Config;
use crate::core::{self, Core};
use crate::told::note;

/// Writes a backup of the configured database, which may be serving meanwhile, into a file that only its owner can
/// read, or to standard output for `-`. It is sealed under the master key, unless that is not wanted.
///
/// # Errors
/// There is no master key, the file is there already, or the database or the file fails; then no file is left.
pub async fn back_up(config: &Config, target: &Path, unsealed: bool) -> Result<(), Failure> {
    let key = match unsealed {
        true => None,
        false => Some(core::existing_master_keys(config)?.seal(SealPurpose::Backup)),
    };
    let store = existing_store(config).await?;
    let contents = match target == Path::new("-") {
        true => write(&store, io::stdout(), key.as_ref()).await?.1,
        false => into_file(&store, target, key.as_ref()).await?,
    };
    store.close().await;
    let how = match unsealed {
        true => "It is not sealed: whoever reads the file reads addresses, names and amounts.",
        false => "It is sealed under the master key.",
    };
    note(&format!(
        "Backed up {}. {how} The master key is not in it: keep that apart, for without it no API key works and nothing \
         sealed opens.",
        described(&contents)
    ));
    Ok(())
}

/// Restores a backup, sealed or not, into the configured database, which has to be empty, and checks the result.
///
/// # Errors
/// There is no master key, the database is not empty, the backup is damaged or was sealed under another master key, or
/// what was restored is not in order.
pub async fn restore(config: &Config, source: &Path) -> Result<(), Failure> {
    let key = core::existing_master_keys(config)?.seal(SealPurpose::Backup);
    drop(opened(source, &key).map_err(|error| format!("cannot read {}: {error}", source.display()))?);
    let only_server = core::only_server(config)?;
    let made = config.database.url.sqlite_path().filter(|path| !path.exists()).map(Path::to_owned);
    let restored = fill(config, source, &key).await;
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
async fn into_file(store: &Store, target: &Path, key: Option<&SealKey>) -> Result<Contents, Failure> {
    if target.exists() {
        return Err(format!("{} is there already; a backup replaces nothing", target.display()).into());
    }
    let part = with_suffix(target, ".part");
    let file = private_file(&part).map_err(|error| format!("cannot write {}: {error}", part.display()))?;
    let written = async {
        let (file, contents) = write(store, file, key).await?;
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

async fn write<W: Write>(store: &Store, out: W, key: Option<&SealKey>) -> Result<(W, Contents), Failure> {
    let (out, world) = (BufWriter::new(out), World::system());
    let (out, contents) = match key {
        Some(key) => {
            let out = SealedWriter::start(out, key, &world)?;
            let (out, contents) = backup::write(store, out, world.now_ms()).await?;
            (out.finish()?, contents)
        }
        None => backup::write(store, out, world.now_ms()).await?,
    };
    Ok((out.into_inner().map_err(IntoInnerError::into_error)?, contents))
}

/// The lines of a backup, whether it is sealed or not.
fn opened(source: &Path, key: &SealKey) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::new(File::open(source)?);
    Ok(match file.fill_buf()?.starts_with(SEALED_FILE) {
        true => Box::new(SealedReader::start(file, key)?),
        false => Box::new(file),
    })
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn fill(config: &Config, source: &Path, key: &SealKey) -> Result<Contents, Failure> {
    let store = Store::connect(config.database.url.reveal()).await?;
    let restored = backup::restore(&store, || opened(source, key)).await;
    store.close().await;
    Ok(restored?)
}

/// What a start checks, and that the audit log was written under this master key.
async fn check(config: &Config) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_its_suffix_behind_everything() {
        assert_eq!(with_suffix(Path::new("a/b.sqlite"), "-wal"), Path::new("a/b.sqlite-wal"));
    }
}
