//! Why a key could not be made or changed.
use super::caller::Scope;
use super::lifetime::TooLong;
use super::terms::Wider;
use crate::names::NameProblem;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("you may not manage this key")]
    Forbidden,
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("the note has at most 500 characters")]
    NoteTooLong,
    #[error("the expiry lies in the past")]
    ExpiresInThePast,
    #[error("a key needs at least one scope")]
    NoScope,
    #[error("the scope '{}' is beyond the role of its holder, or beyond your own rights", _0.as_str())]
    ScopeAboveRole(Scope),
    #[error(transparent)]
    Wider(#[from] Wider),
    #[error(transparent)]
    LivesTooLong(#[from] TooLong),
    #[error("a derived key has the holder and the deployment of its parent")]
    Inherited,
    #[error("a key can be derived through at most 3 others")]
    TooDeep,
    #[error("there is no such deployment, or it is archived")]
    NoDeployment,
    #[error("there is no such member, or they have left")]
    NoHolder,
    #[error("there are {0} keys already; delete some that are no longer used")]
    TooMany(i64),
    #[error("there is no such key, or it has ended")]
    NotFound,
    #[error("the key has two credentials that work; end the older one first")]
    TwoCredentials,
    #[error("it is the key's only credential that works; rotate, disable or revoke the key instead")]
    LastCredential,
    #[error("the old credential can work on for 30 days at most")]
    OverlapTooLong,
    #[error("keys cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}
