//! A NUL in JSON (`\u0000`): in no text that is kept, on either database; what a model is asked goes on as it is.

use bytespike_tests::database::BOTH;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::SPEAKERS;
use bytespike_tests::stage::Stage;
use serde_json::{Value, json};

const BODY: &str = r#"{"name":"a\u0000b"}"#;

/// Every operation of the management API that takes a body.
async fn operations(stage: &Stage) -> Vec<(String, String)> {
    let description =
        Call::get(stage.product.at("/api/v1/openapi.json")).send().await.expect_status(200).json();
    let paths = description["paths"].as_object().expect("paths").clone();
    let mut found = Vec::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            if operation.get("requestBody").is_some_and(Value::is_object) {
                found.push((method.to_uppercase(), path.replace("{node}", "org").replace("{id}", "x")));
            }
        }
    }
    found
}

fn assert_said(answer: &Answer, what: &str) {
    let text = answer.text();
    assert!(answer.status == 400 && text.contains("NUL (\\\\u0000)"), "{what}: {} {text}", answer.status);
}

#[tokio::test]
async fn s70_a_nul_in_json_is_refused_wherever_it_would_be_kept() {
    for kind in BOTH {
        let mut stage = Stage::with(|setup| setup.on(kind)).await;
        let manager = bytespike_tests::keys::manager(&mut stage).await;
        let operations = operations(&stage).await;
        assert!(operations.len() > 10, "{operations:?}");
        for (method, path) in operations {
            let call = Call::new(&method, stage.product.at(&path)).header("x-api-key", &*manager);
            let call = call.header("content-type", "application/json").body(BODY);
            assert_said(&call.send().await, &format!("{method} {path}"));
        }
        let access =
            crate::oauth::tokens(&mut stage).await["access_token"].as_str().expect("a token").to_owned();
        let call = Call::new("POST", stage.product.at("/v1/oauth/keys"));
        let call = call.header("authorization", format!("Bearer {access}")).header("idempotency-key", "1");
        let call = call.header("content-type", "application/json").body(r#"{"label":"a\u0000b"}"#);
        assert_said(&call.send().await, "POST /v1/oauth/keys");
        // A backslash before it makes it six letters.
        let letters = Call::post(stage.product.at("/api/v1/keys"), &json!({ "name": "a\\u0000b" }));
        let _ = letters.header("x-api-key", &*manager).send().await.expect_status(201);
    }
}

#[tokio::test]
async fn a_nul_in_what_a_model_is_asked_reaches_the_provider_and_names_no_model() {
    for kind in BOTH {
        let stage = Stage::with(|setup| setup.on(kind)).await;
        for speaker in SPEAKERS {
            let mut body = speaker.ask(CLAUDE, false);
            body["messages"][0]["content"] = json!("before\0after");
            let _ = stage.ask(speaker, &body).await.expect_status(200);
            let sent = String::from_utf8_lossy(&stage.upstream.last().body).into_owned();
            assert!(sent.contains(r"before\u0000after"), "{sent}");
            let unknown = stage.ask(speaker, &speaker.ask("a\0b", false)).await;
            assert_eq!(unknown.status, 404, "{}", unknown.text());
        }
    }
}
