//! Sign in with ByteSpike as a program sees it over HTTP: metadata, the browser's way through the decision, tokens, and a
//! key that calls a model.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use serde_json::{Value, json};

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:51004/callback";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn encode(pairs: &[(&str, &str)]) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    let text = |text: &str| text.bytes().map(byte).collect::<String>();
    pairs.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect::<Vec<_>>().join("&")
}

pub(crate) fn authorize(more: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "dosia-desktop"),
        ("redirect_uri", REDIRECT),
        ("scope", "profile models:read keys:provision offline_access"),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    pairs.extend(more);
    format!("/oauth/authorize?{}", encode(&pairs))
}

/// What a page that goes back to the program carries.
pub(crate) fn answer_in(page: &str) -> std::collections::BTreeMap<String, String> {
    let (_, rest) = page.split_once("0; url=").unwrap_or_else(|| panic!("no way back on {page}"));
    let address = rest.split('"').next().unwrap_or_default().replace("&amp;", "&");
    assert!(address.starts_with(REDIRECT), "{address}");
    let query = address.split_once('?').expect("an answer").1.to_owned();
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

pub(crate) async fn post(stage: &Stage, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let url = format!("{}{path}", stage.product.url);
    let form = "application/x-www-form-urlencoded";
    Call::new("POST", url).header("content-type", form).body(encode(pairs)).send().await
}

/// A code that `dosia-desktop` may redeem.
pub(crate) async fn code(stage: &mut Stage) -> String {
    let page = stage.person.open(&authorize(&[])).await.expect_status(200).text();
    let form = Form::with(&page, "decision_token").set("decision", "allow");
    let back = stage.person.submit_only(&checked(form)).await.expect_status(200);
    let answer = answer_in(&back.text());
    assert_eq!(
        (answer["state"].as_str(), answer["iss"].as_str()),
        ("xyz", stage.product.url.as_str()),
        "N50"
    );
    answer["code"].clone()
}

/// A page's form sends only boxes that are ticked; these are.
pub(crate) fn checked(form: Form) -> Form {
    ["scope-profile", "scope-models", "scope-keys", "scope-stay"]
        .into_iter()
        .fold(form, |form, name| form.set(name, "on"))
}

/// A device code that nobody has decided about.
pub(crate) async fn device_code(stage: &Stage) -> String {
    let asked = [("client_id", "dosia-desktop"), ("scope", "profile keys:provision")];
    let codes = post(stage, "/oauth/device_authorization", &asked).await.expect_status(200).json();
    codes["device_code"].as_str().expect("a device code").to_owned()
}

/// An access and a refresh token of `dosia-desktop`.
pub(crate) async fn tokens(stage: &mut Stage) -> Value {
    let code = code(stage).await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("client_id", "dosia-desktop"),
        ("redirect_uri", REDIRECT),
    ];
    let answer = post(stage, "/oauth/token", &pairs).await.expect_status(200);
    assert_eq!(answer.maybe("cache-control"), Some("no-store"));
    answer.json()
}

fn bearer(method: &str, stage: &Stage, path: &str, token: &str) -> Call {
    Call::new(method, format!("{}{path}", stage.product.url))
        .header("authorization", format!("Bearer {token}"))
}

