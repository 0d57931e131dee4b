use super::*;
use crate::orgs::Preset;
use crate::testing::{Bench, on_each, origin};
use bytespike_store::sqlx;
use std::collections::BTreeSet;

const SECOND_MS: i64 = 1_000;

async fn key_of(bench: &Bench, email: &str) -> (crate::people::Membership, CreatedKey) {
    let owner = bench.owner(email).await;
    let key = bench.accounts.keys.create(&origin(), &owner, NewKey::named("laptop")).await.expect("created");
    (owner, key)
}

#[tokio::test]
async fn a_new_key_identifies_its_holder() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        let caller = bench.accounts.keys.identify(key.secret.expose()).await.expect("known");
        assert_eq!((caller.org_id.as_str(), caller.member_id.as_str()), (owner.org_id(), owner.member_id()));
        assert_eq!(
            (caller.deployment_id.as_str(), caller.key_path.as_slice()),
            (owner.deployment_id(), &[key.id][..])
        );
        assert_eq!((caller.preset, &caller.models, caller.strict), (Preset::Global, &AllowList::Any, false));
        assert_eq!(caller.scopes, BTreeSet::from(Scope::DEFAULT));
        assert!(key.secret.expose().contains(&caller.credential_id));
    })
    .await;
}

#[tokio::test]
async fn a_key_of_the_right_form_that_nobody_made_is_unknown() {
    on_each(async |bench| {
        let (_, key) = key_of(&bench, "ada@example.com").await;
        let unknown = format::mint(&bench.world, KeyKind::Live);
        assert!(matches!(bench.accounts.keys.identify(unknown.expose()).await, Err(KeyRefusal::Unknown)));
        // The id of a real credential with another secret.
        let real = PresentedKey::parse(key.secret.expose()).expect("a key");
        let forged = format::TokenText::compose("sk-byts-", real.credential_id(), &"0".repeat(32));
        assert!(matches!(bench.accounts.keys.identify(forged.expose()).await, Err(KeyRefusal::Unknown)));
        // The stored verifier is no key.
        let (verifier,): (String,) = bytespike_store::on_database!(read &bench.store, db => sqlx::query_as(
            "select verifier from api_key_credential").fetch_one(db).await)
        .expect("read");
        assert!(matches!(bench.accounts.keys.identify(&verifier).await, Err(KeyRefusal::Malformed(_))));
    })
    .await;
}

#[tokio::test]
async fn s98_s147_revoking_counts_at_once_here_and_within_a_second_elsewhere() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        let elsewhere = bench.other_instance();
        for accounts in [&bench.accounts, &*elsewhere] {
            accounts.keys.identify(key.secret.expose()).await.expect("known before");
        }
        bench.accounts.keys.revoke(&origin(), &owner, &key.id).await.expect("revoked");
        assert!(matches!(bench.accounts.keys.identify(key.secret.expose()).await, Err(KeyRefusal::Revoked)));
        elsewhere
            .keys
            .identify(key.secret.expose())
            .await
            .expect("still believed: nothing told the other instance yet");
        bench.clock.advance(SECOND_MS);
        assert!(matches!(elsewhere.keys.identify(key.secret.expose()).await, Err(KeyRefusal::Revoked)));
    })
    .await;
}

