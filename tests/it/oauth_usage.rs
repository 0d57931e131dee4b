//! A program that was let in with `usage:read` reads the usage of that org, as far as its person sees it, at the addresses
//! and with the filters that keys have.

use bytespike_store::{on_database, sqlx};
use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use serde_json::Value;

use crate::oauth::{REDIRECT, VERIFIER, answer_in, authorize, checked, post};

/// An access token with these scopes of whoever this is.
async fn token(stage: &Stage, person: &mut Person, scope: &str) -> String {
    let page = person.open(&authorize(&[("scope", scope)])).await.expect_status(200).text();
    let form = checked(Form::with(&page, "decision_token")).set("scope-usage", "on").set("decision", "allow");
    let back = person.submit_only(&form).await.expect_status(200);
    let code = answer_in(&back.text())["code"].clone();
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("code_verifier", VERIFIER),
        ("client_id", "dosia-desktop"),
        ("redirect_uri", REDIRECT),
    ];
    let answer = post(stage, "/oauth/token", &pairs).await.expect_status(200).json();
    answer["access_token"].as_str().expect("an access token").to_owned()
}

async fn read(stage: &Stage, token: &str, path: &str) -> Answer {
    Call::get(stage.product.at(path)).header("authorization", format!("Bearer {token}")).send().await
}

async fn calls(stage: &Stage, token: &str, more: &str) -> Vec<Value> {
    let list =
        read(stage, token, &format!("/v1/usage/calls?limit=100{more}")).await.expect_status(200).json();
    list["data"].as_array().expect("a list").clone()
}

/// Another person in the stage's org, with a key of their own that has called once.
async fn colleague(stage: &Stage) -> (Person, String) {
    let mut person = Person::new(&stage.product, "developer@example.com");
    person.sign_up().await;
    let store = stage.product.database.connect().await;
    let join = "insert into member (id, org_id, person_id, role, created_at_ms)
        select 'mem_developer', owner.org_id, joining.id, 'developer', 0
        from member owner join person on person.id = owner.person_id and person.email_key = 'someone@example.com',
             person joining where joining.email_key = 'developer@example.com'";
    on_database!(&store, db => sqlx::query(join).execute(db).await.map(drop)).unwrap();
    store.close().await;
    let mut again = Person::new(&stage.product, "developer@example.com");
    again.sign_in().await;
    let key = again.create_key("theirs", &[]).await;
    let speaker = Speaker::OpenAi;
    let _ = speaker.call(&stage.product.url, &key, &speaker.ask(GPT, false)).send().await.expect_status(200);
    (again, key)
}

#[tokio::test]
async fn a_program_reads_what_its_person_sees_with_the_filters_of_keys() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let (mut developer, _) = colleague(&stage).await;
        for _ in 0..2 {
            let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
            let _ = answer.expect_status(200);
        }
        let scope = "profile usage:read";
        let owners = {
            let mut person = Person::new(&stage.product, "someone@example.com");
            person.sign_in().await;
            token(&stage, &mut person, scope).await
        };
        let developers = token(&stage, &mut developer, scope).await;

        // The owner sees the org, the developer their own calls; both with every filter.
        assert_eq!(calls(&stage, &owners, "").await.len(), 3);
        let own = calls(&stage, &developers, "").await;
        assert_eq!((own.len(), &own[0]["member"]), (1, &Value::from("mem_developer")));
        assert_eq!(calls(&stage, &owners, &format!("&model={CLAUDE}")).await.len(), 2);
        assert_eq!(calls(&stage, &owners, "&member=mem_developer&outcome=settled").await.len(), 1);
        assert_eq!(calls(&stage, &developers, "&member=mem_developer").await.len(), 1);
        assert_eq!(calls(&stage, &developers, &format!("&model={CLAUDE}")).await.len(), 0);
        let others = read(&stage, &developers, "/v1/usage/calls?member=mem_other").await;
        assert_eq!(others.status, 403, "{}", others.text());
        let summed = |answer: Answer| answer.expect_status(200).json()["total"]["calls"].clone();
        assert_eq!(summed(read(&stage, &owners, "/v1/usage?group_by=member,model").await), 3);
        assert_eq!(summed(read(&stage, &developers, "/v1/usage?group_by=day").await), 1);
        for path in ["/v1/usage/calls.csv", "/v1/usage/focus.csv"] {
            let lines =
                async |token: &str| read(&stage, token, path).await.expect_status(200).text().lines().count();
            assert_eq!((lines(&owners).await, lines(&developers).await), (4, 2), "{path}");
        }
        let _ = read(&stage, &developers, "/v1/reservations").await.expect_status(200);
        let (mine, theirs) = (
            own[0]["receipt"].as_str().unwrap().to_owned(),
            calls(&stage, &owners, &format!("&model={CLAUDE}")).await,
        );
        let theirs = theirs[0]["receipt"].as_str().unwrap().to_owned();
        assert_eq!(read(&stage, &developers, &mine).await.status, 200);
        assert_eq!(read(&stage, &developers, &theirs).await.status, 404, "another's receipt is none");
        assert_eq!(read(&stage, &owners, &mine).await.status, 200);
        // The month's statement is of the org's money, which no program was let in to.
        assert_eq!(read(&stage, &owners, "/v1/statements").await.status, 401);
    }
}

