use super::*;
use crate::audit::Actor;
use crate::keys::{KeyRefusal, NewKey};
use crate::orgs::{Preset, TrialGrant};
use crate::passwords::PasswordProblem;
use crate::role::Role;
use crate::testing::{Bench, EMAIL, PASSWORD, on_each, origin, origin_at, token};
use bytespike_store::{on_database, sqlx};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const NEW_PASSWORD: &str = "another engine, of copper";

async fn refused(bench: &Bench, email: &str, password: &str) -> Option<Mail> {
    match bench.accounts.people.sign_in(&origin(), email, password).await {
        Err(SignInError::Refused { mail }) => mail,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{email} was signed in"),
    }
}

#[tokio::test]
async fn signing_up_makes_an_owner_of_an_org_with_the_preset_of_the_language() {
    on_each(async |bench| {
        let people = &bench.accounts.people;
        let form = SignUp {
            email: "Lin@Example.com",
            password: PASSWORD,
            name: Some("林"),
            language: Language::Zh,
            next: None,
        };
        let mail = people.sign_up(&origin(), form).await.expect("accepted").expect("a mail");
        assert_eq!((mail.to.as_str(), mail.language), ("Lin@Example.com", Language::Zh));
        let trial = people.verify_email(&origin(), token(&mail).expose()).await.expect("confirmed");
        let FirstStep::Done(member) =
            people.sign_in(&origin(), "lin@example.COM", PASSWORD).await.expect("signed in")
        else {
            panic!("no second factor was set up")
        };
        assert_eq!(
            (member.role(), member.preset(), member.person_name()),
            (Role::Owner, Preset::China, "林")
        );
        assert_eq!(trial, TrialGrant::of(member.org_id()));
    })
    .await;
}

#[tokio::test]
async fn s34_nobody_signs_in_before_confirming_and_the_refusal_is_the_usual_one() {
    on_each(async |bench| {
        bench.sign_up(EMAIL, PASSWORD).await.expect("a mail");
        let again = refused(&bench, EMAIL, PASSWORD).await.expect("the right password brings another link");
        assert!(refused(&bench, EMAIL, "a wrong one altogether").await.is_none());
        bench.accounts.people.verify_email(&origin(), token(&again).expose()).await.expect("confirmed");
        bench.accounts.people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("signed in");
    })
    .await;
}

#[tokio::test]
async fn s36_a_taken_address_gets_the_same_answer_and_another_mail() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let checks = bench.accounts.people.password_checks();
        let mail = bench.sign_up("ADA@example.com", NEW_PASSWORD).await.expect("a mail");
        assert!(matches!(mail.kind, MailKind::AlreadyRegistered));
        assert_eq!(bench.accounts.people.password_checks(), checks);
        assert!(refused(&bench, EMAIL, NEW_PASSWORD).await.is_none());
        bench.accounts.people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("the password is the old one");
    })
    .await;
}

#[tokio::test]
async fn before_confirming_the_newest_sign_up_counts_and_older_links_are_dead() {
    on_each(async |bench| {
        let people = &bench.accounts.people;
        let first = bench.sign_up(EMAIL, PASSWORD).await.expect("a mail");
        let second = bench.sign_up(EMAIL, NEW_PASSWORD).await.expect("a mail");
        assert!(!people.can_verify(token(&first).expose()).await.expect("read"));
        assert!(matches!(
            people.verify_email(&origin(), token(&first).expose()).await,
            Err(VerifyError::Dead)
        ));
        people.verify_email(&origin(), token(&second).expose()).await.expect("confirmed");
        people.sign_in(&origin(), EMAIL, NEW_PASSWORD).await.expect("signed in");
    })
    .await;
}

