//! Where client and provider speak the same dialect, bytes pass as they are.

use bytespike_tests::canary;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, anthropic, openai};

#[tokio::test]
async fn v62_an_anthropic_body_reaches_an_anthropic_provider_byte_for_byte() {
    let stage = Stage::new().await;
    // Odd order and spacing, escapes, numbers in other spellings, unknown fields and blocks, a replayed signature.
    let body = concat!(
        r#"{ "messages" : [{"content":[{"type":"thinking","thinking":"","signature":"abc"},"#,
        r#"{"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1e3,"a":"\u00e9\/","z":-0.0}}],"role":"assistant"},"#,
        r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"ok"},{"type":"future_block","x":[ 1 ,2]}]}],"#,
        "\n\t",
        r#""max_tokens":64,"model":"scripted-claude","metadata":{"user_id":"u\u4f60"} }"#,
    );
    let call = stage
        .call(Speaker::Anthropic, &serde_json::Value::Null)
        .body(body)
        .header("anthropic-beta", "some-beta-2026-01-01");
    let _ = call.send().await.expect_status(200);
    let sent = stage.upstream.last();
    assert_eq!(String::from_utf8_lossy(&sent.body), body);
    assert_eq!(sent.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(sent.header("anthropic-beta"), Some("some-beta-2026-01-01"));
    assert_eq!(sent.header("x-api-key"), Some(canary::UPSTREAM_KEY));
    assert!(!format!("{:?}", sent.headers).contains(&stage.key), "the customer's key goes to no provider");
}

#[tokio::test]
async fn an_openai_body_changes_only_where_usage_is_asked_for() {
    let stage = Stage::new().await;
    let body = r#"{"messages":[{"role":"user","content":"h\u0069"}], "model":"scripted-gpt" ,"max_tokens":64,"seed":1e0,"x_future":{"b":1,"a":2}}"#;
    let call = stage.call(Speaker::OpenAi, &serde_json::Value::Null).body(body);
    let _ = call.send().await.expect_status(200);
    assert_eq!(String::from_utf8_lossy(&stage.upstream.last().body), body);
    assert!(!format!("{:?}", stage.upstream.last().headers).contains(&stage.key));
}

#[tokio::test]
async fn the_answer_names_the_model_that_was_asked_for_and_keeps_what_it_does_not_know() {
    let stage = Stage::new().await;
    let mut answer = anthropic::text("hi");
    answer["future_field"] = serde_json::json!({"kept": [1, 2]});
    answer["content"][0]["future_part"] = "kept".into();
    stage.answer(Reply::json(200, &answer));
    let body =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200).json();
    assert_eq!((&body["model"], &body["future_field"]), (&CLAUDE.into(), &answer["future_field"]));
    assert_eq!(body["content"], answer["content"]);
    assert_eq!(body["id"], "msg_scripted");

    let mut answer = openai::text("hi");
    answer["system_fingerprint"] = "fp_kept".into();
    stage.answer(Reply::json(200, &answer));
    let body = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200).json();
    assert_eq!((&body["model"], &body["system_fingerprint"]), (&GPT.into(), &"fp_kept".into()));
    assert_eq!(body["choices"], answer["choices"]);
}

#[tokio::test]
async fn base_urls_with_and_without_v1_reach_the_same_routes() {
    let stage = Stage::new().await;
    for path in ["/v1/messages", "/v1/v1/messages", "/messages", "/v1/messages?beta=true"] {
        let call = Speaker::Anthropic.ask(CLAUDE, false);
        let _ = stage.post(path, &call).await.expect_status(200);
    }
    for path in ["/v1/chat/completions", "/v1/v1/chat/completions", "/chat/completions"] {
        let _ = stage.post(path, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
    }
}
