//! The file of the master keys: readable by its owner alone, made once.
use super::keyring::MasterKeys;
use super::master::{MasterKey, MasterKeyError};
use bytespike_store::world::World;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use zeroize::Zeroizing;

/// Reads the key file, which only its owner may read and who must be the user running this.
///
/// # Errors
/// It cannot be read, others could read it, or it holds no keys.
pub fn load(path: &Path) -> Result<MasterKeys, MasterKeyError> {
    let failed = |source| failed(path, source);
    let mut file = File::open(path).map_err(failed)?;
    check_private(&file, path)?;
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    MasterKeys::from_text(&text)
}

/// Reads the key file, or makes one with mode 0600 if there is none: for a first start on this machine alone.
///
/// # Errors
/// Those of [`load`], or it cannot be written.
pub fn load_or_create(path: &Path, world: &World) -> Result<MasterKeys, MasterKeyError> {
    let keys = MasterKeys::from(MasterKey::random(world));
    match write_new(path, &keys) {
        Ok(()) => Ok(keys),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(source) => Err(failed(path, source)),
    }
}

/// Puts other keys into the key file, which never holds half of them.
///
/// # Errors
/// It cannot be written.
pub fn replace(path: &Path, keys: &MasterKeys) -> Result<(), MasterKeyError> {
    let next = path.with_extension("next");
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&next, error)),
        _ => {}
    }
    write_new(&next, keys).map_err(|error| failed(&next, error))?;
    std::fs::rename(&next, path).map_err(|error| failed(path, error))
}

fn write_new(path: &Path, keys: &MasterKeys) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(keys.text().as_bytes())?;
    file.sync_all()
}

fn failed(path: &Path, source: io::Error) -> MasterKeyError {
    MasterKeyError::File { path: path.to_owned(), source }
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn check_private(file: &File, path: &Path) -> Result<(), MasterKeyError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().map_err(|source| failed(path, source))?;
    if metadata.mode() & 0o077 != 0 {
        return Err(MasterKeyError::Readable { path: path.to_owned() });
    }
    if own_uid().is_some_and(|uid| uid != metadata.uid()) {
        return Err(MasterKeyError::Owner { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &File, _: &Path) -> Result<(), MasterKeyError> {
    Ok(())
}

/// The user this process runs as. The standard library has no call for it; Linux shows it as the owner of /proc/self.
#[cfg(unix)]
fn own_uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn s117_the_file_is_made_once_private_and_refused_when_others_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("master.key");
        let (world, _) = World::manual(0, 4);
        let made = load_or_create(&path, &world).expect("created");
        let loaded = load_or_create(&path, &world).expect("loaded");
        assert_eq!(made.text(), loaded.text());
        assert_eq!(std::fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("changed");
        assert!(matches!(load(&path), Err(MasterKeyError::Readable { .. })));
        assert!(matches!(load(&folder.path().join("none")), Err(MasterKeyError::File { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_replaced_as_a_whole_and_stays_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("master.key");
        let (world, _) = World::manual(0, 5);
        let first = load_or_create(&path, &world).expect("created");
        let rotated = first.behind(MasterKey::random(&world));
        std::fs::write(path.with_extension("next"), "left by a crash").expect("written");
        replace(&path, &rotated).expect("replaced");
        assert_eq!(load(&path).expect("loaded").text(), rotated.text());
        assert_eq!(std::fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
        assert!(!path.with_extension("next").exists());
    }
}