#[tokio::test]
async fn s45_looking_at_a_link_does_not_use_it_and_using_it_does() {
    on_each(async |bench| {
        let people = &bench.accounts.people;
        let mail = bench.sign_up(EMAIL, PASSWORD).await.expect("a mail");
        let token = token(&mail);
        for _ in 0..3 {
            assert!(people.can_verify(token.expose()).await.expect("read"));
        }
        assert!(
            people.reset_is_for(token.expose()).await.expect("read").is_none(),
            "one kind of link is nothing as another"
        );
        people.verify_email(&origin(), token.expose()).await.expect("confirmed");
        assert!(matches!(people.verify_email(&origin(), token.expose()).await, Err(VerifyError::Dead)));
    })
    .await;
}

#[tokio::test]
async fn links_expire() {
    on_each(async |bench| {
        let people = &bench.accounts.people;
        let verify = bench.sign_up(EMAIL, PASSWORD).await.expect("a mail");
        bench.clock.advance(24 * HOUR_MS);
        assert!(!people.can_verify(token(&verify).expose()).await.expect("read"));
        let reset = people.request_reset(&origin(), EMAIL).await.expect("accepted").expect("a mail");
        bench.clock.advance(30 * MINUTE_MS - 1);
        assert!(people.reset_is_for(token(&reset).expose()).await.expect("read").is_some());
        bench.clock.advance(1);
        assert!(people.reset_is_for(token(&reset).expose()).await.expect("read").is_none());
        bench.accounts.sweep().await.expect("swept");
    })
    .await;
}

#[tokio::test]
async fn the_trial_is_due_until_it_is_booked() {
    on_each(async |bench| {
        let people = &bench.accounts.people;
        bench.sign_up("unconfirmed@example.com", PASSWORD).await;
        assert!(people.trials_due(10).await.expect("read").is_empty());
        let owner = bench.owner(EMAIL).await;
        let due = people.trials_due(10).await.expect("read");
        assert_eq!(due, [TrialGrant::of(owner.org_id())]);
        people.trial_granted(&due[0]).await.expect("marked");
        assert!(people.trials_due(10).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn s35_an_unknown_address_costs_the_same_one_check() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        let too_long = "x".repeat(5_000);
        for (email, password) in [
            (EMAIL, "wrong"),
            ("nobody@example.com", PASSWORD),
            ("not an address", PASSWORD),
            ("long@example.com", &too_long),
        ] {
            let before = people.password_checks();
            assert!(refused(&bench, email, password).await.is_none());
            assert_eq!(people.password_checks() - before, 1, "{email}");
        }
    })
    .await;
}

#[tokio::test]
async fn s38_guessing_is_slowed_down_and_the_right_password_waits_too() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        for _ in 0..5 {
            refused(&bench, EMAIL, "wrong").await;
        }
        let checks = people.password_checks();
        refused(&bench, EMAIL, PASSWORD).await;
        assert_eq!(people.password_checks(), checks, "during a wait nothing is checked");
        bench.clock.advance(1_000);
        people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("signed in after the wait");
        refused(&bench, EMAIL, "wrong").await;
        people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("success starts the count anew");
    })
    .await;
}

#[tokio::test]
async fn s38_many_guesses_at_once_gain_nothing() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let before = bench.accounts.people.password_checks();
        let guesses =
            (0..20).map(|n| {
                let people = bench.accounts.people.clone();
                async move {
                    people.sign_in(&origin_at(&format!("198.51.100.{n}")), EMAIL, "wrong").await.is_err()
                }
            });
        let outcomes = futures_util::future::join_all(guesses).await;
        assert!(outcomes.into_iter().all(|refused| refused));
        assert_eq!(bench.accounts.people.password_checks() - before, 5);
    })
    .await;
}

#[tokio::test]
async fn s38_one_network_cannot_try_many_accounts() {
    on_each(async |bench| {
        let people = &bench.accounts.people;
        for n in 0..25 {
            let ip = format!("2001:db8::{n:x}");
            let _ = people.sign_in(&origin_at(&ip), &format!("guess{n}@example.com"), "wrong").await;
        }
        assert_eq!(people.password_checks(), 20);
        let _ = people.sign_in(&origin_at("2001:db8:0:1::1"), "guess@example.com", "wrong").await;
        assert_eq!(people.password_checks(), 21, "the next /64 is another network");
    })
    .await;
}

