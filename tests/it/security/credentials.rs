//! No credential opens what another kind is for.

use bytespike_tests::http::Call;
use bytespike_tests::keys::manager;
use bytespike_tests::person::{Form, Person, link_containing};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;

use serde_json::json;

use super::{first_operator_token, token_in};

/// A place where a credential is asked for: how one is presented, what its own kinds get, and what all others get.
struct Door {
    name: &'static str,
    opened_by: &'static [&'static str],
    open: u16,
    closed: u16,
    knock: fn(&str, &str) -> Call,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn bearer(method: &str, url: String, text: &str) -> Call {
    Call::new(method, url).header("authorization", format!("Bearer {text}"))
}

fn refresh(base: &str, text: &str) -> Call {
    let body = format!("grant_type=refresh_token&client_id=dosia-desktop&refresh_token={text}");
    Call::new("POST", format!("{base}/oauth/token")).header("content-type", FORM).body(body)
}

fn code(base: &str, text: &str) -> Call {
    let body = format!(
        "grant_type=authorization_code&client_id=dosia-desktop&code={text}&code_verifier={}&redirect_uri={}",
        crate::oauth::VERIFIER,
        "http%3A%2F%2F127.0.0.1%3A51004%2Fcallback"
    );
    Call::new("POST", format!("{base}/oauth/token")).header("content-type", FORM).body(body)
}

fn device(base: &str, text: &str) -> Call {
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let body = format!("grant_type={grant}&client_id=dosia-desktop&device_code={text}");
    Call::new("POST", format!("{base}/oauth/token")).header("content-type", FORM).body(body)
}

fn message(base: &str, text: &str) -> Call {
    Speaker::Anthropic.call(base, text, &Speaker::Anthropic.ask(CLAUDE, false))
}