#[tokio::test]
async fn a_program_signs_in_makes_itself_a_key_within_its_bounds_and_calls_a_model() {
    let mut stage = Stage::new().await;
    let tokens = tokens(&mut stage).await;
    let access = tokens["access_token"].as_str().expect("an access token").to_owned();
    assert_eq!(tokens["authorization_details"][0]["spend_limit"]["amount"], "10.000000000", "{tokens}");

    let make = |request_key: &str, body: Value| {
        bearer("POST", &stage, "/v1/oauth/keys", &access)
            .header("idempotency-key", request_key.to_owned())
            .header("content-type", "application/json")
            .body(body.to_string())
    };
    let wide = make("wide", json!({ "spend_limit": { "amount": "11" } })).send().await;
    assert_eq!(wide.status, 422, "N45: {}", wide.text());
    let body =
        json!({ "label": "DOSIA on anna-laptop", "client_instance": "3f9c", "replace_instance": true });
    let made = make("first", body.clone()).send().await.expect_status(201).json();
    let again = make("first", body).send().await.expect_status(200).json();
    assert_eq!(made, again, "a lost answer is given again");
    assert_eq!(make("first", json!({})).send().await.status, 409, "N46");
    assert_eq!(make("second", json!({})).send().await.status, 403, "N45");

    let key = made["key"].as_str().expect("the key");
    assert_eq!(made["limits"][0]["limit_credits"], "10000000.000", "{made}");
    let anthropic = made["provider"]["endpoints"]["anthropic"].as_str().expect("an address");
    let call = Call::post(format!("{anthropic}/v1/messages"), &Speaker::Anthropic.ask(CLAUDE, false));
    let answer = call.header("x-api-key", key).header("anthropic-version", "2023-06-01").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.maybe("x-quota-remaining-credits").is_some(), "its limit counts");

    let can = bearer("GET", &stage, "/v1/account/capabilities", &access).send().await;
    let (can, with_key) = (
        can.expect_status(200).json(),
        bearer("GET", &stage, "/v1/account/capabilities", key).send().await.expect_status(200).json(),
    );
    for seen in [&can, &with_key] {
        let models = seen["models"].as_array().expect("models");
        assert!(models.iter().any(|model| model["id"] == CLAUDE), "{seen}");
        assert!(!seen.to_string().contains(key));
    }
    assert_eq!(with_key["limits"][0]["window"], "month");
    let me = bearer("GET", &stage, "/v1/me", &access).send().await.expect_status(200).json();
    assert_eq!(me["client_id"], "dosia-desktop");

    let apps = stage.person.open("/console/apps").await.expect_status(200).text();
    assert!(apps.contains("DOSIA"));
    let cut = Form::posting_to(&apps, "/disconnect").expect("a way to cut it off").set("keys", "on");
    let _ = stage.person.submit(&cut).await.expect_status(200);
    assert_eq!(bearer("GET", &stage, "/v1/me", &access).send().await.status, 401);
    let refused = Call::post(format!("{anthropic}/v1/messages"), &Speaker::Anthropic.ask(CLAUDE, false));
    assert_eq!(refused.header("x-api-key", key).send().await.status, 401);
    let refresh = tokens["refresh_token"].as_str().expect("it may stay connected");
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "dosia-desktop")];
    let dead = post(&stage, "/oauth/token", &pairs).await.expect_status(400).json();
    assert_eq!(dead["error"], "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_everything_it_ever_gave() {
    let mut stage = Stage::new().await;
    let first = tokens(&mut stage).await;
    let refresh = async |stage: &Stage, token: &Value| {
        let token = token["refresh_token"].as_str().expect("a refresh token");
        post(
            stage,
            "/oauth/token",
            &[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "dosia-desktop")],
        )
        .await
    };
    let second = refresh(&stage, &first).await.expect_status(200).json();
    let access = second["access_token"].as_str().expect("an access token");
    assert_eq!(bearer("GET", &stage, "/v1/me", access).send().await.status, 200);
    assert_eq!(refresh(&stage, &first).await.expect_status(400).json()["error"], "invalid_grant");
    assert_eq!(bearer("GET", &stage, "/v1/me", access).send().await.status, 401);
    assert_eq!(refresh(&stage, &second).await.status, 400);
}

#[tokio::test]
async fn a_device_without_a_browser_waits_for_its_person() {
    let mut stage = Stage::new().await;
    let asked = [("client_id", "dosia-desktop"), ("scope", "profile keys:provision")];
    let codes = post(&stage, "/oauth/device_authorization", &asked).await.expect_status(200).json();
    let device = codes["device_code"].as_str().expect("a device code").to_owned();
    let poll = [("grant_type", DEVICE_GRANT), ("device_code", &device), ("client_id", "dosia-desktop")];
    let waiting = post(&stage, "/oauth/token", &poll).await.expect_status(400).json();
    assert_eq!(waiting["error"], "authorization_pending");

    let complete = codes["verification_uri_complete"].as_str().expect("an address");
    let page = stage.person.open(complete).await.expect_status(200).text();
    let enter = Form::posting_to(&page, "/device").expect("the form for the code");
    assert!(
        enter
            .fields
            .iter()
            .any(|(name, value)| name == "code" && value == codes["user_code"].as_str().unwrap())
    );
    let shown = stage.person.submit_only(&enter).await.expect_status(200).text();
    assert!(shown.contains("127.0.0.1"), "where it was asked from is shown");
    let wrong = Form::with(&shown, "decision_token").set("decision_token", "0.0").set("decision", "allow");
    assert_eq!(stage.person.submit_only(&checked(wrong)).await.status, 403, "N21");
    let allow = Form::with(&shown, "decision_token").set("decision", "allow");
    let _ = stage.person.submit_only(&checked(allow)).await.expect_status(200);
    // The first question came a moment ago: asking again at once is too soon, and says so until the code is decided.
    let tokens = post(&stage, "/oauth/token", &poll).await.expect_status(200).json();
    assert_eq!(tokens["scope"], "profile keys:provision");
    assert!(tokens["refresh_token"].is_null());
}