#[tokio::test]
async fn s45_a_reset_sets_the_password_once_and_tells_its_owner() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        assert!(
            people.request_reset(&origin(), "nobody@example.com").await.expect("the same answer").is_none()
        );
        let older = token(&people.request_reset(&origin(), EMAIL).await.expect("accepted").expect("a mail"));
        let newer = token(&people.request_reset(&origin(), EMAIL).await.expect("accepted").expect("a mail"));
        assert!(matches!(
            people.reset_password(&origin(), older.expose(), NEW_PASSWORD).await,
            Err(ResetError::Dead)
        ));
        let weak = people.reset_password(&origin(), newer.expose(), "too short").await;
        assert!(matches!(weak, Err(ResetError::Password(PasswordProblem::TooShort))));
        let reset = people.reset_password(&origin(), newer.expose(), NEW_PASSWORD).await.expect("reset");
        assert!(matches!(reset.letter.expect("a notice").kind, MailKind::PasswordChanged));
        assert!(matches!(
            people.reset_password(&origin(), newer.expose(), NEW_PASSWORD).await,
            Err(ResetError::Dead)
        ));
        refused(&bench, EMAIL, PASSWORD).await;
        people.sign_in(&origin(), EMAIL, NEW_PASSWORD).await.expect("signed in");
    })
    .await;
}

#[tokio::test]
async fn nobodys_mailbox_is_flooded() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        let mut sent = 0;
        for n in 0..10 {
            let ip = format!("198.51.100.{n}");
            sent +=
                usize::from(people.request_reset(&origin_at(&ip), EMAIL).await.expect("accepted").is_some());
        }
        assert_eq!(sent, 4, "the confirmation was the first of five");
        bench.clock.advance(HOUR_MS);
        assert!(people.request_reset(&origin(), EMAIL).await.expect("accepted").is_some());
    })
    .await;
}

#[tokio::test]
async fn s98_settings_change_what_the_next_request_sees() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        assert_eq!(owner.numbers(), NumberFormat::ByLanguage);
        let profile = Profile {
            name: "Ada L.",
            language: Language::Zh,
            time_zone: "Europe/London",
            numbers: NumberFormat::SpaceComma,
        };
        people.set_profile(&origin(), &owner, profile).await.expect("changed");
        people.rename_org(&origin(), &owner, "Engines").await.expect("renamed");
        let now = people.membership(owner.person_id(), None).await.expect("read").expect("active");
        assert_eq!(
            (now.person_name(), now.language(), now.time_zone(), now.numbers()),
            ("Ada L.", Language::Zh, "Europe/London", NumberFormat::SpaceComma)
        );
        assert_eq!(now.org_name(), "Engines");
        let odd = Profile { time_zone: "../etc/passwd", ..profile };
        assert!(matches!(people.set_profile(&origin(), &owner, odd).await, Err(ProfileError::TimeZone)));
    })
    .await;
}

#[tokio::test]
async fn s08_a_disabled_person_is_nobody_and_the_owner_cannot_be_removed() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        assert!(matches!(people.leave(&origin(), &owner).await, Err(MemberError::LastOwner)));
        people.disable(&origin(), Actor::Host, owner.person_id()).await.expect("disabled");
        assert!(people.membership(owner.person_id(), None).await.expect("read").is_none());
        assert!(refused(&bench, EMAIL, PASSWORD).await.is_none());
        assert!(people.request_reset(&origin(), EMAIL).await.expect("accepted").is_none());
    })
    .await;
}

