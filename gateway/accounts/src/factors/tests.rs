use super::*;
use crate::people::{FirstStep, Proof, SecondStepError};
use crate::sessions::Session;
use crate::testing::{Bench, EMAIL, PASSWORD, on_each, origin, origin_at};
use std::sync::Arc;
use zeroize::Zeroizing;

const STEP_MS: i64 = 30_000;

/// The code an app shows now for a secret that was typed into it.
fn app(typed: &SecretText, now_ms: i64) -> String {
    let base32: String = typed.expose().split(' ').collect();
    let bytes = totp_rs::Secret::Encoded(base32).to_bytes().expect("base32");
    TotpSecret::from_bytes(Zeroizing::new(bytes)).code_at(now_ms)
}

/// A signed-in owner whose account has a second factor.
struct Guarded {
    person_id: String,
    typed: SecretText,
    codes: Vec<SecretText>,
    session: CurrentSession,
}

async fn guarded(bench: &Bench) -> Guarded {
    let owner = bench.owner(EMAIL).await;
    let sessions = &bench.accounts.sessions;
    let cookie = Session::new(None, Arc::new(sessions.clone()), None);
    sessions.start(&cookie, &origin(), owner.person_id()).await.expect("started");
    cookie.save().await.expect("saved");
    let session = sessions.current(&cookie).await.expect("read").expect("signed in");
    let person = Subject::Person(owner.person_id());
    let offer = bench.accounts.factors.offer(person, EMAIL).expect("an offer");
    let code = app(&offer.typed, bench.clock_ms());
    let codes = bench
        .accounts
        .factors
        .turn_on(&origin(), (person, Some(&session)), (&offer.sealed, &code))
        .await
        .expect("turned on");
    // The code that turned it on is spent; the next step has another.
    bench.clock.advance(STEP_MS);
    Guarded { person_id: owner.person_id().to_owned(), typed: offer.typed, codes, session }
}

impl Guarded {
    fn subject(&self) -> Subject<'_> {
        Subject::Person(&self.person_id)
    }
}

#[tokio::test]
async fn s46_a_factor_is_turned_on_by_a_right_code_and_asked_for_from_then_on() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let (factors, people) = (&bench.accounts.factors, &bench.accounts.people);
        let person = Subject::Person(owner.person_id());
        let offer = factors.offer(person, EMAIL).expect("an offer");
        for wrong in ["000000", "not a code"] {
            let refused = factors.turn_on(&origin(), (person, None), (&offer.sealed, wrong)).await;
            assert!(matches!(refused, Err(FactorError::Refused)), "{refused:?}");
        }
        assert!(factors.state(person).await.expect("read").is_none());
        let code = app(&offer.typed, bench.clock_ms());
        let other = Subject::Person("usr_other");
        let moved = factors.turn_on(&origin(), (other, None), (&offer.sealed, &code)).await;
        assert!(matches!(moved, Err(FactorError::Lapsed)), "an offer is one person's");
        let codes =
            factors.turn_on(&origin(), (person, None), (&offer.sealed, &code)).await.expect("turned on");
        assert_eq!(codes.len(), 10);
        let again = factors.turn_on(&origin(), (person, None), (&offer.sealed, &code)).await;
        assert!(matches!(again, Err(FactorError::AlreadyOn)));
        let first = people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("the password is right");
        let FirstStep::SecondFactor { person_id } = first else { panic!("no second step") };
        let replayed = people.second_step(&origin(), &person_id, &code).await;
        assert!(matches!(replayed, Err(SecondStepError::Factor(FactorError::Refused))), "a code works once");
        bench.clock.advance(STEP_MS);
        let next = app(&offer.typed, bench.clock_ms());
        let (member, letter) = people.second_step(&origin(), &person_id, &next).await.expect("signed in");
        assert!(member.email() == EMAIL && letter.is_none());
        assert_eq!(people.proof(&member).await.expect("read"), Proof::SecondFactor);
    })
    .await;
}

#[tokio::test]
async fn s46_wrong_codes_are_counted_and_a_right_one_is_refused_while_they_are() {
    on_each(async |bench| {
        let guarded = guarded(&bench).await;
        let factors = &bench.accounts.factors;
        for n in 0..5 {
            let refused =
                factors.check(&origin_at(&format!("198.51.100.{n}")), guarded.subject(), "000000").await;
            assert!(matches!(refused, Err(FactorError::Refused)));
        }
        let right = app(&guarded.typed, bench.clock_ms());
        let refused = factors.check(&origin(), guarded.subject(), &right).await;
        assert!(matches!(refused, Err(FactorError::Refused)), "the fifth wrong one closes it");
        let recovery = factors.check(&origin(), guarded.subject(), guarded.codes[0].expose()).await;
        assert!(matches!(recovery, Err(FactorError::Refused)));
        bench.clock.advance(15 * 60_000);
        let right = app(&guarded.typed, bench.clock_ms());
        assert_eq!(factors.check(&origin(), guarded.subject(), &right).await.expect("right"), Passed::App);
    })
    .await;
}

#[tokio::test]
async fn s47_a_recovery_code_works_once_and_a_new_set_ends_the_old() {
    on_each(async |bench| {
        let guarded = guarded(&bench).await;
        let factors = &bench.accounts.factors;
        let typed = guarded.codes[3].expose().to_lowercase();
        let passed = factors.check(&origin(), guarded.subject(), &typed).await.expect("right");
        assert_eq!(passed, Passed::Recovery { codes_left: 9 });
        assert!(factors.check(&origin(), guarded.subject(), &typed).await.is_err());
        let renewed =
            factors.renew_codes(&origin(), guarded.subject(), &guarded.session).await.expect("a new set");
        assert!(factors.check(&origin(), guarded.subject(), guarded.codes[0].expose()).await.is_err());
        let passed = factors.check(&origin(), guarded.subject(), renewed[0].expose()).await.expect("right");
        assert_eq!(passed, Passed::Recovery { codes_left: 9 });
        assert!(factors.check(&origin(), Subject::Person("usr_other"), renewed[1].expose()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn s07_turning_a_factor_on_or_off_ends_the_other_sessions() {
    on_each(async |bench| {
        let guarded = guarded(&bench).await;
        let (factors, sessions) = (&bench.accounts.factors, &bench.accounts.sessions);
        let other = Session::new(None, Arc::new(sessions.clone()), None);
        sessions.start(&other, &origin(), &guarded.person_id).await.expect("started");
        other.save().await.expect("saved");
        assert_eq!(sessions.list(&guarded.session).await.expect("read").len(), 2);
        assert!(factors.turn_off(&origin(), guarded.subject(), &guarded.session).await.expect("asked"));
        let left = sessions.list(&guarded.session).await.expect("read");
        assert!(left.len() == 1 && left[0].is_current);
        assert!(!factors.is_on(guarded.subject()).await.expect("read"));
        assert!(factors.check(&origin(), guarded.subject(), guarded.codes[0].expose()).await.is_err());
    })
    .await;
}
