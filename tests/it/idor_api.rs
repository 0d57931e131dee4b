//! The same matrix for `/api/v1`, made from the description that the product serves: each path with an object is asked by
//! nobody, by an admin key of another org, and by a key of ours whose scopes do not reach it. A new path whose object is not
//! named here fails.

use bytespike_store::Store;
use bytespike_tests::database::rows;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::person::Person;
use bytespike_tests::stage::Stage;
use serde_json::{Value, json};

/// Where only an operator's token counts.
const OPERATORS: &str = "/api/v1/operator/";

/// The parts of a path, each with what stands for it: our org's own.
async fn object(store: &Store, path: &str, part: &str) -> String {
    let sql = match (path, part) {
        // Operators' objects belong to no org: a key is refused before anything is looked up.
        (path, _) if path.starts_with(OPERATORS) => return "anything".to_owned(),
        (_, "node") => "select 'mem:' || id from member order by created_at_ms limit 1",
        (_, "limit") => return "month".to_owned(),
        (_, "alert") => return "low_balance".to_owned(),
        (path, "id") if path.starts_with("/api/v1/keys/") => "select id from api_key where name = 'test'",
        (path, "id") if path.starts_with("/api/v1/webhooks/") => "select id from webhook_endpoint",
        (_, "message") => return "whd_nobodys".to_owned(),
        (_, "credential") => {
            "select c.id from api_key_credential c join api_key k on k.id = c.key_id where k.name = 'test'"
        }
        _ => panic!("{path} names an object by {{{part}}}: say here where one of ours comes from"),
    };
    rows(store, sql).await[0][0].clone()
}

/// `GET /api/v1/limits/{node}` with our objects in it; none when it names none.
async fn filled(store: &Store, path: &str) -> Option<String> {
    let mut whole = path.to_owned();
    while let Some((start, rest)) = whole.clone().split_once('{') {
        let (part, rest) = rest.split_once('}').expect("closed");
        whole = format!("{start}{}{rest}", object(store, path, part).await);
    }
    (whole != path).then_some(whole)
}

async fn ask(stage: &Stage, (method, path): (&str, &str), key: Option<&str>) -> Answer {
    let call =
        Call::new(method, stage.product.at(path)).header("content-type", "application/json").body("{}");
    match key {
        Some(key) => call.header("x-api-key", key),
        None => call,
    }
    .send()
    .await
}

#[tokio::test]
async fn s89_whoever_may_not_is_refused_at_every_path_of_the_management_api() {
    let mut stage = Stage::new().await;
    let plain = stage.person.create_key("plain", &[]).await;
    let hooks = stage.person.create_key("hooks", &[("webhooks_manage", "on")]).await;
    let made = json!({ "url": "https://hooks.example.com/" });
    let _ = bytespike_tests::webhooks::ask(&stage, &hooks, ("POST", ""), &made).await.expect_status(201);
    let mut stranger = Person::new(&stage.product, "stranger@example.com");
    stranger.sign_up().await;
    let foreign = stranger
        .create_key("admin", &[("org_admin", "on"), ("limits_manage", "on"), ("webhooks_manage", "on")])
        .await;
    let store = stage.product.database.connect().await;
    let description =
        Call::get(stage.product.at("/api/v1/openapi.json")).send().await.expect_status(200).json();
    let paths = description["paths"].as_object().expect("paths");
    assert!(paths.len() >= 3, "{paths:?}");
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys().map(|method| method.to_uppercase()) {
            let named = filled(&store, path).await;
            let place = (method.as_str(), named.as_deref().unwrap_or(path));
            let needs_key = operations[method.to_lowercase()]["responses"].get("401").is_some();
            let anonymous = ask(&stage, place, None).await;
            assert!(!needs_key || anonymous.status == 401, "nobody's {place:?}: {}", anonymous.status);
            if named.is_none() {
                continue;
            }
            // Each org has its own of these: a stranger who may change theirs does not touch ours.
            let names_ours = !path.contains("{alert}");
            let answer = ask(&stage, place, Some(&foreign)).await;
            if path.starts_with(OPERATORS) {
                assert_eq!(answer.status, 401, "a customer's {place:?}: {}", answer.text());
                continue;
            }
            assert!(
                !names_ours || matches!(answer.status, 403 | 404),
                "a stranger's {place:?}: {}",
                answer.text()
            );
            // Reading the limits on one's own way is everybody's; changing them, or another's key, is not.
            if method != "GET" {
                let answer = ask(&stage, place, Some(&plain)).await;
                assert!(matches!(answer.status, 403 | 404), "a plain key's {place:?}: {}", answer.text());
            }
        }
    }
    let limits: Value = stage.get("/api/v1/limits").await.expect_status(200).json();
    assert!(limits["data"].as_array().is_some_and(|nodes| !nodes.is_empty()), "our own key still reads them");
    store.close().await;
}
