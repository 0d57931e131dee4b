//! The second factor of a person or of an operator: codes of an authenticator app, and recovery codes for the day it is
//! lost. Every code works once; wrong ones are counted by account and by network.
mod recovery_codes;
#[cfg(test)]
mod tests;
mod totp;

use crate::audit::{Actor, Audit, Entry, Event};
use crate::secrets::{MacKey, MacPurpose, Place, SealKey, SealPurpose, SecretText};
use crate::sessions::CurrentSession;
use crate::throttle::{Rule, Throttle};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::second_factor::{self, NewFactor};
use bytespike_store::world::World;
use totp::TotpSecret;

#[derive(Clone)]
pub struct Factors {
    store: Store,
    world: World,
    seal: SealKey,
    pepper: MacKey,
    throttle: Throttle,
    audit: Audit,
}

/// Whose factor it is, and what the log calls them.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Person(&'a str),
    Operator(&'a str),
}

impl<'a> Subject<'a> {
    fn id(self) -> &'a str {
        match self {
            Subject::Person(id) | Subject::Operator(id) => id,
        }
    }

    fn actor(self) -> Actor<'a> {
        match self {
            Subject::Person(id) => Actor::Person(id),
            Subject::Operator(id) => Actor::Operator(id),
        }
    }
}

/// A secret that is offered and not in use yet: sealed for the way through the browser's session, and as it is shown.
pub struct Offer {
    /// Put it where only this browser's session finds it again.
    pub sealed: String,
    /// For typing: base32 in groups of four.
    pub typed: SecretText,
    /// For a QR code.
    pub address: SecretText,
}

/// A person's second factor as the settings show it.
#[derive(Clone, Copy, Debug)]
pub struct FactorState {
    pub since_ms: i64,
    /// Recovery codes that were not used yet.
    pub codes_left: u64,
}

