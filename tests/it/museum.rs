//! Mistakes that other gateways made with money, each as a test by its name; those that need no call are at the ledger
//! and at the prices.

use bytespike_tests::database::BOTH;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, anthropic, openai};
use serde_json::json;

const UNPRICED: &str = "nobody-sells-this";

/// No price, no user, or no counter: and the call is let through at nothing, or at a default.
#[tokio::test]
async fn museum_fail_open_when_price_or_user_is_unknown() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database).model("unwired", "1.00")).await;
        for speaker in SPEAKERS {
            assert_eq!(stage.ask(speaker, &speaker.ask("unwired", false)).await.status, 503);
            assert_eq!(stage.ask(speaker, &speaker.ask(UNPRICED, false)).await.status, 404);
        }
        stage.key.pop();
        assert_eq!(stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.status, 401);
        assert_eq!(stage.upstream.requests().len(), 0, "no provider was asked");
    }
}

/// A hold far above what is needed turns away callers who could pay.
#[tokio::test]
async fn museum_hold_far_above_need() {
    for database in BOTH {
        // 500 credits: enough for a short answer, not for the model's longest.
        let stage = Stage::with(|setup| setup.on(database).trial_grant(500)).await;
        let mut body = Speaker::OpenAi.ask(GPT, false);
        body.as_object_mut().unwrap().remove("max_tokens");
        let answer = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
        let clamped = answer.header("x-bytespike-max-tokens").split(';').next().unwrap().parse::<u32>();
        assert!(clamped.is_ok_and(|tokens| tokens < 500), "{}", answer.header("x-bytespike-max-tokens"));
        let sent = &stage.upstream.requests()[0].json();
        let limit =
            sent.get("max_completion_tokens").or(sent.get("max_tokens")).and_then(serde_json::Value::as_u64);
        assert!(limit.is_some_and(|limit| limit < 500), "the limit is sent along: {sent}");
    }
}

/// Cached tokens counted within and beside the input, so that the difference is negative.
#[tokio::test]
async fn museum_negative_cost_from_cache_maths() {
    let stage = Stage::new().await;
    let mut odd = openai::text("Hello.");
    odd["usage"] = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4_000}});
    stage.answer(Reply::json(200, &odd));
    let answer = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
    let receipt = stage.receipt_of(&answer).await;
    let (held, charged) = (nano(&receipt["held"]["credits"]), nano(&receipt["charged"]["credits"]));
    assert!((5_000..=held).contains(&charged), "{receipt}");
    for line in receipt["lines"].as_array().expect("a list") {
        assert!(line["qty"].as_str().expect("text").parse::<u64>().is_ok(), "{receipt}");
    }
}

/// The text of an error, or all that might have been said, is counted and billed to who hung up.
#[tokio::test]
async fn museum_disconnect_billed_in_full() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let words = "word ".repeat(20);
        stage.answer(Reply::stream().pieces(&anthropic::text_stream(&[&words])[..3]).hang());
        let speaker = Speaker::Anthropic;
        let mut stream = stage.stream(speaker, &speaker.ask(CLAUDE, true)).await;
        let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
        stream.until(|event| speaker.text_in(event).contains("word")).await;
        drop(stream);
        let receipt = stage.receipt(&id).await;
        assert_eq!(receipt["outcome"], "settled", "{receipt}");
        let charged = nano(&receipt["charged"]["credits"]);
        // 100 characters are about 25 tokens of output, beside a short input; 64 were held.
        assert!((20_000..50_000).contains(&charged), "what was delivered and no more: {receipt}");
    }
}

/// Hanging up makes an answer free, so that whoever reads to the end and hangs up never pays.
#[tokio::test]
async fn museum_disconnect_billed_nothing() {
    let stage = Stage::new().await;
    let mut body = Speaker::OpenAi.ask(GPT, true);
    body["messages"][0]["content"] = "scene:slow".into();
    let mut stream = stage.stream(Speaker::OpenAi, &body).await;
    let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
    stream.until(|event| Speaker::OpenAi.text_in(event).contains("Hello")).await;
    drop(stream);
    let receipt = stage.receipt(&id).await;
    assert!(nano(&receipt["charged"]["credits"]) > 0, "{receipt}");
}

/// Usage that is missing or odd makes an answer free, or costs its whole hold.
#[tokio::test]
async fn museum_missing_or_odd_usage() {
    let stage = Stage::new().await;
    let mut without = openai::text("Hello.");
    without.as_object_mut().unwrap().remove("usage");
    let mut zero = openai::text("Hello.");
    zero["usage"] = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
    for body in [without, zero] {
        stage.answer(Reply::json(200, &body));
        let answer = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
        let receipt = stage.receipt_of(&answer).await;
        assert_eq!(
            (&receipt["outcome"], &receipt["usage_source"]),
            (&json!("settled"), &json!("delivered_count")),
            "{receipt}"
        );
        let (held, charged) = (nano(&receipt["held"]["credits"]), nano(&receipt["charged"]["credits"]));
        assert!(0 < charged && charged < held, "{receipt}");
    }
}

/// A second try under the first one's id at the provider pays for another order.
#[tokio::test]
async fn museum_retry_reuses_the_providers_request_id() {
    let stage = Stage::with(|setup| {
        let url = setup.upstream_url();
        setup.channel("anthropic", &url, &[CLAUDE])
    })
    .await;
    stage.answer(Reply::json(529, &anthropic::error("overloaded_error", "busy")));
    let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
    assert_eq!(stage.receipt_of(&answer).await["charged"]["credits"], "0.000");
    let requests = stage.upstream.requests();
    assert_eq!(requests.len(), 2, "both channels were tried");
    for name in ["idempotency-key", "x-request-id", "request-id"] {
        let ids: Vec<_> = requests.iter().filter_map(|request| request.header(name)).collect();
        assert!(ids.len() < 2 || ids[0] != ids[1], "{name}: {ids:?}");
    }
}
