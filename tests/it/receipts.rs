//! What a receipt says about its request beyond its money, and what is counted when a call costs more than it held.

use bytespike_tests::database::BOTH;
use bytespike_tests::http::Call;
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, anthropic, openai};
use serde_json::{Value, json};

const TWICE: &str = "twice-wired";

/// A stage whose model two channels of one dialect carry.
async fn twice_wired(database: bytespike_tests::database::Kind) -> Stage {
    Stage::with(|setup| {
        let url = setup.upstream_url();
        let wired = setup.on(database).model(TWICE, "1.00");
        wired.channel("anthropic", &url, &[TWICE]).channel("anthropic", &url, &[TWICE])
    })
    .await
}

#[tokio::test]
async fn a_receipt_names_the_idempotency_key_as_it_was_sent() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        for speaker in SPEAKERS {
            for stream in [false, true] {
                let key = format!("order-7/{}:{stream}", speaker.ask(CLAUDE, stream)["max_tokens"]);
                let keyed =
                    stage.call(speaker, &speaker.ask(CLAUDE, stream)).header("idempotency-key", &*key);
                let answer = keyed.send().await.expect_status(200);
                assert_eq!(stage.receipt_of(&answer).await["request"]["idempotency_key"], *key);
            }
            let plain = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(200);
            assert_eq!(stage.receipt_of(&plain).await["request"]["idempotency_key"], Value::Null);
        }
    }
}

#[tokio::test]
async fn each_try_is_named_as_the_provider_names_it() {
    for database in BOTH {
        let stage = twice_wired(database).await;
        for stream in [false, true] {
            let mut made = 0;
            stage.answer_with(move |_| {
                made += 1;
                let broken = Reply::json(500, &anthropic::error("api_error", "it broke"));
                let landed = match stream {
                    true => Reply::events(anthropic::text_stream(&["Hello."])),
                    false => Reply::json(200, &anthropic::text("Hello.")),
                };
                match made {
                    1 => broken.header("request-id", "req_first"),
                    _ => landed.header("x-request-id", "req_second"),
                }
            });
            let speaker = Speaker::Anthropic;
            let answer = stage.ask(speaker, &speaker.ask(TWICE, stream)).await.expect_status(200);
            let receipt = stage.receipt_of(&answer).await;
            let named: Vec<&Value> =
                receipt["attempts"].as_array().unwrap().iter().map(|a| &a["upstream_request_id"]).collect();
            assert_eq!(named, ["req_first", "req_second"], "{receipt}");
        }
    }
}

/// The ledger's rule that no two tries share a name must not depend on what a provider sends.
#[tokio::test]
async fn a_name_that_was_used_or_cannot_be_one_is_left_out() {
    let stage = twice_wired(BOTH[0]).await;
    for wrong in ["again", "two words", "", &"x".repeat(129)] {
        let header = wrong.to_owned();
        let mut made = 0;
        stage.answer_with(move |_| {
            made += 1;
            let reply = match made {
                1 => Reply::json(529, &anthropic::error("overloaded_error", "busy")),
                _ => Reply::json(200, &anthropic::text("Hello.")),
            };
            reply.header("request-id", &header)
        });
        let answer =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(TWICE, false)).await.expect_status(200);
        let attempts = stage.receipt_of(&answer).await["attempts"].clone();
        let first = if wrong == "again" { json!("again") } else { Value::Null };
        assert_eq!(
            (&attempts[0]["upstream_request_id"], &attempts[1]["upstream_request_id"]),
            (&first, &Value::Null)
        );
    }
    let store = stage.product.database.connect().await;
    bytespike_tests::invariants::hold(&store).await;
    store.close().await;
}

/// The value of a counter without labels, 0 before it was ever counted.
async fn counted(stage: &Stage, name: &str) -> u64 {
    let text = Call::get(stage.product.at("/metrics")).send().await.expect_status(200).text();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or(0)
}

#[tokio::test]
async fn over_hold_is_counted_by_calls_and_by_value() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let body = Speaker::OpenAi.ask(bytespike_tests::product::GPT, false);
        stage.answer(Reply::json(200, &openai::text("Hello.")));
        let _ = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
        assert_eq!(counted(&stage, "bytespike_over_hold_total").await, 0, "a call within its hold is none");

        let usage = anthropic::Usage { output: 90_000, ..anthropic::USAGE };
        let text = json!([{"type": "text", "text": "Hello."}]);
        stage.answer(Reply::json(200, &anthropic::message(&text, "end_turn", usage)));
        let answer =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        let receipt = stage.receipt_of(&answer).await;
        let over: u64 = receipt["over_hold_credits"].as_str().unwrap().replace('.', "").parse().unwrap();
        assert!(over > 0, "{receipt}");
        assert_eq!(counted(&stage, "bytespike_over_hold_total").await, 1);
        assert_eq!(counted(&stage, "bytespike_over_hold_nano_usd_total").await, over);
    }
}
