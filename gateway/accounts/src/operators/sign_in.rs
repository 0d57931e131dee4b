//! How an operator signs in: the password, then the second factor, which an operator who has none sets up first. Every
//! reason not to is one answer.
use super::{HalfSignedIn, OperatorSession, Operators};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::factors::{FactorError, Offer, Passed, Subject};
use crate::password_gate::{GateError, PasswordGate};
use crate::passwords::{Busy, Verdict};
use crate::secrets::SecretText;
use bytespike_store::operator::{self, OperatorRow};
use serde_json::json;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum OperatorSignInError {
    #[error("the address or the password is wrong, or there were too many attempts")]
    Refused,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("nobody can be signed in right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Operators {
    /// Checks the password. Answers the cookie of the second step, which alone opens nothing.
    pub async fn sign_in(
        &self,
        origin: &Origin,
        (email, password): (&str, &str),
    ) -> Result<SecretText, OperatorSignInError> {
        let email_key = email.trim().to_ascii_lowercase();
        let gate = PasswordGate { throttle: &self.throttle, hasher: &self.hasher };
        let Some(counted) = gate.enter(origin, self.throttle.operator(&email_key)).await? else {
            self.record_failure(origin, None, "throttled").await;
            return Err(OperatorSignInError::Refused);
        };
        let found = operator::find_by_email(&self.store, &email_key).await?;
        let stored = found.as_ref().map(|operator| operator.password_hash.as_str());
        let verdict = gate.check(&counted, (stored, password)).await?;
        let (Verdict::Right { newer_hash }, Some(operator)) = (verdict, &found) else {
            self.record_failure(origin, found.as_ref(), "wrong").await;
            return Err(OperatorSignInError::Refused);
        };
        gate.was_right(&counted).await?;
        if operator.state != "active" {
            self.record_failure(origin, Some(operator), "inactive").await;
            return Err(OperatorSignInError::Refused);
        }
        gate.lets_in(&counted).await?;
        if let Some(newer) = newer_hash {
            operator::replace_hash(&self.store, &operator.id, (&operator.password_hash, &newer)).await?;
        }
        Ok(self.sessions.begin(origin, &operator.id).await?)
    }

    /// Whether the operator has to set up a second factor before anything else.
    pub async fn lacks_factor(&self, half: &HalfSignedIn) -> sqlx::Result<bool> {
        Ok(!self.factors.is_on(Subject::Operator(&half.operator.id)).await?)
    }

    /// The secret that is offered to whoever is setting up: the same one as long as they are at it.
    pub async fn offer(&self, half: &HalfSignedIn) -> sqlx::Result<Option<Offer>> {
        let (subject, email) = (Subject::Operator(&half.operator.id), half.operator.email.as_str());
        let before = self.sessions.offered(half);
        if let Some(offer) = before.and_then(|sealed| self.factors.offered(subject, email, &sealed)) {
            return Ok(Some(offer));
        }
        let Some(offer) = self.factors.offer(subject, email) else { return Ok(None) };
        self.sessions.keep_offer(half, &offer.sealed).await?;
        Ok(Some(offer))
    }

    /// Turns the second factor on with a code of the offered secret, and signs in: answers the session's cookie, behind
    /// which the recovery codes wait to be shown once.
    pub async fn set_up(
        &self,
        origin: &Origin,
        half: &HalfSignedIn,
        typed: &str,
    ) -> Result<SecretText, FactorError> {
        let offer = self.sessions.offered(half).ok_or(FactorError::Lapsed)?;
        let subject = Subject::Operator(&half.operator.id);
        let codes = self.factors.turn_on(origin, (subject, None), (&offer, typed)).await?;
        let cookie = self.sessions.start(origin, half).await?;
        self.sessions.keep_codes(&cookie, (&half.operator.id, &codes)).await?;
        self.signed_in(origin, &half.operator, "password and a new app").await;
        Ok(cookie)
    }

    /// Checks the code that the second step asks for, spends it, and signs in: answers the session's cookie.
    pub async fn second_step(
        &self,
        origin: &Origin,
        half: &HalfSignedIn,
        typed: &str,
    ) -> Result<SecretText, FactorError> {
        let passed = self.factors.check(origin, Subject::Operator(&half.operator.id), typed).await?;
        let cookie = self.sessions.start(origin, half).await?;
        let how = if passed == Passed::App { "password and app" } else { "password and recovery code" };
        self.signed_in(origin, &half.operator, how).await;
        Ok(cookie)
    }

    /// Proves anew, within a session, who holds it: answers the cookie of its new id.
    pub async fn confirm(
        &self,
        origin: &Origin,
        session: &OperatorSession,
        typed: &str,
    ) -> Result<SecretText, FactorError> {
        self.factors.check(origin, Subject::Operator(&session.operator.id), typed).await?;
        let cookie = self.sessions.confirm(session).await?;
        self.audit.record(origin, session.did("operator.confirmed")).await;
        Ok(cookie)
    }

    pub async fn sign_out(&self, origin: &Origin, session: &OperatorSession) -> sqlx::Result<()> {
        self.sessions.end(session).await?;
        self.audit.record(origin, session.did("operator.signed_out")).await;
        Ok(())
    }

    /// Ends the operator's other sessions.
    pub async fn end_other_sessions(&self, origin: &Origin, session: &OperatorSession) -> sqlx::Result<()> {
        self.sessions.end_others(session).await?;
        self.audit.record(origin, session.did("operator.sessions_ended")).await;
        Ok(())
    }

    async fn signed_in(&self, origin: &Origin, operator: &OperatorRow, how: &str) {
        let event = Event::new("operator.signed_in", Actor::Operator(&operator.id));
        self.audit.record(origin, event.target(&operator.id).detail(json!({ "by": how }))).await;
    }

    async fn record_failure(&self, origin: &Origin, operator: Option<&OperatorRow>, why: &str) {
        let event = Event::new("operator.sign_in_failed", Actor::Anonymous).detail(json!({ "why": why }));
        let event = match operator {
            Some(operator) => event.target(&operator.id),
            None => event,
        };
        self.audit.record(origin, event).await;
    }
}

impl OperatorSession {
    /// An event of this operator's, to be recorded.
    pub fn did(&self, name: &'static str) -> Event<'_> {
        Event::new(name, Actor::Operator(&self.operator.id)).target(&self.operator.id)
    }
}

impl From<GateError> for OperatorSignInError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Busy(busy) => Self::Busy(busy),
            GateError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::NewOperator;
    use crate::testing::{Bench, on_each, origin};

    const NEW: NewOperator<'_> =
        NewOperator { email: "root@example.com", name: "Root", password: "keys hang by the door" };

    async fn half(bench: &Bench) -> HalfSignedIn {
        let operators = &bench.accounts.operators;
        let cookie = operators.sign_in(&origin(), (NEW.email, NEW.password)).await.expect("let in");
        assert!(
            operators.sessions.current(cookie.expose()).await.expect("read").is_none(),
            "half is not whole"
        );
        operators.sessions.half(cookie.expose()).await.expect("read").expect("half signed in")
    }

    #[tokio::test]
    async fn a_password_alone_opens_nothing_and_a_refusal_has_one_face() {
        on_each(async |bench| {
            let operators = &bench.accounts.operators;
            operators.create(NEW).await.expect("created");
            assert!(operators.lacks_factor(&half(&bench).await).await.expect("read"));
            for (email, password) in [(NEW.email, "another password"), ("nobody@example.com", NEW.password)] {
                let refused = operators.sign_in(&origin(), (email, password)).await;
                assert!(matches!(refused, Err(OperatorSignInError::Refused)));
            }
            bench.clock.advance(10 * 60_000);
            assert!(operators.sessions.half("").await.expect("read").is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn five_wrong_passwords_close_the_door_for_a_right_one_too() {
        on_each(async |bench| {
            let operators = &bench.accounts.operators;
            operators.create(NEW).await.expect("created");
            for _ in 0..6 {
                let _ = operators.sign_in(&origin(), (NEW.email, "another password")).await;
            }
            let right = operators.sign_in(&origin(), (NEW.email, NEW.password)).await;
            assert!(matches!(right, Err(OperatorSignInError::Refused)));
            bench.clock.advance(3_600_000);
            half(&bench).await;
        })
        .await;
    }

    #[tokio::test]
    async fn a_reset_on_the_host_ends_the_sessions_of_before() {
        on_each(async |bench| {
            let operators = &bench.accounts.operators;
            operators.create(NEW).await.expect("created");
            let cookie = operators.sign_in(&origin(), (NEW.email, NEW.password)).await.expect("let in");
            operators.reset(NEW.email, NEW.password).await.expect("reset");
            assert!(operators.sessions.half(cookie.expose()).await.expect("read").is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn s_005_a_session_ends_after_half_an_hour_unused_and_after_twelve_in_any_case() {
        on_each(async |bench| {
            let operators = &bench.accounts.operators;
            operators.create(NEW).await.expect("created");
            let live = async |cookie: &SecretText| {
                operators.sessions.current(cookie.expose()).await.expect("read").is_some()
            };
            let idle = operators.sessions.start(&origin(), &half(&bench).await).await.expect("started");
            bench.clock.advance(30 * 60_000 - 1);
            assert!(live(&idle).await);
            bench.clock.advance(30 * 60_000);
            assert!(!live(&idle).await);
            let busy = operators.sessions.start(&origin(), &half(&bench).await).await.expect("started");
            for _ in 0..36 {
                assert!(live(&busy).await);
                bench.clock.advance(20 * 60_000);
            }
            assert!(!live(&busy).await);
        })
        .await;
    }
}