/// The page behind the link of a letter.
fn page(name: &'static str, opened_by: &'static [&'static str], knock: fn(&str, &str) -> Call) -> Door {
    Door { name, opened_by, open: 200, closed: 422, knock }
}

fn doors() -> Vec<Door> {
    let keys: &[&str] = &["key", "management key"];
    vec![
        Door { name: "call", opened_by: &["key"], open: 200, closed: 401, knock: message },
        Door {
            name: "key in x-api-key",
            opened_by: keys,
            open: 200,
            closed: 401,
            knock: |base, text| Call::get(format!("{base}/v1/key")).header("x-api-key", text),
        },
        Door {
            name: "key as bearer",
            opened_by: keys,
            open: 200,
            closed: 401,
            knock: |base, text| bearer("GET", format!("{base}/v1/key"), text),
        },
        Door {
            name: "key in x-goog-api-key",
            opened_by: keys,
            open: 200,
            closed: 401,
            knock: |base, text| Call::get(format!("{base}/v1/key")).header("x-goog-api-key", text),
        },
        Door {
            name: "key in the address",
            opened_by: keys,
            open: 200,
            closed: 401,
            knock: |base, text| Call::get(format!("{base}/v1/key?key={text}")),
        },
        Door {
            name: "management of keys",
            opened_by: &["management key"],
            open: 201,
            closed: 401,
            knock: |base, text| {
                Call::post(format!("{base}/api/v1/keys"), &json!({"name": "made"})).header("x-api-key", text)
            },
        },
        Door {
            name: "session",
            opened_by: &["session"],
            open: 200,
            closed: 303,
            knock: |base, text| {
                Call::get(format!("{base}/console/keys")).header("cookie", format!("bs_sid={text}"))
            },
        },
        Door {
            name: "access",
            opened_by: &["access token"],
            open: 200,
            closed: 401,
            knock: |base, text| bearer("GET", format!("{base}/v1/me"), text),
        },
        Door {
            name: "making keys",
            opened_by: &["access token"],
            open: 200,
            closed: 401,
            knock: |base, text| bearer("GET", format!("{base}/v1/oauth/keys"), text),
        },
        Door {
            name: "operator",
            opened_by: &["operator token"],
            open: 200,
            closed: 401,
            knock: |base, text| bearer("GET", format!("{base}/api/v1/operator/wallets"), text),
        },
        Door {
            name: "first operator",
            opened_by: &["first operator token"],
            open: 200,
            closed: 404,
            knock: |base, text| Call::get(format!("{base}/admin/first?token={text}")),
        },
        page("reset", &["reset token"], |base, text| Call::get(format!("{base}/console/reset?token={text}"))),
        page("verification", &["verification token"], |base, text| {
            Call::get(format!("{base}/console/verify?token={text}"))
        }),
        page("invitation", &["invitation"], |base, text| {
            Call::get(format!("{base}/console/invitation?token={text}"))
        }),
        // What these open is used up, so they are knocked at by their own last.
        Door { name: "device", opened_by: &[], open: 200, closed: 400, knock: device },
        Door { name: "code", opened_by: &["authorization code"], open: 200, closed: 400, knock: code },
        Door { name: "refresh", opened_by: &["refresh token"], open: 200, closed: 400, knock: refresh },
    ]
}

/// One live credential of each kind.
pub(super) async fn credentials(stage: &mut Stage) -> Vec<(&'static str, String)> {
    let (made, said) = stage.product.command(&["operator-token", "create", "test"], &[]).await;
    assert!(made, "{said}");
    let operator = said.split_whitespace().find(|word| word.starts_with("sk-byts-op-")).expect("a token");
    let tokens = crate::oauth::tokens(stage).await;
    let device = crate::oauth::device_code(stage).await;
    let code = crate::oauth::code(stage).await;
    let management = manager(stage).await;
    let invitation = token_in(&stage.person.invite("later@example.com", "viewer").await);
    let mut forgetful = Person::new(&stage.product, &stage.person.email);
    let page = forgetful.open("/console/forgot").await.text();
    let sent = forgetful.submit(&Form::with(&page, "email").set("email", &stage.person.email)).await.text();
    let reset = token_in(&link_containing(&sent, "reset?token=").expect("a link"));
    let mut newcomer = Person::new(&stage.product, "newcomer@example.com");
    let form = Form::with(&newcomer.open("/console/sign-up").await.text(), "password")
        .set("email", "newcomer@example.com")
        .set("password", bytespike_tests::canary::PASSWORD);
    let verify = token_in(&link_containing(&newcomer.submit(&form).await.text(), "verify").expect("a link"));
    let settings = stage.person.open("/console/settings").await.text();
    let csrf = Form::with(&settings, "language").fields;
    let csrf = csrf.into_iter().find(|(name, _)| name == "csrf").expect("a token").1;
    let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    vec![
        ("session", stage.person.cookies["bs_sid"].clone()),
        ("form token", csrf),
        ("key", stage.key.clone()),
        ("management key", management),
        ("access token", text("access_token")),
        ("refresh token", text("refresh_token")),
        ("authorization code", code),
        ("device code", device),
        ("invitation", invitation),
        ("reset token", reset),
        ("verification token", verify),
        ("operator token", operator.to_owned()),
        ("first operator token", first_operator_token(&stage.product)),
        ("nothing at all", "x".to_owned()),
    ]
}

#[tokio::test]
async fn s10_s95_each_credential_opens_its_own_door_and_no_other() {
    let mut stage = Stage::new().await;
    let credentials = credentials(&mut stage).await;
    for door in doors() {
        let (own, others): (Vec<_>, Vec<_>) =
            credentials.iter().partition(|(kind, _)| door.opened_by.contains(kind));
        assert_eq!(own.len(), door.opened_by.len(), "{}", door.name);
        for (kind, text) in others {
            let answer = (door.knock)(&stage.product.url, text).send().await;
            let closed = closed(&door, kind);
            assert_eq!(answer.status, closed, "a {kind} at {}: {}", door.name, answer.text());
            // A page's links lead to itself, so an address stands on the page it opened; the API has no reason to repeat.
            let repeats = text.len() > 1 && answer.text().contains(text.as_str());
            assert!(!repeats || !matches!(door.closed, 400 | 401), "{} repeats a {kind}", door.name);
        }
        for (kind, text) in own {
            let answer = (door.knock)(&stage.product.url, text).send().await;
            assert_eq!(answer.status, door.open, "its own {kind} at {}: {}", door.name, answer.text());
        }
    }
}

/// Keys are of one kind with different scopes: at each other's door they are known, and may not.
fn closed(door: &Door, kind: &str) -> u16 {
    match (door.name, kind) {
        ("management of keys", "key") | ("call", "management key") => 403,
        _ => door.closed,
    }
}

#[tokio::test]
async fn s95_without_a_credential_nothing_that_writes_is_reached() {
    let stage = Stage::new().await;
    let sent = stage.upstream.requests().len();
    for (method, path) in [
        ("POST", "/v1/messages"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/messages/count_tokens"),
        ("POST", "/v1/oauth/keys"),
        ("DELETE", "/v1/oauth/keys/key_1"),
        ("POST", "/api/v1/keys"),
        ("DELETE", "/api/v1/keys/key_1"),
        ("POST", "/api/v1/operator/wallets/org_1/credits"),
        ("POST", "/api/v1/operator/wallets/org_1/freeze"),
    ] {
        for credential in [
            None,
            Some(("x-api-key", "")),
            Some(("authorization", "Bearer ")),
            Some(("authorization", "Bearer null")),
        ] {
            let call = Call::new(method, stage.product.at(path))
                .header("content-type", "application/json")
                .body(Speaker::OpenAi.ask(CLAUDE, false).to_string());
            let call = match credential {
                Some((name, value)) => call.header(name, value),
                None => call,
            };
            let answer = call.send().await;
            assert_eq!(answer.status, 401, "{method} {path} {credential:?}: {}", answer.text());
        }
    }
    assert_eq!(stage.upstream.requests().len(), sent, "no provider was asked");
}

#[tokio::test]
async fn s104_a_token_acts_in_the_org_it_was_given_for_whatever_its_person_looks_at() {
    let mut stage = Stage::new().await;
    let tokens = crate::oauth::tokens(&mut stage).await;
    let access = tokens["access_token"].as_str().expect("a token").to_owned();
    let store = stage.product.database.connect().await;
    let orgs = "select id from org order by created_at_ms, id";
    let first = bytespike_tests::database::rows(&store, orgs).await[0][0].clone();
    assert_eq!(stage.person.post("/console/orgs", &[("name", "Second")]).await.status, 303);
    let page = stage.person.open("/console/keys").await.expect_status(200).text();
    assert!(page.contains("Second"), "the person looks at the second one");
    let make = Call::post(stage.product.at("/v1/oauth/keys"), &serde_json::json!({"label": "laptop"}));
    let made = make
        .header("authorization", format!("Bearer {access}"))
        .header("idempotency-key", "once")
        .send()
        .await;
    let key = made.expect_status(201).json()["key"].as_str().expect("a key").to_owned();
    let key_orgs = "select distinct org_id from api_key";
    assert_eq!(
        bytespike_tests::database::rows(&store, key_orgs).await,
        [[first]],
        "no key of the second org was made"
    );
    store.close().await;
    let answer = Speaker::Anthropic
        .call(&stage.product.url, &key, &Speaker::Anthropic.ask(CLAUDE, false))
        .send()
        .await;
    let _ = answer.expect_status(200);
}
