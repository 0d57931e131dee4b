//! What proves and what signs, kept in the database: derived from the master key that was there first, sealed under the one
//! in use. So a new master key ends no API key, no session and no signature.
use super::keyring::{KeptKeys, Keyring, MasterKeys};
use super::purposes::SealPurpose;
use super::seal::{Place, SealKey};
use bytespike_store::sealed::{self, SealedIn};
use bytespike_store::world::World;
use bytespike_store::{Store, kept_keys};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Where the one row stands.
pub(super) const KEPT_KEYS: SealedIn =
    SealedIn { table: "kept_keys", id: "name", row: "name", column: "sealed" };
const ROW: &str = "proofs";

/// Why the keys of a database are not there.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error(
        "the master key is not the one that this database's keys are sealed under; configure that one, before or after \
         the others if it is a former one"
    )]
    AnotherMasterKey,
    #[error(
        "this database keeps no keys yet, so it is not known which of the master keys made them; start once with that \
         one alone"
    )]
    Unknown,
    #[error("the kept keys are damaged")]
    Damaged,
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

impl Keyring {
    /// Reads the keys that this database keeps, or begins to keep those of its first master key.
    ///
    /// # Errors
    /// The master keys are not those of this database, or it cannot be read or written.
    pub async fn open(store: &Store, world: &World, masters: MasterKeys) -> Result<Self, KeptError> {
        let seal = masters.seal(SealPurpose::KeptKeys);
        let mut ring = Self { masters, kept: KeptKeys::new() };
        let mut kept = kept_keys::load(store).await?;
        if kept.is_none() {
            if ring.masters.has_former() {
                return Err(KeptError::Unknown);
            }
            kept_keys::begin(store, &ring.written(&seal, world)?).await?;
            // Of several processes that start together one was first.
            kept = kept_keys::load(store).await?;
        }
        let before = kept.ok_or(KeptError::Damaged)?;
        ring.kept = read(&seal, &before)?;
        if Self::kept_purposes().any(|purpose| !ring.kept.contains_key(purpose)) {
            // This program has purposes that the one before it had not. Whoever is late reads what the first one wrote.
            let after = ring.written(&seal, world)?;
            sealed::replace(store, KEPT_KEYS, ROW, (&before, &after)).await?;
            ring.kept = read(&seal, &kept_keys::load(store).await?.ok_or(KeptError::Damaged)?)?;
        }
        Ok(ring)
    }

    /// Every key that is kept, and those that have to be from now on.
    fn written(&self, seal: &SealKey, world: &World) -> Result<String, KeptError> {
        let keys: BTreeMap<&str, String> = Self::kept_purposes()
            .map(|purpose| (purpose, hex::encode(self.proving(purpose).as_slice())))
            .collect();
        let json = Zeroizing::new(serde_json::to_vec(&keys).map_err(|_| KeptError::Damaged)?);
        Ok(seal.seal(world, place(), &json))
    }
}

fn read(seal: &SealKey, sealed: &str) -> Result<KeptKeys, KeptError> {
    let json = seal.open(place(), sealed).map_err(|_| KeptError::AnotherMasterKey)?;
    let keys: BTreeMap<String, &str> = serde_json::from_slice(&json).map_err(|_| KeptError::Damaged)?;
    let keys = keys.into_iter().map(|(purpose, key)| {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(key.as_bytes(), bytes.as_mut_slice()).map_err(|_| KeptError::Damaged)?;
        Ok((purpose, bytes))
    });
    keys.collect()
}

fn place() -> Place<'static> {
    Place { table: KEPT_KEYS.table, row: ROW, column: KEPT_KEYS.column }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{MacPurpose, MasterKey, SignPurpose};
    use bytespike_store::testing::on_each_database;

    #[tokio::test]
    async fn s118_a_new_master_key_leaves_what_proves_and_signs_as_it_was() {
        on_each_database(async |store| {
            let (world, _) = World::manual(0, 11);
            let (old, new) = (MasterKey::random(&world), MasterKey::random(&world));
            let proofs = |ring: &Keyring| {
                (
                    ring.mac(MacPurpose::ApiKey).mac(b"x"),
                    ring.signing_seed(SignPurpose::Receipt),
                    ring.reasoning_state_key(),
                )
            };
            let text = old.text();
            let again = || MasterKeys::from_text(&text).expect("keys");
            let first = Keyring::open(&store, &world, again()).await.expect("opened");
            assert_eq!(proofs(&first), proofs(&Keyring::from(old)), "derived as published");
            let second = Keyring::open(&store, &world, again()).await.expect("opened again");
            assert_eq!(proofs(&second), proofs(&first));

            let alone = || MasterKeys::from_text(&new.text()).expect("keys");
            let other = Keyring::open(&store, &world, alone()).await;
            assert!(matches!(other, Err(KeptError::AnotherMasterKey)));
            let both = MasterKeys::from_text(&format!("{} {}", *new.text(), *text)).expect("keys");
            let both = Keyring::open(&store, &world, both).await.expect("opened with the former one");
            assert_eq!(proofs(&both), proofs(&first));
            for resealed in both.seal_anew(&store, &world).await.expect("sealed anew") {
                assert_eq!(resealed.closed, 0, "{resealed:?}");
            }
            let rotated = Keyring::open(&store, &world, alone()).await.expect("opened by the new one alone");
            assert_eq!(proofs(&rotated), proofs(&first));
        })
        .await;
    }

    #[tokio::test]
    async fn a_database_that_keeps_nothing_asks_which_master_key_was_the_first() {
        on_each_database(async |store| {
            let (world, _) = World::manual(0, 12);
            let two = MasterKeys::from(MasterKey::random(&world)).behind(MasterKey::random(&world));
            assert!(matches!(Keyring::open(&store, &world, two).await, Err(KeptError::Unknown)));
        })
        .await;
    }
}
