//! Roles, invitations, leaving, deployments and service accounts, on both databases.
use super::*;
use crate::audit::AuditFilter;
use crate::keys::{KeyRefusal, NewKey};
use crate::role::Role;
use crate::secrets::SecretText;
use crate::testing::{Bench, EMAIL, PASSWORD, on_each, origin, token};
use bytespike_store::{on_database, sqlx};

const DAY_MS: i64 = 24 * 3_600_000;
const OTHER: &str = "eve@example.com";

/// Invites the address; answers the token in the mail.
async fn invited(bench: &Bench, by: &Membership, email: &str, role: Role) -> SecretText {
    let people = &bench.accounts.people;
    let issued = people.invite(&origin(), by, (email, role), Language::En).await.expect("invited");
    token(&issued.mail.expect("a mail"))
}

/// Someone with an account of their own who joins the org of `by`; their membership there.
async fn joined(bench: &Bench, by: &Membership, email: &str, role: Role) -> Membership {
    let link = invited(bench, by, email, role).await;
    let own = bench.owner(email).await;
    let people = &bench.accounts.people;
    let org = people.accept_invitation(&origin(), &own, link.expose()).await.expect("joined");
    people.membership(own.person_id(), Some(&org)).await.expect("read").expect("a member")
}

async fn role_of(bench: &Bench, member: &Membership) -> Option<Role> {
    let found = bench.accounts.people.membership(member.person_id(), Some(member.org_id())).await;
    found.expect("read").map(|member| member.role())
}

async fn events(bench: &Bench, member: &Membership) -> Vec<String> {
    let rows =
        bench.accounts.audit.of_org(member.org_id(), &AuditFilter::default(), 100).await.expect("read");
    rows.into_iter().rev().map(|row| row.event).collect()
}

#[tokio::test]
async fn s100_an_invitation_is_for_one_address_once_and_for_seven_days() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        let link = invited(&bench, &owner, "Eve@Example.com", Role::Billing).await;
        let mallory = bench.owner("mallory@example.com").await;
        let stolen = people.accept_invitation(&origin(), &mallory, link.expose()).await;
        assert!(matches!(stolen, Err(InviteError::OtherAddress)));
        assert!(matches!(
            people.invite(&origin(), &owner, (OTHER, Role::Viewer), Language::En).await,
            Err(InviteError::Known)
        ));
        let eve = bench.owner(OTHER).await;
        assert_eq!(people.invitation(link.expose()).await.expect("read").expect("open").role, Role::Billing);
        people.accept_invitation(&origin(), &eve, link.expose()).await.expect("joined");
        assert!(matches!(
            people.accept_invitation(&origin(), &eve, link.expose()).await,
            Err(InviteError::Dead)
        ));
        assert_eq!(people.memberships(eve.person_id()).await.expect("read").len(), 2);
        let late = invited(&bench, &owner, "late@example.com", Role::Viewer).await;
        bench.clock.advance(7 * DAY_MS);
        assert!(people.invitation(late.expose()).await.expect("read").is_none());
        assert!(events(&bench, &owner).await.contains(&"member.joined".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn s100_a_link_dies_when_it_is_replaced_or_revoked_or_its_issuer_loses_the_right() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        let first = invited(&bench, &owner, OTHER, Role::Developer).await;
        let open = people.invitations(&owner).await.expect("read");
        let again =
            people.resend_invitation(&origin(), &owner, &open[0].id, Language::En).await.expect("resent");
        let second = token(&again.mail.expect("a mail"));
        assert!(people.invitation(first.expose()).await.expect("read").is_none());
        assert!(people.invitation(second.expose()).await.expect("read").is_some());
        people.revoke_invitation(&origin(), &owner, &open[0].id).await.expect("revoked");
        assert!(people.invitation(second.expose()).await.expect("read").is_none());

        let admin = joined(&bench, &owner, "admin@example.com", Role::Admin).await;
        let third = invited(&bench, &admin, OTHER, Role::Developer).await;
        people.set_role(&origin(), &owner, admin.member_id(), Role::Developer).await.expect("demoted");
        assert!(people.invitation(third.expose()).await.expect("read").is_none());
        let eve = bench.owner(OTHER).await;
        assert!(matches!(
            people.accept_invitation(&origin(), &eve, third.expose()).await,
            Err(InviteError::Dead)
        ));
    })
    .await;
}