#[tokio::test]
async fn n28_to_n31_n44_the_token_endpoint_takes_one_form_from_one_program() {
    let mut stage = Stage::new().await;
    let code = code(&mut stage).await;
    let good = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
        ("client_id", "dosia-desktop"),
    ];
    let url = format!("{}/oauth/token", stage.product.url);
    let form = "application/x-www-form-urlencoded";
    let json = Call::post(&url, &json!({ "grant_type": "authorization_code" })).send().await;
    assert_eq!(json.expect_status(400).json()["error"], "invalid_request", "N28: JSON");
    assert_eq!(Call::get(&url).send().await.status, 405, "N28: GET");
    let in_query = Call::new("POST", format!("{url}?{}", encode(&good)))
        .header("content-type", form)
        .body("")
        .send()
        .await;
    assert_eq!(in_query.expect_status(400).json()["error"], "invalid_request", "N28: in the address");
    for grant in ["password", "client_credentials", "implicit"] {
        let pairs =
            [("grant_type", grant), ("client_id", "dosia-desktop"), ("username", "a"), ("password", "b")];
        let answer = post(&stage, "/oauth/token", &pairs).await.expect_status(400).json();
        assert_eq!(answer["error"], "unsupported_grant_type", "N29 {grant}");
    }
    let both = Call::new("POST", &url)
        .header("content-type", form)
        .header("authorization", "Basic ZG9zaWEtZGVza3RvcDp4")
        .body(encode(&[&good[..], &[("client_secret", "x")]].concat()));
    assert_eq!(both.send().await.expect_status(400).json()["error"], "invalid_request", "N30");
    let twice =
        post(&stage, "/oauth/token", &[&good[..], &good[..1]].concat()).await.expect_status(400).json();
    assert_eq!(twice["error"], "invalid_request", "N31");
    let with_key = Call::new("POST", &url)
        .header("content-type", form)
        .header("authorization", format!("Bearer {}", stage.key))
        .body(encode(&good));
    let with_key = with_key.send().await.expect_status(401);
    assert!(
        with_key.maybe("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic")),
        "N44"
    );
    let basic = Call::new("POST", &url)
        .header("content-type", form)
        .header("authorization", "Basic bm9ib2R5Ong=")
        .body(encode(&good[..3]));
    assert_eq!(basic.send().await.expect_status(401).json()["error"], "invalid_client");
    let _ = post(&stage, "/oauth/token", &good).await.expect_status(200);
}

#[tokio::test]
async fn s10_n42_n44_credentials_do_not_cross() {
    let mut stage = Stage::new().await;
    let tokens = tokens(&mut stage).await;
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let in_query = Call::get(format!("{}/v1/me?access_token={access}", stage.product.url)).send().await;
    assert_eq!(in_query.status, 401, "N42");
    let challenge = in_query.maybe("www-authenticate").expect("a challenge").to_owned();
    assert!(
        challenge.contains("/.well-known/oauth-protected-resource/v1")
            && challenge.contains("scope=\"profile\"")
    );
    assert_eq!(bearer("GET", &stage, "/v1/me", refresh).send().await.status, 401);
    assert_eq!(bearer("GET", &stage, "/v1/me", &stage.key).send().await.status, 401, "N44");
    let call =
        Call::post(format!("{}/v1/messages", stage.product.url), &Speaker::Anthropic.ask(CLAUDE, false));
    assert_eq!(
        call.header("authorization", format!("Bearer {access}")).send().await.status,
        401,
        "a token is no key"
    );
    let cookie =
        Call::get(format!("{}/console", stage.product.url)).header("cookie", format!("bs_sid={access}"));
    assert_eq!(cookie.send().await.status, 303, "N44: a token is no session");
    let usage = Call::post(format!("{}/oauth/introspect", stage.product.url), &json!({}));
    assert_eq!(usage.send().await.status, 400);
    let public =
        post(&stage, "/oauth/introspect", &[("client_id", "dosia-desktop"), ("token", access)]).await;
    assert_eq!(public.status, 401, "N37");
    assert_eq!(post(&stage, "/oauth/introspect", &[("token", access)]).await.status, 400, "N37");
}

