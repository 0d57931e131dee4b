//! Whoever changes how their account is guarded is offered to cut off the programs that were let in.

use bytespike_store::{Store, on_database, sqlx};
use bytespike_tests::authenticator::App;
use bytespike_tests::canary;
use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::person::{Form, Person, link_containing};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;

const BOX: &str = "cut_programs";
const SECURITY: &str = "/console/settings/security";

/// A program is let in once more, and the key of the stage is one that it made.
async fn let_in(store: &Store) {
    for sql in [
        "delete from oauth_key",
        "delete from oauth_grant",
        "update api_key set state = 'active'",
        "insert into oauth_grant (id, client_id, client_name, client_place, person_id, org_id, member_id, scopes_json,
             key_bounds_json, ends_at_ms, created_at_ms)
         select 'grt_1', 'dosia-desktop', 'DOSIA', 'here', person_id, org_id, id, '[]', '{}', 9000000000000, created_at_ms
         from member",
        "insert into oauth_key (key_id, grant_id, request_key, body_hash, sealed_until_ms, created_at_ms)
         select id, 'grt_1', 'once', 'hash', 0, created_at_ms from api_key",
        "update change_counter set changes = changes + 1 where name = 'rights'",
    ] {
        on_database!(store, db => sqlx::query(sql).execute(db).await.map(drop)).expect("written");
    }
}

async fn states(store: &Store) -> (String, String) {
    let one = async |sql| rows(store, sql).await[0][0].clone();
    (one("select state from oauth_grant").await, one("select state from api_key").await)
}

async fn form(person: &mut Person, page: &str, part: &str) -> Form {
    let page = person.open(page).await.expect_status(200).text();
    Form::posting_to(&page, part).unwrap_or_else(|| panic!("no form to {part} on {page}"))
}

/// As when the box was unticked: it is not sent.
fn unticked(mut form: Form) -> Form {
    assert_eq!(form.kinds.get(BOX).map(String::as_str), Some("checkbox"));
    form.fields.retain(|(name, _)| name != BOX);
    form
}

fn with_password(form: Form, current: &str, new: &str) -> Form {
    form.set("current_password", current).set("new_password", new)
}

#[tokio::test]
async fn s07_a_new_password_cuts_programs_and_their_keys_off_unless_the_box_is_unticked() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let store = stage.product.database.connect().await;
        let plain = form(&mut stage.person, "/console/settings", "/settings/password").await;
        assert!(!plain.kinds.contains_key(BOX), "nothing was let in, so nothing is offered");
        let_in(&store).await;
        let new = ["a second sentence nobody guesses 72", "a third sentence nobody guesses 73"];
        let change = form(&mut stage.person, "/console/settings", "/settings/password").await;
        let change = with_password(unticked(change), canary::PASSWORD, new[0]);
        let _ = stage.person.submit(&change).await.expect_status(200);
        assert_eq!(states(&store).await, ("active".to_owned(), "active".to_owned()), "they stay");

        let change = form(&mut stage.person, "/console/settings", "/settings/password").await;
        let _ = stage.person.submit(&with_password(change, new[0], new[1])).await.expect_status(200);
        assert_eq!(states(&store).await, ("revoked".to_owned(), "revoked".to_owned()));
        let refused = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
        assert_eq!(refused.status, 401, "the key stopped at once");
        let told = rows(
            &store,
            "select event from audit_event where event in ('oauth.disconnected', 'key.revoked')",
        )
        .await;
        assert_eq!(told.len(), 2);
        store.close().await;
    }
}

#[tokio::test]
async fn s07_so_do_a_reset_a_new_address_and_a_changed_second_factor() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let store = stage.product.database.connect().await;
        let cut = ("revoked".to_owned(), "revoked".to_owned());
        let person = &mut stage.person;

        let_in(&store).await;
        let begin = form(person, SECURITY, "app/begin").await;
        let begun = person.submit(&begin).await.expect_status(200).text();
        let app = App::typed(&begun);
        let on = Form::posting_to(&begun, "security/app").expect("a form").set("code", &app.code(0));
        let _ = person.submit(&on).await.expect_status(200);
        assert_eq!(states(&store).await, cut, "the second factor was turned on");

        let_in(&store).await;
        let off = form(person, SECURITY, "app/off").await;
        let _ = person.submit(&off).await.expect_status(200);
        assert_eq!(states(&store).await, cut, "the second factor was turned off");

        let_in(&store).await;
        let change = form(person, SECURITY, "security/email").await.set("email", "new@example.com");
        let sent = person.submit(&change).await.expect_status(200).text();
        let link = link_containing(&sent, "confirm-email").expect("the link in the letter");
        let confirm = form(person, &link, "confirm-email").await;
        let _ = person.submit(&confirm).await.expect_status(200);
        assert_eq!(states(&store).await, cut, "the address was changed");

        let_in(&store).await;
        let ask = form(person, "/console/forgot", "/console/forgot").await.set("email", "new@example.com");
        let sent = person.submit(&ask).await.expect_status(200).text();
        let link = link_containing(&sent, "/console/reset").expect("the link in the letter");
        let reset = form(person, &link, "/console/reset").await;
        let reset = reset.set("password", "a fourth sentence nobody guesses 74");
        let _ = person.submit(&reset).await.expect_status(200);
        assert_eq!(states(&store).await, cut, "the password was reset");
        store.close().await;
    }
}
