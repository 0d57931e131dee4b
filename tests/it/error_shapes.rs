//! Errors of the gateway's own, in the dialect of the route that was called.

use bytespike_tests::http::Call;
use bytespike_tests::product::{CLAUDE, COSTLY};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_without_a_valid_key_is_401() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        let url = stage.product.at(speaker.path());
        let body = speaker.ask(CLAUDE, false);
        let almost = format!("{}x", &stage.key[..stage.key.len() - 1]);
        for call in [
            Call::post(&url, &body),
            Call::post(&url, &body).header("x-api-key", "sk-byts-wrong"),
            Call::post(&url, &body).header("authorization", format!("Bearer {almost}")),
        ] {
            let answer = call.send().await.expect_status(401);
            let error = speaker.error(&answer);
            assert_eq!(error.kind, "authentication_error");
            assert!(!error.message.contains(&almost), "a presented key is not repeated");
            assert!(answer.maybe("x-receipt-id").is_none(), "nothing was held");
        }
    }
    assert!(stage.upstream.requests().is_empty());
}

#[tokio::test]
async fn the_first_valid_key_among_several_credentials_is_the_caller() {
    let stage = Stage::new().await;
    let url = stage.product.at("/v1/messages");
    let body = Speaker::Anthropic.ask(CLAUDE, false);
    let bearer = format!("Bearer {}", stage.key);
    let calls = [
        Call::post(&url, &body).header("x-api-key", "junk").header("authorization", bearer),
        Call::post(&url, &body).header("authorization", "Bearer junk").header("x-goog-api-key", &*stage.key),
    ];
    for call in calls {
        let _ = call.send().await.expect_status(200);
    }
}

#[tokio::test]
async fn an_unknown_model_is_404_and_an_unpayable_call_402() {
    let stage = Stage::new().await;
    for (speaker, unknown, unpayable) in [
        (Speaker::Anthropic, "not_found_error", "billing_error"),
        (Speaker::OpenAi, "invalid_request_error", "insufficient_quota"),
    ] {
        let error =
            speaker.error(&stage.ask(speaker, &speaker.ask("no-such-model", false)).await.expect_status(404));
        assert_eq!(error.kind, unknown);
        assert!(error.message.contains("no-such-model"), "{error:?}");
        let answer = stage.ask(speaker, &speaker.ask(COSTLY, false)).await.expect_status(402);
        let error = speaker.error(&answer);
        assert_eq!(error.kind, unpayable);
        assert_eq!(answer.header("x-should-retry"), "false");
        assert!(error.code.is_none_or(|code| code == "insufficient_credits"), "the code of the error table");
    }
    assert!(stage.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_wrong_method_is_405_a_wrong_path_404_in_the_dialect_of_the_route() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        let answer = stage.get(speaker.path()).await.expect_status(405);
        assert_eq!(answer.header("allow"), "POST");
        speaker.error(&answer);
        let wrong = match speaker {
            Speaker::Anthropic => "/v1/messages/batches",
            Speaker::OpenAi => "/v1/chat/nothing",
        };
        speaker.error(&stage.post(wrong, &json!({})).await.expect_status(404));
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413() {
    let stage = Stage::with(|setup| setup.settings("[gateway]\nmax_body_bytes = 4096")).await;
    for speaker in SPEAKERS {
        let mut body = speaker.ask(CLAUDE, false);
        body["messages"][0]["content"] = "long ".repeat(2000).into();
        let answer = stage.ask(speaker, &body).await.expect_status(413);
        speaker.error(&answer);
    }
    assert!(stage.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_400_and_names_the_field() {
    let stage = Stage::new().await;
    let change = |speaker: Speaker, field: &str, value: Value| {
        let mut body = speaker.ask(CLAUDE, false);
        body[field] = value;
        body
    };
    for speaker in SPEAKERS {
        for (field, value) in [
            ("messages", json!([])),
            ("messages", json!("hi")),
            ("max_tokens", json!("many")),
            ("model", json!(7)),
        ] {
            let answer = stage.ask(speaker, &change(speaker, field, value.clone())).await;
            assert_eq!(answer.status, 400, "{speaker:?} {field} {value}: {}", answer.text());
            let error = speaker.error(&answer);
            assert_eq!(error.kind, "invalid_request_error");
            assert!(error.message.contains(field), "{speaker:?} {field}: {error:?}");
        }
        let call = stage.call(speaker, &Value::Null).body(r#"{"model": "#);
        speaker.error(&call.send().await.expect_status(400));
    }
    assert!(stage.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_tool_result_without_its_call_is_400() {
    let stage = Stage::new().await;
    let mut body = Speaker::Anthropic.ask(CLAUDE, false);
    body["messages"] = json!([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_nowhere", "content": "x"}]}]);
    let error = Speaker::Anthropic.error(&stage.ask(Speaker::Anthropic, &body).await.expect_status(400));
    assert!(error.message.contains("toolu_nowhere"), "{error:?}");
    let mut body = Speaker::OpenAi.ask(CLAUDE, false);
    body["messages"] = json!([{"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "call_nowhere", "content": "x"}]);
    let error = Speaker::OpenAi.error(&stage.ask(Speaker::OpenAi, &body).await.expect_status(400));
    assert!(error.message.contains("call_nowhere"), "{error:?}");
}

#[tokio::test]
async fn a_model_without_a_channel_is_503() {
    let stage = Stage::with(|setup| setup.model("unwired", "1.00")).await;
    for speaker in SPEAKERS {
        let answer = stage.ask(speaker, &speaker.ask("unwired", false)).await.expect_status(503);
        speaker.error(&answer);
        assert_eq!(answer.header("x-should-retry"), "false");
    }
}
