//! The table of who pays, row by row, through the front door on both databases. Each row of the published table is
//! named after its test here; what media will add is proven at the ledger until it has routes of its own.

use bytespike_tests::database::{BOTH, number, rows};
use bytespike_tests::http::Answer;
use bytespike_tests::invariants;
use bytespike_tests::product::{CLAUDE, COSTLY, GPT, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, anthropic, openai, scenes};
use serde_json::{Value, json};

/// A client and a model for each of the two dialects; a model's provider speaks the same dialect.
const ROUTES: [(Speaker, &str); 2] = [(Speaker::Anthropic, CLAUDE), (Speaker::OpenAi, GPT)];
/// 12 tokens in and 5 out, at one credit each.
const USAGE_NANO: i64 = 17_000;
const INPUT_NANO: i64 = 12_000;

/// Plays the row on each database; afterwards the invariants hold.
async fn on_both(change: impl Fn(Setup) -> Setup, row: impl AsyncFn(&mut Stage)) {
    for database in BOTH {
        let mut stage = Stage::with(|setup| change(setup.on(database))).await;
        row(&mut stage).await;
        let store = stage.product.database.connect().await;
        invariants::hold(&store).await;
        store.close().await;
    }
}

fn plain(setup: Setup) -> Setup {
    setup
}

/// Short waits, so that a provider that does not answer is given up soon.
fn impatient(setup: Setup) -> Setup {
    setup.settings(
        "[gateway]\nfirst_byte_timeout_ms = 400\nwhole_answer_timeout_ms = 400\nidle_timeout_ms = 400",
    )
}

/// Asks and demands that it was free, with this reason.
async fn is_free(
    stage: &Stage,
    (speaker, model): (Speaker, &str),
    streamed: bool,
    reasons: &[&str],
) -> Answer {
    let before = stage.balance().await;
    let answer = stage.stream(speaker, &speaker.ask(model, streamed)).await.rest().await;
    let receipt = stage.receipt_of(&answer).await;
    assert_eq!(receipt["outcome"], "released", "{receipt}");
    assert!(reasons.iter().any(|reason| receipt["reason"] == *reason), "not {reasons:?}: {receipt}");
    assert_eq!(stage.balance().await, before, "{receipt}");
    answer
}

/// Asks and demands that it was charged; answers the receipt.
async fn is_charged(stage: &Stage, (speaker, model): (Speaker, &str), streamed: bool) -> Value {
    let answer = stage.stream(speaker, &speaker.ask(model, streamed)).await.rest().await;
    let receipt = stage.receipt_of(&answer).await;
    assert_eq!(receipt["outcome"], "settled", "{receipt}");
    receipt
}

fn charged(receipt: &Value) -> i64 {
    nano(&receipt["charged"]["credits"])
}

fn claude(model: &str) -> bool {
    model == CLAUDE
}

/// A good stream up to its first words.
fn first_words(model: &str) -> Reply {
    let events = if claude(model) {
        anthropic::text_stream(&["half", "way"])
    } else {
        openai::text_stream(&["half", "way"])
    };
    Reply::stream().pieces(&events[..3])
}

#[tokio::test]
async fn crossing_refused_before_the_hold() {
    on_both(plain, async |stage| {
        let before = stage.balance().await;
        let speaker = Speaker::Anthropic;
        let unknown = stage.ask(speaker, &speaker.ask("no-such-model", false)).await.expect_status(404);
        let unpayable = stage.ask(speaker, &speaker.ask(COSTLY, false)).await.expect_status(402);
        let key = std::mem::replace(&mut stage.key, "sk-byts-nobody".to_owned());
        let nobody = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(401);
        stage.key = key;
        for refused in [unknown, unpayable, nobody] {
            assert!(refused.maybe("x-receipt-id").is_none(), "no hold, no receipt");
        }
        let store = stage.product.database.connect().await;
        assert_eq!(number(&store, "select count(*) from reservation").await, 0);
        store.close().await;
        assert_eq!(stage.balance().await, before);
    })
    .await;
}

