//! Tokens for programs that operate the installation: made and revoked by commands on the host, never over HTTP.
//! Their prefix and their pepper are their own, so an inference key never passes for one, nor one for a key.
use crate::audit::{Actor, Audit, Event};
use crate::keys::{KeyFormatError, TokenText};
use crate::names::{self, NameProblem};
use crate::secrets::{MacKey, MacPurpose, SecretText};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::operator_token::{self, OperatorTokenRow};
use bytespike_store::world::World;
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "sk-byts-op-";
/// When a token was last used is written this often at most.
const MARKED_EVERY_MS: i64 = 60_000;

#[derive(Clone)]
pub struct OperatorTokens {
    store: Store,
    world: World,
    pepper: MacKey,
    audit: Audit,
}

/// A token as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorToken {
    pub id: String,
    pub name: String,
    /// Its start and its end, such as `sk-byts-op-7Qm3…dJpU`.
    pub hint: String,
    pub expires_at_ms: Option<i64>,
    pub revoked_at_ms: Option<i64>,
    pub last_used_at_ms: Option<i64>,
    pub created_at_ms: i64,
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum OperatorTokenRefusal {
    #[error("this is no operator token: {0}")]
    Malformed(#[from] KeyFormatError),
    #[error("there is no such operator token")]
    Unknown,
    #[error("the operator token has expired")]
    Expired,
    #[error("the operator token was revoked")]
    Revoked,
    #[error("operator tokens cannot be checked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum OperatorTokenError {
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("the token cannot be stored: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl OperatorTokens {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            pepper: basis.keyring.mac(MacPurpose::OperatorToken),
            audit,
        }
    }

    /// Makes a token that lives for `lifetime_ms`, or until it is revoked. Its text is shown this once.
    pub async fn create(
        &self,
        name: &str,
        lifetime_ms: Option<i64>,
    ) -> Result<(OperatorToken, SecretText), OperatorTokenError> {
        let name = names::clean(name)?;
        let text = TokenText::mint(&self.world, PREFIX);
        // Minted a line above, so it parses.
        let Ok(token) = TokenText::parse(text.expose(), PREFIX) else {
            return Err(sqlx::Error::RowNotFound.into());
        };
        let now_ms = self.world.now_ms();
        let row = OperatorTokenRow {
            id: token.id().to_owned(),
            name,
            verifier: hex::encode(token.verifier(&self.pepper)),
            last_four: token.last_four().to_owned(),
            expires_at_ms: lifetime_ms.map(|lifetime_ms| now_ms.saturating_add(lifetime_ms)),
            revoked_at_ms: None,
            last_used_at_ms: None,
            created_at_ms: now_ms,
        };
        let event = Event::new("operator_token.created", Actor::Host).target(&row.id);
        operator_token::insert(&self.store, &row, &self.audit.entry(&Origin::host(), event)).await?;
        Ok((row.into(), text))
    }

    pub async fn list(&self) -> sqlx::Result<Vec<OperatorToken>> {
        Ok(operator_token::all(&self.store).await?.into_iter().map(OperatorToken::from).collect())
    }

    /// From the next request on, everywhere: tokens are not cached. False when there was nothing to revoke.
    pub async fn revoke(&self, id: &str) -> sqlx::Result<bool> {
        let event = Event::new("operator_token.revoked", Actor::Host).target(id);
        let entry = self.audit.entry(&Origin::host(), event);
        operator_token::revoke(&self.store, (id, self.world.now_ms()), &entry).await
    }

    /// Whose token this is.
    pub async fn identify(&self, presented: &str) -> Result<OperatorToken, OperatorTokenRefusal> {
        let token = TokenText::parse(presented, PREFIX)?;
        // Computed whether or not there is such a token, so that the time taken says nothing.
        let verifier = hex::encode(token.verifier(&self.pepper));
        let found = operator_token::find(&self.store, token.id()).await?;
        let row = found.filter(|row| bool::from(row.verifier.as_bytes().ct_eq(verifier.as_bytes())));
        let row = row.ok_or(OperatorTokenRefusal::Unknown)?;
        let now_ms = self.world.now_ms();
        if row.revoked_at_ms.is_some() {
            return Err(OperatorTokenRefusal::Revoked);
        }
        if row.expires_at_ms.is_some_and(|end| end <= now_ms) {
            return Err(OperatorTokenRefusal::Expired);
        }
        operator_token::mark_used(&self.store, &row.id, (now_ms, now_ms - MARKED_EVERY_MS)).await?;
        Ok(row.into())
    }
}

impl From<OperatorTokenRow> for OperatorToken {
    fn from(row: OperatorTokenRow) -> Self {
        let shown: String = row.id.chars().take(4).collect();
        Self {
            hint: format!("{PREFIX}{shown}…{}", row.last_four),
            id: row.id,
            name: row.name,
            expires_at_ms: row.expires_at_ms,
            revoked_at_ms: row.revoked_at_ms,
            last_used_at_ms: row.last_used_at_ms,
            created_at_ms: row.created_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyRefusal;
    use crate::testing::on_each;

    #[tokio::test]
    async fn a_token_opens_until_it_expires_or_is_revoked() {
        on_each(async |bench| {
            let tokens = &bench.accounts.operator_tokens;
            let (lasting, text) = tokens.create("reconciler", None).await.expect("made");
            let (_, short) = tokens.create("for an hour", Some(3_600_000)).await.expect("made");
            assert!(text.expose().starts_with("sk-byts-op-") && !lasting.hint.contains(text.expose()));
            assert_eq!(tokens.identify(text.expose()).await.expect("opens").id, lasting.id);
            tokens.identify(short.expose()).await.expect("opens");
            bench.clock.advance(3_600_000);
            assert!(matches!(tokens.identify(short.expose()).await, Err(OperatorTokenRefusal::Expired)));
            assert!(tokens.revoke(&lasting.id).await.expect("revoked"));
            assert!(!tokens.revoke(&lasting.id).await.expect("asked"));
            assert!(matches!(tokens.identify(text.expose()).await, Err(OperatorTokenRefusal::Revoked)));
            assert_eq!(tokens.list().await.expect("read").len(), 2);
            assert!(tokens.create(" ", None).await.is_err(), "a token has a name");
        })
        .await;
    }

    #[tokio::test]
    async fn a_token_is_no_key_and_a_changed_one_is_no_token() {
        on_each(async |bench| {
            let tokens = &bench.accounts.operator_tokens;
            let (_, text) = tokens.create("t", None).await.expect("made");
            let as_key = bench.accounts.keys.identify(text.expose()).await;
            assert!(matches!(as_key, Err(KeyRefusal::Malformed(_))), "{as_key:?}");
            let body = text.expose().strip_prefix(PREFIX).expect("its prefix");
            let other = TokenText::mint(&bench.world, PREFIX);
            let spliced = TokenText::compose(
                PREFIX,
                &body[..12],
                &other.expose()[PREFIX.len() + 12..PREFIX.len() + 44],
            );
            for wrong in [
                "",
                body,
                &format!("sk-byts-{body}"),
                &text.expose().replace("op-", "OP-"),
                other.expose(),
                spliced.expose(),
            ] {
                assert!(tokens.identify(wrong).await.is_err(), "{wrong}");
            }
        })
        .await;
    }
}