/// What a typed code turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    App,
    /// A recovery code, of which so many are left. The person is to be told by mail.
    Recovery {
        codes_left: u64,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// Wrong, used before, or too many tries: nobody is told which.
    #[error("the code is wrong, was used already, or there were too many attempts; wait for the next code")]
    Refused,
    #[error("this account has a second factor already")]
    AlreadyOn,
    #[error("the offer of a second factor has lapsed; begin again")]
    Lapsed,
    #[error("second factors cannot be checked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Factors {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            seal: basis.keyring.seal(SealPurpose::Totp),
            pepper: basis.keyring.mac(MacPurpose::RecoveryCode),
            throttle: Throttle::new(basis),
            audit,
        }
    }

    /// `None` when the subject has no second factor.
    pub async fn state(&self, subject: Subject<'_>) -> sqlx::Result<Option<FactorState>> {
        let Some(totp) = second_factor::find(&self.store, subject.id()).await? else { return Ok(None) };
        let codes_left = second_factor::codes_left(&self.store, subject.id()).await?;
        Ok(Some(FactorState { since_ms: totp.created_at_ms, codes_left }))
    }

    pub async fn is_on(&self, subject: Subject<'_>) -> sqlx::Result<bool> {
        Ok(second_factor::find(&self.store, subject.id()).await?.is_some())
    }

    /// A new secret for an app. `account` is the name the app shows.
    pub fn offer(&self, subject: Subject<'_>, account: &str) -> Option<Offer> {
        let secret = TotpSecret::random(&self.world);
        let sealed = self.seal.seal(&self.world, place(subject.id(), "offer"), secret.bytes());
        Some(Offer { sealed, typed: secret.typed(), address: secret.address(account)? })
    }

    /// The same offer again, for a page that is shown a second time.
    pub fn offered(&self, subject: Subject<'_>, account: &str, sealed: &str) -> Option<Offer> {
        let secret = TotpSecret::from_bytes(self.seal.open(place(subject.id(), "offer"), sealed).ok()?);
        Some(Offer { sealed: sealed.to_owned(), typed: secret.typed(), address: secret.address(account)? })
    }

    /// Turns the factor on once a code of the offered secret is right, and answers the recovery codes, which are shown
    /// once. Ends the subject's sessions but `keep`.
    pub async fn turn_on(
        &self,
        origin: &Origin,
        (subject, keep): (Subject<'_>, Option<&CurrentSession>),
        (sealed_offer, typed): (&str, &str),
    ) -> Result<Vec<SecretText>, FactorError> {
        let offered = self.seal.open(place(subject.id(), "offer"), sealed_offer);
        let secret = TotpSecret::from_bytes(offered.map_err(|_| FactorError::Lapsed)?);
        let wrong = self.throttle.factor_of(subject.id());
        if !self.throttle.allows(&wrong, Rule::FACTOR).await? {
            return Err(FactorError::Refused);
        }
        let code = totp::read(typed).ok_or(FactorError::Refused)?;
        let step = secret.step_of(&code, self.world.now_ms()).ok_or(FactorError::Refused)?;
        let (codes, code_hashes) = self.new_codes(subject);
        let sealed_secret = self.seal.seal(&self.world, place(subject.id(), "sealed_secret"), secret.bytes());
        let new = NewFactor {
            subject_id: subject.id(),
            sealed_secret: &sealed_secret,
            step,
            code_hashes: &code_hashes,
            now_ms: self.world.now_ms(),
            keep_session_hash: keep.map_or("", CurrentSession::id_hash),
        };
        if !second_factor::insert(&self.store, new, &self.entry(origin, subject, "factor.turned_on")).await? {
            return Err(FactorError::AlreadyOn);
        }
        self.throttle.clear(&wrong).await?;
        Ok(codes)
    }

    /// Checks a typed code, of the app or of the recovery codes, and spends it. A tripped throttle refuses right ones too.
    pub async fn check(
        &self,
        origin: &Origin,
        subject: Subject<'_>,
        typed: &str,
    ) -> Result<Passed, FactorError> {
        let (wrong, network) = (self.throttle.factor_of(subject.id()), self.throttle.network(origin.ip));
        let allowed = self.throttle.allows(&network, Rule::NETWORK).await?
            && self.throttle.allows(&wrong, Rule::FACTOR).await?;
        let passed = if allowed { self.spend(origin, subject, typed).await? } else { None };
        let Some(passed) = passed else {
            self.audit.record(origin, event(subject, "factor.refused")).await;
            return Err(FactorError::Refused);
        };
        self.throttle.take_back(&network).await?;
        self.throttle.clear(&wrong).await?;
        Ok(passed)
    }

    /// A new set of recovery codes, shown once; the old set stops working. Ends the subject's sessions but `keep`.
    pub async fn renew_codes(
        &self,
        origin: &Origin,
        subject: Subject<'_>,
        keep: &CurrentSession,
    ) -> Result<Vec<SecretText>, FactorError> {
        if !self.is_on(subject).await? {
            return Err(FactorError::Lapsed);
        }
        let (codes, code_hashes) = self.new_codes(subject);
        let new = NewFactor {
            subject_id: subject.id(),
            sealed_secret: "",
            step: 0,
            code_hashes: &code_hashes,
            now_ms: self.world.now_ms(),
            keep_session_hash: keep.id_hash(),
        };
        let entry = self.entry(origin, subject, "factor.codes_renewed");
        second_factor::replace_codes(&self.store, new, &entry).await?;
        Ok(codes)
    }

    /// Takes the factor away, and ends the subject's sessions but `keep`. False when there was none.
    pub async fn turn_off(
        &self,
        origin: &Origin,
        subject: Subject<'_>,
        keep: &CurrentSession,
    ) -> sqlx::Result<bool> {
        let entry = self.entry(origin, subject, "factor.turned_off");
        second_factor::delete(&self.store, (subject.id(), keep.id_hash()), &entry).await
    }

    async fn spend(
        &self,
        origin: &Origin,
        subject: Subject<'_>,
        typed: &str,
    ) -> Result<Option<Passed>, FactorError> {
        if let Some(code) = totp::read(typed) {
            return Ok(self.spend_app_code(subject, &code).await?.then_some(Passed::App));
        }
        let Some(plain) = recovery_codes::read(typed) else { return Ok(None) };
        let hash = recovery_codes::hash(&self.pepper, subject.id(), &plain);
        let entry = self.entry(origin, subject, "factor.recovery_code_used");
        let code = (subject.id(), hash.as_str());
        let left = second_factor::spend_code(&self.store, code, self.world.now_ms(), &entry).await?;
        Ok(left.map(|codes_left| Passed::Recovery { codes_left }))
    }

    async fn spend_app_code(&self, subject: Subject<'_>, code: &str) -> sqlx::Result<bool> {
        let Some(totp) = second_factor::find(&self.store, subject.id()).await? else { return Ok(false) };
        let Ok(opened) = self.seal.open(place(subject.id(), "sealed_secret"), &totp.sealed_secret) else {
            tracing::error!("the secret of a second factor does not open; was the master key changed?");
            return Ok(false);
        };
        match TotpSecret::from_bytes(opened).step_of(code, self.world.now_ms()) {
            Some(step) => second_factor::spend_step(&self.store, subject.id(), step).await,
            None => Ok(false),
        }
    }

    fn new_codes(&self, subject: Subject<'_>) -> (Vec<SecretText>, Vec<String>) {
        let codes = recovery_codes::make(&self.world);
        let plain = |code: &SecretText| recovery_codes::read(code.expose()).unwrap_or_default();
        let hashes = codes.iter().map(|code| recovery_codes::hash(&self.pepper, subject.id(), &plain(code)));
        let hashes = hashes.collect();
        (codes, hashes)
    }

    fn entry(&self, origin: &Origin, subject: Subject<'_>, name: &'static str) -> Entry {
        self.audit.entry(origin, event(subject, name))
    }
}

fn event<'a>(subject: Subject<'a>, name: &'static str) -> Event<'a> {
    Event::new(name, subject.actor()).target(subject.id())
}

fn place<'a>(subject_id: &'a str, column: &'a str) -> Place<'a> {
    Place { table: "totp", row: subject_id, column }
}