#[tokio::test]
async fn crossing_upstream_status() {
    on_both(plain, async |stage| {
        for status in [400, 401, 429, 500, 503, 529] {
            for (route, streamed) in [(ROUTES[0], false), (ROUTES[1], true)] {
                let error = if claude(route.1) {
                    anthropic::error("api_error", "no")
                } else {
                    openai::error("server_error", "no")
                };
                stage.answer(Reply::json(status, &error));
                let answer = is_free(stage, route, streamed, &["upstream_error"]).await;
                assert!(answer.status >= 400, "{status} became {}", answer.status);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_error_inside_a_200() {
    on_both(plain, async |stage| {
        for route in ROUTES {
            let error = if claude(route.1) {
                anthropic::error("api_error", "no")
            } else {
                openai::error("server_error", "no")
            };
            stage.answer(Reply::json(200, &error));
            is_free(stage, route, false, &["upstream_200_error_body"]).await;
            let event = if claude(route.1) { anthropic::event(&error) } else { openai::event(&error) };
            stage.answer(Reply::events([event]));
            is_free(stage, route, true, &["upstream_200_error_body"]).await;
            stage.answer(Reply::whole(200, "application/json", b"<html>busy</html>".to_vec()));
            is_free(stage, route, false, &["upstream_200_error_body", "upstream_garbled"]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_timeouts() {
    on_both(impatient, async |stage| {
        for route in ROUTES {
            stage.answer(Reply::silence());
            is_free(stage, route, true, &["timeout_first_byte"]).await;
            is_free(stage, route, false, &["timeout_first_byte"]).await;
            stage.answer(first_words(route.1).hang());
            is_free(stage, route, true, &["timeout_idle"]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_refusal_without_content() {
    on_both(plain, async |stage| {
        stage.answer(Reply::json(200, &anthropic::message(&json!([]), "refusal", anthropic::USAGE)));
        is_free(stage, ROUTES[0], false, &["moderation_rejected"]).await;
        let silent = json!({"role": "assistant", "content": null, "refusal": null});
        stage.answer(Reply::json(200, &openai::completion(&silent, "content_filter")));
        is_free(stage, ROUTES[1], false, &["moderation_rejected"]).await;
    })
    .await;
}

#[tokio::test]
async fn crossing_clean_end_without_content() {
    on_both(plain, async |stage| {
        stage.answer(Reply::json(200, &anthropic::message(&json!([]), "end_turn", anthropic::USAGE)));
        is_free(stage, ROUTES[0], false, &["nothing_landed"]).await;
        let silent = json!({"role": "assistant", "content": "", "refusal": null});
        stage.answer(Reply::json(200, &openai::completion(&silent, "stop")));
        is_free(stage, ROUTES[1], false, &["nothing_landed"]).await;
        stage.answer(Reply::events(
            [vec![anthropic::start(anthropic::USAGE)], anthropic::end("end_turn", anthropic::USAGE)].concat(),
        ));
        is_free(stage, ROUTES[0], true, &["nothing_landed"]).await;
        // The provider counted 17 tokens each time: ours, on the key that made the calls.
        let store = stage.product.database.connect().await;
        let absorbed = rows(
            &store,
            "select cause, count(*), cast(sum(amount_pico) as bigint), count(distinct key_id)
                                     from absorbed_cost group by cause",
        )
        .await;
        store.close().await;
        assert_eq!(absorbed, [["nothing_landed", "3", "51000000", "1"]]);
    })
    .await;
}

#[tokio::test]
async fn crossing_upstream_dies_after_content() {
    on_both(plain, async |stage| {
        for route in ROUTES {
            for reply in [first_words(route.1).reset(), first_words(route.1).cut_after(usize::MAX)] {
                stage.answer(reply);
                is_free(stage, route, true, &["stream_broke"]).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_cancelled_before_content() {
    on_both(plain, async |stage| {
        let before = stage.balance().await;
        for (n, (speaker, model)) in ROUTES.into_iter().enumerate() {
            let opening = if claude(model) {
                vec![anthropic::start(anthropic::USAGE)]
            } else {
                openai::text_deltas(&[])
            };
            stage.answer(Reply::stream().pieces(opening).hang());
            let client = tokio::spawn(stage.call(speaker, &speaker.ask(model, true)).try_stream());
            stage.upstream.arrived().at_least(n + 1).await;
            client.abort();
            stage.upstream.abandoned().at_least(n + 1).await;
            let store = stage.product.database.connect().await;
            let newest =
                rows(&store, "select id from reservation order by held_at_ms desc, id desc limit 1").await;
            store.close().await;
            let receipt = stage.receipt(&newest[0][0]).await;
            assert_eq!(
                (&receipt["outcome"], &receipt["reason"]),
                (&json!("released"), &json!("cancelled_before_content"))
            );
        }
        assert_eq!(stage.balance().await, before);
    })
    .await;
}

#[tokio::test]
async fn crossing_ended_by_us() {
    on_both(
        |setup| setup.settings("[gateway]\ntotal_timeout_ms = 700"),
        async |stage| {
            let before = stage.balance().await;
            for (speaker, model) in ROUTES {
                let mut stream = stage.stream(speaker, &slow(speaker, model)).await;
                let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
                stream.until(|event| speaker.text_in(event).contains("Hello")).await;
                let (rest, _) = stream.rest_or_cut().await;
                assert!(!speaker.ended_well(&rest.events()), "{}", rest.text());
                let receipt = stage.receipt(&id).await;
                assert_eq!((&receipt["outcome"], charged(&receipt)), (&json!("released"), 0), "{receipt}");
            }
            assert_eq!(stage.balance().await, before);
        },
    )
    .await;
}

#[tokio::test]
async fn crossing_gateway_crash() {
    on_both(plain, async |stage| {
        let before = stage.balance().await;
        let speaker = Speaker::Anthropic;
        let mut stream = stage.stream(speaker, &slow(speaker, CLAUDE)).await;
        let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
        stream.until(|event| speaker.text_in(event).contains("Hello")).await;
        stage.product.kill().await;
        drop(stream);
        stage.product.start_again().await;
        let receipt = stage.receipt(&id).await;
        assert_eq!((&receipt["outcome"], charged(&receipt)), (&json!("expired"), 0), "{receipt}");
        assert_eq!(stage.balance().await["available_credits"], before["available_credits"]);
    })
    .await;
}

#[tokio::test]
async fn crossing_finished() {
    on_both(plain, async |stage| {
        let text = json!([{"type": "text", "text": "Hello."}]);
        let tool = json!([{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]);
        for (content, stop) in
            [(&text, "end_turn"), (&text, "max_tokens"), (&text, "stop_sequence"), (&tool, "tool_use")]
        {
            stage.answer(Reply::json(200, &anthropic::message(content, stop, anthropic::USAGE)));
            assert_eq!(charged(&is_charged(stage, ROUTES[0], false).await), USAGE_NANO, "{stop}");
        }
        let said = json!({"role": "assistant", "content": "Hello.", "refusal": null});
        for finish in ["stop", "length"] {
            stage.answer(Reply::json(200, &openai::completion(&said, finish)));
            assert_eq!(charged(&is_charged(stage, ROUTES[1], false).await), USAGE_NANO, "{finish}");
        }
        stage.answer_with(scenes::play);
        for route in ROUTES {
            assert_eq!(charged(&is_charged(stage, route, true).await), USAGE_NANO);
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_only_thinking_cut_by_the_callers_limit() {
    on_both(plain, async |stage| {
        let silent = json!({"role": "assistant", "content": "", "refusal": null});
        stage.answer(Reply::json(200, &openai::completion(&silent, "length")));
        assert_eq!(
            charged(&is_charged(stage, ROUTES[1], false).await),
            USAGE_NANO,
            "the caller set the limit"
        );
        let mut unlimited = Speaker::OpenAi.ask(GPT, false);
        unlimited.as_object_mut().unwrap().remove("max_tokens");
        let answer = stage.ask(Speaker::OpenAi, &unlimited).await;
        let receipt = stage.receipt_of(&answer).await;
        assert_eq!(
            (&receipt["outcome"], charged(&receipt)),
            (&json!("released"), 0),
            "ours is not theirs: {receipt}"
        );
    })
    .await;
}

#[tokio::test]
async fn crossing_filtered_after_content() {
    on_both(plain, async |stage| {
        stage.answer(Reply::json(
            200,
            &anthropic::message(&json!([{"type": "text", "text": "Hello."}]), "refusal", anthropic::USAGE),
        ));
        let receipt = is_charged(stage, ROUTES[0], false).await;
        assert_eq!(receipt["usage_source"], "delivered_count", "{receipt}");
        assert!(INPUT_NANO < charged(&receipt) && charged(&receipt) <= USAGE_NANO, "{receipt}");
    })
    .await;
}

fn slow(speaker: Speaker, model: &str) -> Value {
    let mut body = speaker.ask(model, true);
    body["messages"][0]["content"] = "scene:slow".into();
    body
}

#[tokio::test]
async fn crossing_cancelled_after_content() {
    on_both(plain, async |stage| {
        for (n, (speaker, model)) in ROUTES.into_iter().enumerate() {
            let mut stream = stage.stream(speaker, &slow(speaker, model)).await;
            let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
            stream.until(|event| speaker.text_in(event).contains("Hello")).await;
            drop(stream);
            stage.upstream.abandoned().at_least(n + 1).await;
            let receipt = stage.receipt(&id).await;
            assert_eq!(
                (&receipt["outcome"], &receipt["reason"]),
                (&json!("settled"), &json!("cancelled_after_content"))
            );
            assert_eq!(receipt["usage_source"], "delivered_count", "{receipt}");
            assert!(
                0 < charged(&receipt) && charged(&receipt) < nano(&receipt["held"]["credits"]),
                "{receipt}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_revoked_after_content() {
    on_both(plain, async |stage| {
        let speaker = Speaker::Anthropic;
        let mut stream = stage.stream(speaker, &slow(speaker, CLAUDE)).await;
        let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
        stream.until(|event| speaker.text_in(event).contains("Hello")).await;
        crate::keys::revoke(&mut stage.person, "test").await;
        let (rest, _) = stream.rest_or_cut().await;
        assert!(!speaker.ended_well(&rest.events()), "{}", rest.text());
        let receipt = stage.stored_receipt(&id).await;
        assert_eq!(
            (&receipt["outcome"], &receipt["reason"]),
            (&json!("settled"), &json!("revoked_after_content"))
        );
        assert!(0 < charged(&receipt) && charged(&receipt) < nano(&receipt["held"]["credits"]), "{receipt}");
    })
    .await;
}

#[tokio::test]
async fn crossing_gone_after_the_last_event() {
    on_both(plain, async |stage| {
        let speaker = Speaker::Anthropic;
        let mut stream = stage.stream(speaker, &speaker.ask(CLAUDE, true)).await;
        let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
        stream.until(|event| event.name == "message_stop").await;
        drop(stream);
        let receipt = stage.receipt(&id).await;
        assert_eq!((&receipt["outcome"], charged(&receipt)), (&json!("settled"), USAGE_NANO), "{receipt}");
    })
    .await;
}