#[tokio::test]
async fn a_token_without_the_scope_a_dead_one_and_one_of_another_org_read_nothing() {
    let stage = Stage::with(|setup| setup.on(Kind::Sqlite)).await;
    let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
    let receipt = answer.expect_status(200).header("x-receipt-id").to_owned();
    let mut person = Person::new(&stage.product, "someone@example.com");
    person.sign_in().await;
    let without = token(&stage, &mut person, "profile models:read").await;
    let paths =
        ["/v1/usage", "/v1/usage/calls", "/v1/usage/calls.csv", "/v1/usage/focus.csv", "/v1/reservations"];
    for path in paths {
        let refused = read(&stage, &without, path).await;
        let challenge = refused.header("www-authenticate").to_owned();
        assert_eq!(refused.status, 403, "{path}: {}", refused.text());
        assert!(challenge.contains("insufficient_scope") && challenge.contains("usage:read"), "{challenge}");
        let dead = read(&stage, "bs1aAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", path).await;
        assert_eq!(
            (dead.status, dead.json()["error"]["code"].as_str()),
            (401, Some("access_token_invalid")),
            "{path}"
        );
        assert!(dead.header("www-authenticate").contains("oauth-protected-resource"), "{path}");
    }
    // In the dialect that the client speaks.
    for speaker in SPEAKERS {
        let call = Call::get(stage.product.at("/v1/usage")).header("authorization", "Bearer bs1anothing");
        let call =
            if speaker == Speaker::Anthropic { call.header("anthropic-version", "2023-06-01") } else { call };
        assert_eq!(speaker.error(&call.send().await.expect_status(401)).kind, "authentication_error");
    }
    // It opens nothing else, and a key is no token.
    let with = token(&stage, &mut person, "profile usage:read").await;
    let body = Speaker::OpenAi.ask(GPT, false);
    let call = Call::post(stage.product.at("/v1/chat/completions"), &body);
    assert_eq!(call.header("authorization", format!("Bearer {with}")).send().await.status, 401);
    for path in ["/v1/key", "/v1/balance", "/v1/statements", "/api/v1/keys", "/api/v1/limits"] {
        assert_eq!(read(&stage, &with, path).await.status, 401, "{path}");
    }

    // Another org's person reads their own, which is nothing; and a grant that is ended reads nothing at once.
    let mut stranger = Person::new(&stage.product, "stranger@example.com");
    stranger.sign_up().await;
    let foreign = token(&stage, &mut stranger, "profile usage:read").await;
    assert_eq!(calls(&stage, &foreign, "").await.len(), 0);
    assert_eq!(read(&stage, &foreign, &format!("/v1/receipts/{receipt}")).await.status, 404);
    assert_eq!(calls(&stage, &with, "").await.len(), 1);
    let apps = person.open("/console/apps").await.expect_status(200).text();
    let cut = Form::posting_to(&apps, "/disconnect").expect("a way to cut it off");
    let _ = person.submit(&cut).await.expect_status(200);
    let cut = Form::posting_to(&person.open("/console/apps").await.text(), "/disconnect");
    if let Some(cut) = cut {
        let _ = person.submit(&cut).await.expect_status(200);
    }
    assert_eq!(read(&stage, &with, "/v1/usage").await.status, 401, "cut off");
    let metadata = Call::get(stage.product.at("/.well-known/oauth-protected-resource")).send().await.json();
    assert!(
        metadata["scopes_supported"].as_array().is_some_and(|all| all.contains(&Value::from("usage:read")))
    );
}
