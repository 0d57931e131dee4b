use super::*;
use crate::mail::MailKind;
use crate::orgs::Language;
use crate::people::FirstStep;
use crate::sessions::{CurrentSession, Session};
use crate::switches::{NotAdmitted, SignUpPolicy};
use crate::testing::{Bench, EMAIL, PASSWORD, on_each, origin};
use std::sync::Arc;

fn verified(subject: &str, email: Option<&str>) -> Verified {
    Verified {
        provider: "acme".to_owned(),
        subject: subject.to_owned(),
        email: email.map(str::to_owned),
        name: Some("Ada".to_owned()),
    }
}

async fn arrive(bench: &Bench, subject: &str, email: Option<&str>) -> Result<Arrival, ArrivalError> {
    let who = verified(subject, email);
    bench.accounts.identities.arrive(&origin(), &who, Language::En).await
}

async fn session_of(bench: &Bench, person_id: &str) -> CurrentSession {
    let sessions = &bench.accounts.sessions;
    let cookie = Session::new(None, Arc::new(sessions.clone()), None);
    sessions.start(&cookie, &origin(), person_id).await.expect("started");
    cookie.save().await.expect("saved");
    sessions.current(&cookie).await.expect("read").expect("signed in")
}

#[tokio::test]
async fn a_new_account_is_made_from_a_verified_address_and_found_again_by_its_subject() {
    on_each(async |bench| {
        let first = arrive(&bench, "7", Some("new@example.com")).await.expect("let in");
        let FirstStep::Done(member) = first.step else { panic!("no second factor") };
        assert!(first.trial.is_some_and(|trial| trial.org_id == member.org_id()));
        let again = arrive(&bench, "7", Some("other@example.com")).await.expect("let in");
        let FirstStep::Done(same) = again.step else { panic!("no second factor") };
        assert_eq!((same.person_id(), same.email()), (member.person_id(), "new@example.com"));
        assert!(again.trial.is_none());
        assert!(matches!(arrive(&bench, "8", None).await, Err(ArrivalError::NoVerifiedMail)));
        bench.accounts.switches.configure(SignUpPolicy::Closed);
        let closed = bench
            .accounts
            .identities
            .arrive(&origin(), &verified("9", Some("nine@example.com")), Language::En)
            .await;
        assert!(matches!(closed, Err(ArrivalError::NotAdmitted(NotAdmitted::Closed))));
    })
    .await;
}

#[tokio::test]
async fn an_address_that_has_an_account_opens_nothing_until_it_is_linked_from_inside() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let refused = arrive(&bench, "7", Some("ADA@example.com")).await;
        assert!(matches!(refused, Err(ArrivalError::MailHasAccount)));
        let identities = &bench.accounts.identities;
        let mine = verified("7", Some(EMAIL));
        let letter = identities.link(&origin(), &owner, (&mine, "Acme")).await.expect("linked");
        assert!(letter.is_some_and(|letter| matches!(letter.kind, MailKind::Notice(_))));
        let FirstStep::Done(member) = arrive(&bench, "7", None).await.expect("let in").step else {
            panic!("no second factor")
        };
        assert_eq!(member.person_id(), owner.person_id());
        let other = bench.owner("eve@example.com").await;
        let taken = identities.link(&origin(), &other, (&mine, "Acme")).await;
        assert!(matches!(taken, Err(LinkError::Taken)));
    })
    .await;
}

#[tokio::test]
async fn whoever_signed_up_with_an_address_they_could_not_prove_loses_it_to_its_owner() {
    on_each(async |bench| {
        bench.sign_up("new@example.com", PASSWORD).await.expect("a mail");
        let arrived = arrive(&bench, "7", Some("new@example.com")).await.expect("let in");
        assert!(matches!(arrived.step, FirstStep::Done(_)));
        let planted = bench.accounts.people.sign_in(&origin(), "new@example.com", PASSWORD).await;
        assert!(planted.is_err(), "the password of whoever signed up first still works");
    })
    .await;
}

#[tokio::test]
async fn the_last_way_in_cannot_be_unlinked_even_by_two_at_once() {
    on_each(async |bench| {
        let FirstStep::Done(member) =
            arrive(&bench, "7", Some("new@example.com")).await.expect("let in").step
        else {
            panic!("no second factor")
        };
        let session = session_of(&bench, member.person_id()).await;
        let identities = &bench.accounts.identities;
        let from = origin();
        let unlink = async |subject: &str| {
            identities.unlink(&from, (&member, &session), ("acme", subject, "Acme")).await
        };
        assert!(matches!(unlink("7").await, Err(UnlinkError::Last)));
        assert!(matches!(unlink("8").await, Err(UnlinkError::NotFound)));
        identities.link(&origin(), &member, (&verified("8", None), "Acme")).await.expect("linked");
        let (one, other) = futures_util::future::join(unlink("7"), unlink("8")).await;
        assert_eq!([one.is_ok(), other.is_ok()].into_iter().filter(|done| *done).count(), 1);
        assert_eq!(identities.list(&member).await.expect("read").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn s23_an_errand_is_taken_once_by_its_browser_from_its_provider_within_ten_minutes() {
    on_each(async |bench| {
        let identities = &bench.accounts.identities;
        let purpose = Purpose::SignIn { next: "/console/keys".to_owned() };
        let sent = identities.send(("acme", "browser"), (purpose.clone(), Language::Zh)).await.expect("sent");
        let state = sent.state.expose();
        for (provider, browser, state) in [
            ("other", "browser", state),
            ("acme", "another", state),
            ("acme", "browser", sent.nonce.expose()),
            ("acme", "browser", ""),
        ] {
            assert!(identities.take(provider, browser, state).await.expect("asked").is_none());
        }
        let tries = (0..8).map(|_| identities.take("acme", "browser", state));
        let taken: Vec<Errand> = futures_util::future::join_all(tries)
            .await
            .into_iter()
            .filter_map(|taken| taken.expect("asked"))
            .collect();
        assert_eq!(taken.len(), 1);
        assert!(taken[0].purpose == purpose && taken[0].verifier.expose() == sent.verifier.expose());
        assert_eq!(taken[0].language, Language::Zh);
        let late = identities.send(("acme", "browser"), (purpose, Language::Zh)).await.expect("sent");
        bench.clock.advance(10 * 60_000);
        assert!(identities.take("acme", "browser", late.state.expose()).await.expect("asked").is_none());
    })
    .await;
}
