//! What the response headers say about money, and that the receipt says the same.

use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano, nano_header};

#[tokio::test]
async fn a_whole_answer_carries_its_price_and_agrees_with_its_receipt() {
    let stage = Stage::new().await;
    for (speaker, model) in [
        (Speaker::Anthropic, CLAUDE),
        (Speaker::Anthropic, GPT),
        (Speaker::OpenAi, CLAUDE),
        (Speaker::OpenAi, GPT),
    ] {
        let answer = stage.ask(speaker, &speaker.ask(model, false)).await.expect_status(200);
        let receipt = stage.receipt_of(&answer).await;
        assert_eq!(nano_header(&answer, "x-credits-held"), nano(&receipt["held"]["credits"]));
        assert_eq!(nano_header(&answer, "x-credits-charged"), nano(&receipt["charged"]["credits"]));
        assert_eq!(nano(&receipt["charged"]["credits"]), 17_000, "12 tokens in and 5 out at one credit each");
        assert_eq!(nano_header(&answer, "x-estimated-credits"), nano_header(&answer, "x-credits-held"));
        assert_eq!(answer.header("x-price-version"), receipt["price"]["version"].to_string());
        assert_eq!(answer.header("x-attempts"), "1");
        assert!(!answer.header("x-served-by").is_empty());
        assert!(answer.header("server-timing").contains("dur="));
        assert!(answer.header("request-id").starts_with("req_"));
        assert_eq!(receipt["request"]["id"], answer.header("request-id"));
        let usage = speaker_usage(&answer.json());
        assert_eq!(nano(&usage["cost_credits"]), 17_000);
        assert_eq!(usage["receipt_id"], answer.header("x-receipt-id"));
    }
}

fn speaker_usage(body: &serde_json::Value) -> serde_json::Value {
    body["usage"].clone()
}

#[tokio::test]
async fn a_stream_carries_its_price_in_its_last_usage() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        for model in [CLAUDE, GPT] {
            let mut body = speaker.ask(model, true);
            if speaker == Speaker::OpenAi {
                body["stream_options"] = serde_json::json!({"include_usage": true});
            }
            let answer = stage.ask(speaker, &body).await.expect_status(200);
            assert!(answer.maybe("x-credits-charged").is_none(), "not known when a stream begins");
            let usage = speaker.last_usage(&answer.events());
            let receipt = stage.receipt_of(&answer).await;
            assert_eq!(usage["cost_credits"], receipt["charged"]["credits"], "{speaker:?} {model}");
            assert_eq!(usage["receipt_id"], answer.header("x-receipt-id"));
            assert_eq!(nano_header(&answer, "x-credits-held"), nano(&receipt["held"]["credits"]));
            assert_eq!(nano(&usage["cost_credits"]), 17_000);
        }
    }
}

#[tokio::test]
async fn the_remaining_quota_is_what_the_balance_says() {
    let stage = Stage::new().await;
    let answer =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    assert!(answer.maybe("x-quota-remaining-credits").is_none(), "nothing below the organisation is limited");
    let remaining = nano_header(&answer, "x-org-quota-remaining-credits");
    assert_eq!(remaining, 1_000_000_000 - 17_000);
    assert_eq!(remaining, nano(&stage.balance().await["available_credits"]));
}

#[tokio::test]
async fn a_request_id_is_on_everything() {
    let stage = Stage::new().await;
    for path in ["/v1/models", "/v1/balance", "/v1/no-such-thing", "/healthz"] {
        let answer = stage.get(path).await;
        assert!(answer.header("request-id").starts_with("req_"), "{path}");
    }
}