#[tokio::test]
async fn s92_nobody_gives_or_takes_a_role_that_they_do_not_govern() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let admin = joined(&bench, &owner, "admin@example.com", Role::Admin).await;
        let developer = joined(&bench, &owner, "dev@example.com", Role::Developer).await;
        let people = &bench.accounts.people;
        let set = async |by: &Membership, of: &Membership, role: Role| {
            people.set_role(&origin(), by, of.member_id(), role).await.map_err(|error| error.to_string())
        };
        let forbidden = MemberError::Forbidden.to_string();
        for (by, of, role) in [
            (&admin, &developer, Role::Admin),
            (&admin, &developer, Role::Owner),
            (&admin, &admin, Role::Owner),
            (&admin, &owner, Role::Viewer),
            (&developer, &developer, Role::Admin),
        ] {
            assert_eq!(set(by, of, role).await, Err(forbidden.clone()), "{role:?}");
        }
        assert!(matches!(
            people.invite(&origin(), &admin, ("x@example.com", Role::Admin), Language::En).await,
            Err(InviteError::Forbidden)
        ));
        assert!(matches!(
            people.remove_member(&origin(), &admin, owner.member_id()).await,
            Err(MemberError::Forbidden)
        ));
        set(&admin, &developer, Role::Billing).await.expect("below admin");
        assert_eq!(role_of(&bench, &developer).await, Some(Role::Billing));
        let stranger = bench.owner(OTHER).await;
        let foreign = people.set_role(&origin(), &stranger, developer.member_id(), Role::Viewer).await;
        assert!(matches!(foreign, Err(MemberError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_stays_even_when_two_take_each_others_role_at_once() {
    on_each(async |bench| {
        let first = bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        let alone = people.set_role(&origin(), &first, first.member_id(), Role::Admin).await;
        assert!(matches!(alone, Err(MemberError::LastOwner)));
        let second = joined(&bench, &first, OTHER, Role::Owner).await;
        let origin = origin();
        let (one, other) = futures_util::future::join(
            people.set_role(&origin, &first, second.member_id(), Role::Viewer),
            people.set_role(&origin, &second, first.member_id(), Role::Viewer),
        )
        .await;
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        let roles = [role_of(&bench, &first).await, role_of(&bench, &second).await];
        assert_eq!(roles.iter().filter(|role| **role == Some(Role::Owner)).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_org_is_handed_over_in_one_step() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let other = joined(&bench, &owner, OTHER, Role::Developer).await;
        let people = &bench.accounts.people;
        let not_theirs = people.transfer_org(&origin(), &other, owner.member_id()).await;
        assert!(matches!(not_theirs, Err(MemberError::Forbidden)));
        people.transfer_org(&origin(), &owner, other.member_id()).await.expect("handed over");
        let roles = (role_of(&bench, &owner).await, role_of(&bench, &other).await);
        assert_eq!(roles, (Some(Role::Admin), Some(Role::Owner)));
        let twice = people.transfer_org(&origin(), &owner, other.member_id()).await;
        assert!(matches!(twice, Err(MemberError::NotFound)), "on a right that was read before it was lost");
    })
    .await;
}

#[tokio::test]
async fn s103_keys_die_with_the_membership_and_a_return_does_not_revive_them() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let member = joined(&bench, &owner, OTHER, Role::Developer).await;
        let (people, keys) = (&bench.accounts.people, &bench.accounts.keys);
        let key = keys.create(&origin(), &member, NewKey::named("laptop")).await.expect("created");
        keys.identify(key.secret.expose()).await.expect("known");
        people.remove_member(&origin(), &owner, member.member_id()).await.expect("removed");
        assert!(matches!(keys.identify(key.secret.expose()).await, Err(KeyRefusal::Revoked)));
        let own = people.membership(member.person_id(), None).await.expect("read").expect("their own org");
        let link = invited(&bench, &owner, OTHER, Role::Viewer).await;
        people.accept_invitation(&origin(), &own, link.expose()).await.expect("back");
        assert_eq!(role_of(&bench, &member).await, Some(Role::Viewer));
        assert!(matches!(keys.identify(key.secret.expose()).await, Err(KeyRefusal::Revoked)));
        let log = events(&bench, &owner).await;
        let at = |name: &str| log.iter().position(|event| event == name).expect("recorded");
        assert!(at("key.revoked") < at("member.removed"), "{log:?}");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_taken_out_of_their_last_org_signs_in_to_an_empty_one() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        let heir = joined(&bench, &owner, OTHER, Role::Owner).await;
        people.leave(&origin(), &owner).await.expect("left");
        assert!(people.membership(owner.person_id(), None).await.expect("read").is_none());
        let FirstStep::Done(home) = people.sign_in(&origin(), EMAIL, PASSWORD).await.expect("signed in")
        else {
            panic!("a second step was asked for");
        };
        assert!(home.role() == Role::Owner && home.org_id() != heir.org_id());
        let due = people.trials_due(10).await.expect("read");
        let wallet = due.iter().find(|due| due.org_id == home.org_id()).expect("its wallet is opened");
        assert!(!wallet.is_owed, "nobody earns a second trial by leaving");
    })
    .await;
}

#[tokio::test]
async fn an_archived_deployment_takes_its_keys_along_and_the_default_one_stays() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let (people, keys) = (&bench.accounts.people, &bench.accounts.keys);
        let id = people.create_deployment(&origin(), &owner, " 生产 ").await.expect("made");
        let key = keys.create(&origin(), &owner, NewKey::named("web")).await.expect("created");
        on_database!(&bench.store, db => {
            sqlx::query("update api_key set deployment_id = $1").bind(&id).execute(db).await.expect("moved");
        });
        people.rename_deployment(&origin(), &owner, (&id, "production")).await.expect("renamed");
        let shown = people.deployment(&owner, &id).await.expect("read").expect("there");
        assert_eq!((shown.name.as_str(), shown.open_keys), ("production", 1));
        let stranger = bench.owner(OTHER).await;
        for missing in [
            people.archive_deployment(&origin(), &stranger, &id).await,
            people.rename_deployment(&origin(), &stranger, (&id, "mine")).await,
            people.archive_deployment(&origin(), &owner, owner.deployment_id()).await,
        ] {
            assert!(matches!(missing, Err(PlaceError::NotFound)));
        }
        people.archive_deployment(&origin(), &owner, &id).await.expect("archived");
        assert!(matches!(keys.identify(key.secret.expose()).await, Err(KeyRefusal::Revoked)));
        let again = people.archive_deployment(&origin(), &owner, &id).await;
        assert!(matches!(again, Err(PlaceError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn a_service_account_stays_when_whoever_made_it_goes() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let admin = joined(&bench, &owner, OTHER, Role::Admin).await;
        let people = &bench.accounts.people;
        let build = ("nightly build", Role::Developer);
        let id = people.create_service_account(&origin(), &admin, build).await.expect("made");
        let above = people.create_service_account(&origin(), &admin, ("root", Role::Admin)).await;
        assert!(matches!(above, Err(PlaceError::Forbidden)));
        people.remove_member(&origin(), &owner, admin.member_id()).await.expect("removed");
        people.rename_service_account(&origin(), &owner, (&id, "build")).await.expect("renamed");
        let found = people.member(&owner, &id).await.expect("read").expect("still there");
        assert_eq!((found.name.as_str(), found.role, found.is_person()), ("build", Role::Developer, false));
        let owned = people.set_role(&origin(), &owner, &id, Role::Owner).await;
        assert!(matches!(owned, Err(MemberError::Forbidden)), "an org's owner is a person");
        people.remove_member(&origin(), &owner, &id).await.expect("removed");
    })
    .await;
}