#[tokio::test]
async fn s144_a_database_that_does_not_answer_lets_nobody_in() {
    on_each(async |bench| {
        let (_, key) = key_of(&bench, "ada@example.com").await;
        bench.accounts.keys.identify(key.secret.expose()).await.expect("known before");
        bench.store.close().await;
        bench.clock.advance(SECOND_MS);
        assert!(matches!(
            bench.accounts.keys.identify(key.secret.expose()).await,
            Err(KeyRefusal::Unavailable(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn disabled_keys_come_back_and_ended_keys_do_not() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        let keys = &bench.accounts.keys;
        keys.set_state(&origin(), &owner, &key.id, KeyState::Disabled).await.expect("switched off");
        assert!(matches!(keys.identify(key.secret.expose()).await, Err(KeyRefusal::Disabled)));
        keys.set_state(&origin(), &owner, &key.id, KeyState::Active).await.expect("switched on");
        keys.identify(key.secret.expose()).await.expect("works again");
        keys.revoke(&origin(), &owner, &key.id).await.expect("revoked");
        assert!(matches!(
            keys.set_state(&origin(), &owner, &key.id, KeyState::Active).await,
            Err(KeyError::NotFound)
        ));
        assert!(matches!(
            keys.change(&origin(), &owner, (&key.id, Terms::named("x"))).await,
            Err(KeyError::NotFound)
        ));
        let listed = keys.find(&owner, &key.id).await.expect("read").expect("listed");
        assert_eq!((listed.state, listed.ended_at_ms), (KeyState::Revoked, Some(bench.world.now_ms())));
        keys.delete(&origin(), &owner, &key.id).await.expect("deleted");
        assert!(keys.list(&owner).await.expect("read").is_empty());
        assert!(matches!(keys.identify(key.secret.expose()).await, Err(KeyRefusal::Deleted)));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_derived_below_a_key_that_has_ended() {
    on_each(async |bench| {
        let (owner, top) = key_of(&bench, "ada@example.com").await;
        let keys = &bench.accounts.keys;
        let below =
            |parent: &str| NewKey { parent_key_id: Some(parent.to_owned()), ..NewKey::named("below") };
        let middle = keys.create(&origin(), &owner, below(&top.id)).await.expect("created");
        keys.create(&origin(), &owner, below(&middle.id)).await.expect("created");
        keys.delete(&origin(), &owner, &top.id).await.expect("ended");
        let refused = keys.create(&origin(), &owner, below(&middle.id)).await;
        assert!(matches!(refused, Err(KeyError::NotFound)), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn an_expired_key_is_refused_from_its_last_millisecond_on_even_when_cached() {
    on_each(async |bench| {
        let owner = bench.owner("ada@example.com").await;
        let keys = &bench.accounts.keys;
        let now_ms = bench.world.now_ms();
        let late = NewKey::with(Terms { expires_at_ms: Some(now_ms), ..Terms::named("late") });
        assert!(matches!(keys.create(&origin(), &owner, late).await, Err(KeyError::ExpiresInThePast)));
        let short = NewKey::with(Terms { expires_at_ms: Some(now_ms + 500), ..Terms::named("short") });
        let key = keys.create(&origin(), &owner, short).await.expect("created");
        bench.clock.advance(499);
        keys.identify(key.secret.expose()).await.expect("not yet expired");
        bench.clock.advance(1);
        assert!(matches!(keys.identify(key.secret.expose()).await, Err(KeyRefusal::Expired)));
    })
    .await;
}

#[tokio::test]
async fn s120_lists_show_names_and_last_use_but_never_the_key() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        let keys = &bench.accounts.keys;
        let renamed = (key.id.as_str(), Terms::named(" 生产  key "));
        keys.change(&origin(), &owner, renamed).await.expect("renamed");
        assert_eq!(keys.identify(key.secret.expose()).await.expect("known").key_name, "生产 key");
        keys.write_last_used().await.expect("written");
        let listed = keys.list(&owner).await.expect("read").remove(0);
        assert_eq!(
            (listed.terms.name.as_str(), listed.last_used_at_ms),
            ("生产 key", Some(bench.world.now_ms()))
        );
        assert!(!format!("{listed:?} {key:?}").contains(key.secret.expose()));
        let (id, four) = (&key.secret.expose()[8..12], &key.secret.expose()[54..]);
        assert_eq!(listed.masked, format!("sk-byts-{id}…{four}"));
    })
    .await;
}

#[tokio::test]
async fn last_use_is_written_at_most_once_a_minute() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        let keys = &bench.accounts.keys;
        let first_ms = bench.world.now_ms();
        let mut written = Vec::new();
        for _ in 0..4 {
            keys.identify(key.secret.expose()).await.expect("known");
            keys.write_last_used().await.expect("written");
            let listed = keys.find(&owner, &key.id).await.expect("read").expect("listed");
            written.push(listed.last_used_at_ms.expect("used") - first_ms);
            bench.clock.advance(25 * SECOND_MS);
        }
        assert_eq!(written, [0, 0, 0, 75 * SECOND_MS]);
    })
    .await;
}

#[tokio::test]
async fn s90_another_orgs_keys_are_out_of_reach() {
    on_each(async |bench| {
        let (_, key) = key_of(&bench, "ada@example.com").await;
        let stranger = bench.owner("eve@example.com").await;
        let keys = &bench.accounts.keys;
        assert!(keys.list(&stranger).await.expect("read").is_empty());
        assert!(matches!(keys.revoke(&origin(), &stranger, &key.id).await, Err(KeyError::NotFound)));
        assert!(matches!(
            keys.change(&origin(), &stranger, (&key.id, Terms::named("mine"))).await,
            Err(KeyError::NotFound)
        ));
        keys.identify(key.secret.expose()).await.expect("untouched");
    })
    .await;
}

#[tokio::test]
async fn s103_a_key_stops_with_its_holder() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        bench.accounts.keys.identify(key.secret.expose()).await.expect("known before");
        bench
            .accounts
            .people
            .disable(&origin(), crate::audit::Actor::Host, owner.person_id())
            .await
            .expect("disabled");
        assert!(matches!(
            bench.accounts.keys.identify(key.secret.expose()).await,
            Err(KeyRefusal::HolderInactive)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_derived_key_can_do_no_more_than_its_parent_and_stops_with_it() {
    on_each(async |bench| {
        let owner = bench.owner("ada@example.com").await;
        let keys = &bench.accounts.keys;
        let narrow = NewKey::with(Terms {
            models: AllowList::Only(BTreeSet::from(["a".to_owned(), "b".to_owned()])),
            scopes: BTreeSet::from([Scope::Inference]),
            strict: true,
            expires_at_ms: Some(bench.world.now_ms() + SECOND_MS),
            ..Terms::named("parent")
        });
        let parent = keys.create(&origin(), &owner, narrow).await.expect("created");
        let terms = Terms { scopes: BTreeSet::from([Scope::Inference]), ..Terms::named("child") };
        let child = NewKey { parent_key_id: Some(parent.id.clone()), ..NewKey::with(terms) };
        let child = keys.create(&origin(), &owner, child).await.expect("derived");
        let caller = keys.identify(child.secret.expose()).await.expect("known");
        assert_eq!(caller.key_path, [parent.id.clone(), child.id]);
        assert!(caller.models.allows("a") && !caller.models.allows("c") && caller.strict);
        assert_eq!((caller.scopes.len(), caller.expires_at_ms), (1, Some(bench.world.now_ms() + SECOND_MS)));
        keys.revoke(&origin(), &owner, &parent.id).await.expect("revoked");
        assert!(matches!(keys.identify(child.secret.expose()).await, Err(KeyRefusal::ParentInactive)));
    })
    .await;
}

#[tokio::test]
async fn switching_the_preset_reaches_callers_at_once() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        assert_eq!(
            bench.accounts.keys.identify(key.secret.expose()).await.expect("known").preset,
            Preset::Global
        );
        bench.accounts.people.set_preset(&origin(), &owner, Preset::China).await.expect("switched");
        assert_eq!(
            bench.accounts.keys.identify(key.secret.expose()).await.expect("known").preset,
            Preset::China
        );
    })
    .await;
}

/// In real time, because it is the background reading that is tested: the clock that callers see stands still.
#[tokio::test]
async fn the_background_reading_carries_a_revocation_to_another_instance() {
    on_each(async |bench| {
        let (owner, key) = key_of(&bench, "ada@example.com").await;
        let elsewhere = bench.other_instance();
        elsewhere.keys.identify(key.secret.expose()).await.expect("known before");
        bench.accounts.keys.revoke(&origin(), &owner, &key.id).await.expect("revoked");
        let refused = async {
            while elsewhere.keys.identify(key.secret.expose()).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = elsewhere.run() => unreachable!("it runs until it is dropped"),
            () = refused => {}
            () = tokio::time::sleep(std::time::Duration::from_secs(5)) => panic!("the other instance still lets the key in"),
        }
    })
    .await;
}