#[tokio::test]
async fn an_owner_made_on_the_host_is_the_same_one_the_next_time() {
    on_each(async |bench| {
        let demo =
            NewOwner { email: "demo@localhost", name: "Demo", org_name: "Demo", language: Language::En };
        let first = bench.accounts.people.create_owner(demo).await.expect("created");
        let second = bench.accounts.people.create_owner(demo).await.expect("found");
        assert_eq!((first.org_id(), first.member_id()), (second.org_id(), second.member_id()));
        assert!(refused(&bench, "demo@localhost", "").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn s08_s103_a_removed_member_takes_their_keys_along() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let key = bench.accounts.keys.create(&origin(), &owner, NewKey::named("robot")).await.expect("created");
        on_database!(&bench.store, db => {
            sqlx::query(
                "insert into member (id, org_id, service_name, role, created_at_ms) values ('mem_robot', $1, 'robot', 'developer', 0)")
                .bind(owner.org_id()).execute(db).await.expect("a service account");
            sqlx::query("update api_key set member_id = 'mem_robot'").execute(db).await.expect("its key");
        });
        let caller = bench.accounts.keys.identify(key.secret.expose()).await.expect("known");
        assert_eq!(caller.member_name, "robot");
        let people = &bench.accounts.people;
        people.remove_member(&origin(), &owner, "mem_robot").await.expect("removed");
        let refusal = bench.accounts.keys.identify(key.secret.expose()).await;
        assert!(matches!(refusal, Err(KeyRefusal::Revoked)));
        let again = people.remove_member(&origin(), &owner, "mem_robot").await;
        assert!(matches!(again, Err(MemberError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn s40_a_weaker_stored_hash_is_replaced_at_the_next_sign_in() {
    /// The password under half the memory, as an older release might have stored it.
    const WEAKER: &str =
        "$argon2id$v=19$m=9728,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$pNR7RfNzkAoUoro9hrRiPltOpup0iwHNs69eMeAO/8g";
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        on_database!(&bench.store, db => sqlx::query("update person set password_hash = $1").bind(WEAKER).execute(db).await.map(drop))
            .expect("stored");
        bench.accounts.people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("signed in");
        let stored = bytespike_store::person::find(&bench.store, owner.person_id()).await.expect("read").expect("there");
        assert!(stored.password_hash.is_some_and(|hash| hash.contains("m=19456,")));
        bench.accounts.people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("signed in with the newer hash");
    })
    .await;
}

#[tokio::test]
async fn sweeping_removes_what_has_expired_and_nothing_else() {
    on_each(async |bench| {
        bench.sign_up(EMAIL, PASSWORD).await.expect("a mail");
        let rows = async || -> (i64, i64) {
            on_database!(read &bench.store, db => sqlx::query_as(
                "select (select count(*) from one_time_token), (select count(*) from attempt)").fetch_one(db).await)
                .expect("counted")
        };
        let before = rows().await;
        bench.accounts.sweep().await.expect("swept");
        assert_eq!((rows().await, before.0), (before, 1));
        bench.clock.advance(24 * HOUR_MS);
        bench.accounts.sweep().await.expect("swept");
        assert_eq!(rows().await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn an_org_tests_models_twenty_times_in_a_day_and_another_org_has_its_own_twenty() {
    on_each(async |bench| {
        let (ada, lin) = (bench.owner(EMAIL).await, bench.owner("lin@example.com").await);
        let people = &bench.accounts.people;
        for n in 0..MODEL_TESTS_A_DAY {
            assert!(people.takes_model_test(&ada).await.expect("counted"), "test {n}");
        }
        assert!(!people.takes_model_test(&ada).await.expect("counted"), "one more than a day has");
        assert!(people.takes_model_test(&lin).await.expect("counted"), "another org's tests are its own");
        bench.clock.advance(24 * HOUR_MS);
        assert!(people.takes_model_test(&ada).await.expect("counted"), "a day later they are back");
    })
    .await;
}
