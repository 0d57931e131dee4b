//! The copy of their data that a person may take: everything their account is, and everything of the organisations they own
//! that the console shows them, as JSON and CSV in one archive. Never a secret: what lets somebody in, sealed or hashed, is
//! not read here at all.

mod archive;
mod orgs;
mod person;
mod sheet;

use archive::{Archive, ArchiveError};
use bytespike_accounts::Accounts;
use bytespike_accounts::people::Membership;
use bytespike_ledger::Ledger;
use bytespike_store::letter::NewLetter;
use bytespike_store::world::World;
use bytespike_store::{Store, sqlx};

/// What is in the archive, in both languages.
const ABOUT: &str = include_str!("about.txt");

/// What copies are made of.
#[derive(Clone)]
pub struct DataExporter {
    pub store: Store,
    pub world: World,
    pub accounts: Accounts,
    pub ledger: Ledger,
}

/// A letter in its envelope.
#[derive(Clone, Debug)]
pub struct SealedLetter {
    pub id: String,
    pub sealed: String,
}

/// Why no copy came of an attempt.
#[derive(Debug, thiserror::Error)]
enum PrepareError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("its person is not active any more")]
    Inactive,
}

impl From<sqlx::Error> for PrepareError {
    fn from(error: sqlx::Error) -> Self {
        Self::Archive(error.into())
    }
}

impl DataExporter {
    /// Prepares the copy that has waited longest, if there is one; whether there was. `letter` writes to its person about it,
    /// who has until the moment it is given; it is kept in the transaction that makes the copy ready.
    ///
    /// # Errors
    /// The database does not answer. What was begun is begun anew by whoever asks next.
    pub async fn prepare_next(
        &self,
        letter: impl Fn(&Membership, i64) -> Option<SealedLetter>,
    ) -> sqlx::Result<bool> {
        let Some(preparing) = self.accounts.data_exports.take().await? else { return Ok(false) };
        let mut archive = Archive::new(&self.accounts.data_exports, preparing, self.world.now_ms());
        match self.prepare(&mut archive, &letter).await {
            Ok(()) => {}
            Err(PrepareError::Archive(ArchiveError::Lost)) => {
                tracing::warn!(export = archive.id(), "another process prepares a copy of data");
            }
            Err(error) => {
                tracing::warn!(%error, export = archive.id(), "a copy of data could not be prepared");
                archive.give_up().await?;
            }
        }
        Ok(true)
    }

    async fn prepare(
        &self,
        archive: &mut Archive<'_>,
        letter: &impl Fn(&Membership, i64) -> Option<SealedLetter>,
    ) -> Result<(), PrepareError> {
        let person_id = archive.person_id().to_owned();
        let memberships = self.accounts.people.memberships(&person_id).await?;
        let member = memberships.first().ok_or(PrepareError::Inactive)?;
        archive.add("about.txt", ABOUT.as_bytes()).await?;
        self.add_person(archive, member).await?;
        self.add_places(archive, &memberships).await?;
        self.add_events(archive, &person_id).await?;
        for membership in &memberships {
            self.add_org(archive, membership).await?;
        }
        let expires_at_ms = self.accounts.data_exports.expires_at_ms();
        let letter = letter(member, expires_at_ms);
        let now_ms = self.world.now_ms();
        let kept = letter.as_ref().map(|letter| NewLetter { id: &letter.id, sealed: &letter.sealed, now_ms });
        Ok(archive.finish((expires_at_ms, kept)).await?)
    }
}