#[tokio::test]
async fn n47_n48_metadata_names_the_configured_issuer_and_authorize_is_closed_to_scripts() {
    let stage = Stage::new().await;
    let base = &stage.product.url;
    let forged = Call::get(format!("{base}/.well-known/oauth-authorization-server"))
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let metadata = forged.send().await.expect_status(200);
    assert_eq!(metadata.maybe("access-control-allow-origin"), Some("*"));
    let metadata = metadata.json();
    assert_eq!(metadata["issuer"], base.as_str());
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    for (name, value) in metadata.as_object().expect("an object") {
        let is_address = name.ends_with("_endpoint");
        assert!(
            !is_address || value.as_str().is_some_and(|address| address.starts_with(base.as_str())),
            "{name}"
        );
    }
    let resource = Call::get(format!("{base}/.well-known/oauth-protected-resource/v1")).send().await;
    let resource = resource.expect_status(200).json();
    assert_eq!(resource["authorization_servers"], json!([base]));
    assert_eq!(resource["resource"], format!("{base}/v1"));
    let preflight = Call::new("OPTIONS", format!("{base}/oauth/authorize"))
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "GET");
    assert!(preflight.send().await.maybe("access-control-allow-origin").is_none(), "N48");
    assert_eq!(Call::get(format!("{base}/.well-known/openid-configuration")).send().await.status, 404);
}

#[tokio::test]
async fn s23_s32_s62_n20_n21_n22_a_decision_is_made_by_whoever_is_signed_in_on_a_page_nobody_can_frame() {
    let mut stage = Stage::new().await;
    let mut stranger = Person::new(&stage.product, "stranger@example.com");
    let quiet = Call::get(format!("{}{}", stage.product.url, authorize(&[("prompt", "none")]))).send().await;
    let place = quiet.maybe("location").expect("the program is told").to_owned();
    assert!(
        place.starts_with(REDIRECT)
            && place.contains("error=login_required")
            && place.matches("iss=").count() == 1,
        "N20"
    );
    let asked = stranger.open(&authorize(&[])).await.expect_status(200).text();
    assert!(asked.contains("name=\"password\""), "a stranger signs in first");

    let page = stage.person.open(&authorize(&[])).await.expect_status(200);
    assert_eq!(page.maybe("x-frame-options"), Some("DENY"), "N22");
    assert!(
        page.maybe("content-security-policy").is_some_and(|policy| policy.contains("frame-ancestors 'none'"))
    );
    let form = checked(Form::with(&page.text(), "decision_token").set("decision", "allow"));
    for forged in [
        form.clone().set("csrf", "0.0"),
        form.clone().set("decision_token", "0.0"),
        form.clone().set("request", "other"),
    ] {
        assert_eq!(stage.person.submit_only(&forged).await.status, 403, "N21");
    }
    let back = stage.person.submit_only(&form).await.expect_status(200);
    let policy = back.maybe("content-security-policy").expect("a policy").to_owned();
    assert!(policy.contains("form-action 'none'") && back.maybe("referrer-policy") == Some("no-referrer"));
    assert_eq!(stage.person.submit_only(&form).await.status, 409, "N21: twice");
    let denied = stage.person.open(&authorize(&[])).await.expect_status(200).text();
    let deny = Form::with(&denied, "decision_token").set("decision", "deny");
    let back = stage.person.submit_only(&deny).await.expect_status(200).text();
    assert_eq!(answer_in(&back)["error"], "access_denied");
    let page = stage
        .person
        .open(&authorize(&[("redirect_uri", "https://evil.example/cb")]))
        .await
        .expect_status(400)
        .text();
    assert!(!page.contains("evil.example"), "S-32: where it wanted to go is not even shown");
}

#[tokio::test]
async fn an_org_registers_a_program_of_its_own_and_its_service_checks_tokens() {
    let mut stage = Stage::new().await;
    let page = stage.person.open("/console/apps/programs/new").await.expect_status(200).text();
    let form = Form::with(&page, "redirect_uris")
        .set("name", "Dashboard")
        .set("confidential", "on")
        .set("resource_server", "on");
    let refused =
        stage.person.submit_only(&form.clone().set("redirect_uris", "http://app.example.com/cb")).await;
    assert_eq!(refused.status, 422);
    let made = stage
        .person
        .submit_only(&form.set("redirect_uris", "https://app.example.com/cb"))
        .await
        .expect_status(200)
        .text();
    let value = |id: &str| {
        let (_, rest) =
            made.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id} on {made}"));
        let (_, rest) = rest.split_once('>').expect("the end of the tag");
        rest.split('<').next().expect("a value").to_owned()
    };
    let (id, secret) = (value("client_id"), value("secret"));
    let tokens = tokens(&mut stage).await;
    let access = tokens["access_token"].as_str().unwrap();
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    let ask = async |token: &str| {
        Call::new("POST", format!("{}/oauth/introspect", stage.product.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {basic}"))
            .body(encode(&[("token", token)]))
            .send()
            .await
            .expect_status(200)
            .json()
    };
    let seen = ask(access).await;
    assert_eq!((&seen["active"], &seen["client_id"]), (&json!(true), &json!("dosia-desktop")));
    assert_eq!(ask("bs1anothing").await, json!({ "active": false }));
}
