//! What a key may ask about itself: models, estimates, counts, its balance and its receipts.

use bytespike_tests::http::Call;
use bytespike_tests::product::{CLAUDE, COSTLY, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano, nano_header};
use serde_json::{Value, json};

#[tokio::test]
async fn models_are_listed_in_one_shape_that_both_sdks_read() {
    let stage = Stage::new().await;
    let list = stage.get("/v1/models?limit=1000").await.expect_status(200).json();
    assert_eq!(list["object"], "list");
    let models = list["data"].as_array().unwrap();
    for wanted in [CLAUDE, GPT, COSTLY] {
        let model = models
            .iter()
            .find(|model| model["id"] == wanted)
            .unwrap_or_else(|| panic!("{wanted} is not in {list}"));
        assert_eq!((&model["object"], &model["type"]), (&"model".into(), &"model".into()));
        assert!(
            model["created"].is_i64() && model["created_at"].is_string() && model["display_name"].is_string(),
            "{model}"
        );
    }
    assert!(list["has_more"].is_boolean() && list["first_id"].is_string() && list["last_id"].is_string());
    let one = stage.get(&format!("/v1/models/{GPT}")).await.expect_status(200).json();
    assert_eq!(one["id"], GPT);
    assert_eq!(stage.get("/v1/models/no-such-model").await.status, 404);
    assert_eq!(Call::get(stage.product.at("/v1/models")).send().await.status, 401);
}

#[tokio::test]
async fn models_are_paged_without_gaps() {
    let stage = Stage::new().await;
    let ids = |list: &Value| {
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = ids(&stage.get("/v1/models?limit=1000").await.json());
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = stage.get(&format!("/v1/models?limit=2{after}")).await.expect_status(200).json();
        paged.extend(ids(&page));
        assert!(paged.len() <= all.len(), "paging ends");
        if page["has_more"] == false {
            break;
        }
        after = format!("&after_id={}", page["last_id"].as_str().unwrap());
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn an_estimate_is_the_hold_that_the_call_takes() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        for model in [CLAUDE, GPT] {
            let mut long = speaker.ask(model, false);
            long["messages"][0]["content"] =
                "Ein längerer Text, 带中文, and code: fn main() { }\n".repeat(40).into();
            for body in [speaker.ask(model, false), long] {
                let before = stage.upstream.requests().len();
                let estimate = stage.post("/v1/estimate", &body).await.expect_status(200).json();
                assert_eq!(stage.upstream.requests().len(), before, "an estimate reaches no provider");
                let answer = stage.ask(speaker, &body).await.expect_status(200);
                assert_eq!(
                    nano(&estimate["held_credits"]),
                    nano_header(&answer, "x-credits-held"),
                    "{estimate}"
                );
            }
        }
    }
}

#[tokio::test]
async fn without_an_output_limit_the_provider_is_given_one() {
    let stage = Stage::new().await;
    let body = json!({"model": GPT, "messages": [{"role": "user", "content": "hi"}]});
    let answer = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
    let sent = stage.upstream.last().json();
    let limit = sent["max_completion_tokens"]
        .as_i64()
        .or_else(|| sent["max_tokens"].as_i64())
        .expect("a limit was set");
    assert!(
        limit >= 256 && nano_header(&answer, "x-credits-held") >= limit * 1000,
        "the hold covers the limit of {limit}"
    );
}

#[tokio::test]
async fn the_balance_is_the_grant_less_what_landed() {
    let stage = Stage::new().await;
    let fresh = stage.balance().await;
    assert_eq!(nano(&fresh["available_credits"]), 1_000_000_000, "{fresh}");
    let _ = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
    assert_eq!(nano(&stage.balance().await["available_credits"]), 1_000_000_000 - 17_000);
}

#[tokio::test]
async fn a_receipt_adds_up_line_by_line_and_keeps_no_word_of_the_call() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        let answer = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(200);
        let receipt = stage.receipt_of(&answer).await;
        let sum: i64 = receipt["lines"].as_array().unwrap().iter().map(|line| nano(&line["credits"])).sum();
        assert_eq!(sum, nano(&receipt["charged"]["credits"]), "{receipt}");
        assert_eq!(
            (&receipt["model"]["requested"], &receipt["usage_source"]),
            (&CLAUDE.into(), &"provider".into())
        );
        let text = receipt.to_string();
        assert!(
            !text.contains("Say hello") && !text.contains("scripted provider") && !text.contains(&stage.key),
            "{text}"
        );
        let again = stage.receipt_of(&answer).await;
        assert_eq!(again, receipt, "a receipt never changes");
    }
    assert_eq!(stage.get("/v1/receipts/rcp_nowhere").await.status, 404);
}

#[tokio::test]
async fn tokens_are_counted_with_everything_that_costs() {
    let stage = Stage::new().await;
    for model in [CLAUDE, GPT] {
        let count = async |body: Value| {
            stage.post("/v1/messages/count_tokens", &body).await.expect_status(200).json()["input_tokens"]
                .as_u64()
                .unwrap()
        };
        let bare = json!({"model": model, "messages": [{"role": "user", "content": "Hello there."}]});
        let mut with_tools = bare.clone();
        with_tools["system"] = "Answer in rhymes only. ".repeat(20).into();
        with_tools["tools"] = json!([{"name": "f", "description": "does something long to describe", "input_schema": {"type": "object"}}]);
        let (few, many) = (count(bare).await, count(with_tools).await);
        assert!(few > 0 && many >= few, "{model}: {few} and {many}");
    }
}

#[tokio::test]
async fn prices_are_public_signed_and_carry_an_etag() {
    let stage = Stage::new().await;
    let prices = Call::get(stage.product.at("/v1/prices")).send().await.expect_status(200);
    let etag = prices.header("etag").to_owned();
    assert!(prices.text().contains(CLAUDE));
    let again = Call::get(stage.product.at("/v1/prices")).header("if-none-match", etag).send().await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}
