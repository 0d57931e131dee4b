//! One-time tokens: 190 random bits in a link, stored as an HMAC, good for one use and a short while.
use crate::Basis;
use crate::base62;
use crate::mail::{INVITATION_DAYS, RESET_MINUTES, VERIFY_MINUTES};
use crate::secrets::{MacKey, MacPurpose, SecretText};
use bytespike_store::Store;
use bytespike_store::one_time_token::{self, NewToken};
use bytespike_store::world::World;

const TOKEN_CHARS: usize = 32;
const MINUTE_MS: i64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    VerifyEmail,
    ResetPassword,
    /// Kept with the address it would change to, in `email_change`.
    ChangeEmail,
    FirstOperator,
    Invitation,
}

impl TokenKind {
    pub fn as_str(self) -> &'static str {
        match self {
            TokenKind::VerifyEmail => "verify_email",
            TokenKind::ResetPassword => "reset_password",
            TokenKind::ChangeEmail => "change_email",
            TokenKind::FirstOperator => "first_operator",
            TokenKind::Invitation => "invitation",
        }
    }

    pub(crate) fn lifetime_ms(self) -> i64 {
        match self {
            TokenKind::VerifyEmail | TokenKind::ChangeEmail => VERIFY_MINUTES * MINUTE_MS,
            TokenKind::ResetPassword => RESET_MINUTES * MINUTE_MS,
            TokenKind::FirstOperator => 30 * MINUTE_MS,
            TokenKind::Invitation => INVITATION_DAYS * 24 * 60 * MINUTE_MS,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Tokens {
    store: Store,
    world: World,
    key: MacKey,
}

impl Tokens {
    pub fn new(basis: &Basis<'_>) -> Self {
        let key = basis.keyring.mac(MacPurpose::OneTimeToken);
        Self { store: basis.store.clone(), world: basis.world.clone(), key }
    }

    /// A new token; an older one of this kind for the same subject stops working.
    pub async fn issue(&self, kind: TokenKind, subject_id: &str) -> sqlx::Result<SecretText> {
        let token = base62::random(&self.world, TOKEN_CHARS);
        let now_ms = self.world.now_ms();
        let row = NewToken {
            kind: kind.as_str(),
            subject_id,
            token_hash: &self.hash(kind, &token),
            expires_at_ms: now_ms + kind.lifetime_ms(),
            now_ms,
        };
        one_time_token::replace(&self.store, row).await?;
        Ok(token.into())
    }

    /// A token that a row of its own keeps, by its hash.
    pub fn mint(&self, kind: TokenKind) -> (SecretText, String) {
        let token = base62::random(&self.world, TOKEN_CHARS);
        let hash = self.hash(kind, &token);
        (token.into(), hash)
    }

    /// Whom the token is for, if it would work. Does not use it up: mail scanners follow links.
    pub async fn peek(&self, kind: TokenKind, token: &str) -> sqlx::Result<Option<String>> {
        one_time_token::peek(&self.store, kind.as_str(), &self.hash(kind, token), self.world.now_ms()).await
    }

    /// The kind is hashed along, so that a token of one kind is nothing as another.
    pub fn hash(&self, kind: TokenKind, token: &str) -> String {
        self.key.mac_hex(format!("{}!{token}", kind.as_str()).as_bytes())
    }
}
