//! Idempotency-Key: sent again, a call that landed is answered again and not made again; one that failed is made.

use bytespike_store::{Store, on_database, sqlx};
use bytespike_tests::PATIENCE;
use bytespike_tests::database::{BOTH, Kind, number};
use bytespike_tests::gate::Gate;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::invariants;
use bytespike_tests::product::{CLAUDE, COSTLY, GPT, Setup};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, Upstream, anthropic, scenes};
use serde_json::{Value, json};

fn keyed(stage: &Stage, speaker: Speaker, body: &Value, key: &str) -> Call {
    stage.call(speaker, body).header("idempotency-key", key)
}

async fn charged(store: &Store) -> i64 {
    number(store, "select cast(coalesce(sum(charged_nano), 0) as bigint) from reservation").await
}

/// What the error table calls it.
fn code(speaker: Speaker, answer: &Answer) -> String {
    let error = &answer.json()["error"];
    let code = if speaker == Speaker::Anthropic { &error["details"]["code"] } else { &error["code"] };
    code.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_call_that_landed_is_answered_again_byte_for_byte_and_charged_once() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let mut receipts = Vec::new();
        // The same key on another route is another key.
        for speaker in SPEAKERS {
            let body = speaker.ask(CLAUDE, false);
            let first = keyed(&stage, speaker, &body, "order-1").send().await.expect_status(200);
            assert!(first.maybe("idempotent-replay").is_none());
            let made = stage.upstream.requests().len();
            for _ in 0..3 {
                let again = keyed(&stage, speaker, &body, "order-1").send().await.expect_status(200);
                assert_eq!(again.body, first.body);
                assert_eq!(again.header("idempotent-replay"), "true");
                assert_eq!(again.header("content-type"), first.header("content-type"));
                for name in ["x-receipt-id", "x-credits-held", "x-credits-charged", "x-price-version"] {
                    assert_eq!(again.header(name), first.header(name));
                }
                assert_ne!(again.header("request-id"), first.header("request-id"));
            }
            assert_eq!(stage.upstream.requests().len(), made, "a replay reaches no provider");
            receipts.push(first.header("x-receipt-id").to_owned());
        }
        assert_ne!(receipts[0], receipts[1]);
        let store = stage.product.database.connect().await;
        assert_eq!(charged(&store).await, 2 * 17_000);
        invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_base_url_with_or_without_v1_is_the_same_route() {
    let stage = Stage::new().await;
    let body = Speaker::Anthropic.ask(CLAUDE, false);
    let call = |path: &str| {
        Call::post(stage.product.at(path), &body)
            .header("x-api-key", &*stage.key)
            .header("idempotency-key", "k")
    };
    let first = call("/v1/messages").send().await.expect_status(200);
    for path in ["/messages", "/v1/v1/messages"] {
        let again = call(path).send().await.expect_status(200);
        assert_eq!(again.header("x-receipt-id"), first.header("x-receipt-id"));
    }
}

#[tokio::test]
async fn the_key_belongs_to_one_body_and_to_one_api_key() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        for speaker in SPEAKERS {
            let body = speaker.ask(CLAUDE, false);
            let first = keyed(&stage, speaker, &body, "k").send().await.expect_status(200);
            let other = speaker.ask(GPT, false);
            let refused = keyed(&stage, speaker, &other, "k").send().await.expect_status(422);
            assert_eq!(code(speaker, &refused), "idempotency_mismatch");
            assert_eq!(refused.header("x-should-retry"), "false");
            assert!(refused.maybe("x-receipt-id").is_none(), "the other request's receipt is not told");
            let again = keyed(&stage, speaker, &body, "k").send().await.expect_status(200);
            assert_eq!(again.header("x-receipt-id"), first.header("x-receipt-id"));
        }
        let made = stage.upstream.requests().len();
        stage.key = stage.person.create_key("other", &[]).await;
        let body = Speaker::OpenAi.ask(CLAUDE, false);
        let fresh = keyed(&stage, Speaker::OpenAi, &body, "k").send().await.expect_status(200);
        assert!(fresh.maybe("idempotent-replay").is_none());
        assert_eq!(stage.upstream.requests().len(), made + 1);
    }
}

#[tokio::test]
async fn while_a_call_runs_its_key_is_409_with_the_receipt_and_one_of_many_is_made() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        for (n, speaker) in SPEAKERS.into_iter().enumerate() {
            let landed = Gate::default();
            let reply = Reply::json(200, &anthropic::text("Hello.")).after(&landed);
            stage.answer(reply);
            let body = speaker.ask(CLAUDE, false);
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..12 {
                calls.spawn(keyed(&stage, speaker, &body, "race").send());
            }
            let mut refused = Vec::new();
            while refused.len() < 11 {
                refused.push(calls.join_next().await.unwrap().unwrap().expect_status(409));
            }
            let other = keyed(&stage, speaker, &speaker.ask(GPT, false), "race").send().await;
            assert_eq!(other.status, 422, "another body is refused while the call runs too");
            landed.open();
            let made = calls.join_next().await.unwrap().unwrap().expect_status(200);
            for answer in &refused {
                assert_eq!(code(speaker, answer), "idempotency_in_progress");
                assert_eq!(answer.header("x-should-retry"), "true");
                assert_eq!(answer.header("retry-after"), "1");
                assert_eq!(answer.header("x-receipt-id"), made.header("x-receipt-id"));
                assert!(answer.text().contains(&format!("/v1/receipts/{}", made.header("x-receipt-id"))));
            }
            assert_eq!(stage.upstream.requests().len(), n + 1);
            let again = keyed(&stage, speaker, &body, "race").send().await.expect_status(200);
            assert_eq!(again.body, made.body);
        }
    }
}

#[tokio::test]
async fn a_call_that_failed_or_was_refused_does_not_burn_its_key() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        for speaker in SPEAKERS {
            for (n, reply) in [
                Reply::json(500, &json!({"error": {"message": "boom"}})),
                Reply::json(200, &json!({"garbled": true})),
                Reply::stream().reset(),
            ]
            .into_iter()
            .enumerate()
            {
                let key = format!("fails-{n}");
                stage.answer(reply);
                let body = speaker.ask(CLAUDE, false);
                let failed = keyed(&stage, speaker, &body, &key).send().await;
                assert!(failed.status >= 500, "{}", failed.text());
                stage.answer_with(scenes::play);
                let made = keyed(&stage, speaker, &body, &key).send().await.expect_status(200);
                assert_ne!(made.header("x-receipt-id"), failed.header("x-receipt-id"));
                let again = keyed(&stage, speaker, &body, &key).send().await.expect_status(200);
                assert_eq!(again.header("x-receipt-id"), made.header("x-receipt-id"));
            }
            // Refused before anything was held: the key is free at once, for another body too.
            let _ =
                keyed(&stage, speaker, &speaker.ask(COSTLY, false), "dear").send().await.expect_status(402);
            let _ =
                keyed(&stage, speaker, &speaker.ask(CLAUDE, false), "dear").send().await.expect_status(200);
        }
        let store = stage.product.database.connect().await;
        invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_client_that_hung_up_before_anything_landed_may_ask_again() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let never = Gate::default();
        stage.answer(Reply::json(200, &anthropic::text("Hello.")).after(&never));
        let body = Speaker::Anthropic.ask(CLAUDE, false);
        let first = tokio::spawn(keyed(&stage, Speaker::Anthropic, &body, "gone").send());
        stage.upstream.arrived().at_least(1).await;
        first.abort();
        stage.upstream.abandoned().at_least(1).await;
        stage.answer_with(scenes::play);
        let made = until_free(&stage, Speaker::Anthropic, &body, "gone").await;
        assert!(made.maybe("idempotent-replay").is_none());
        assert_eq!(nano(&stage.receipt_of(&made).await["charged"]["credits"]), 17_000);
    }
}

/// Asks again for as long as the key is in use, as SDKs do.
async fn until_free(stage: &Stage, speaker: Speaker, body: &Value, key: &str) -> Answer {
    let started = std::time::Instant::now();
    loop {
        let answer = keyed(stage, speaker, body, key).send().await;
        if answer.status != 409 {
            return answer.expect_status(200);
        }
        assert!(started.elapsed() < PATIENCE, "the key stays in use: {}", answer.text());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_stream_is_replayed_only_if_it_asked_for_that() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        for speaker in SPEAKERS {
            let body = speaker.ask(CLAUDE, true);
            let first = keyed(&stage, speaker, &body, "plain").send().await.expect_status(200);
            assert!(speaker.ended_well(&first.events()));
            let refused = keyed(&stage, speaker, &body, "plain").send().await.expect_status(409);
            assert_eq!(code(speaker, &refused), "idempotency_not_replayable");
            assert_eq!(refused.header("x-should-retry"), "false");
            assert_eq!(refused.header("x-receipt-id"), first.header("x-receipt-id"));

            let call = || keyed(&stage, speaker, &body, "kept").header("x-bytespike-replay-stream", "true");
            let first = call().send().await.expect_status(200);
            let again = call().send().await.expect_status(200);
            assert_eq!(again.body, first.body);
            assert_eq!(again.header("content-type"), first.header("content-type"));
            assert_eq!(again.header("idempotent-replay"), "true");
            assert_eq!(again.header("x-receipt-id"), first.header("x-receipt-id"));
            assert_eq!(speaker.text(&again.events()), scenes::TEXT.concat());
        }
        let store = stage.product.database.connect().await;
        assert_eq!(charged(&store).await, 4 * 17_000);
        store.close().await;
    }
}

#[tokio::test]
async fn a_stream_that_broke_frees_its_key_and_one_cut_by_its_client_does_not() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        let mut body = speaker.ask(CLAUDE, true);
        body["messages"][0]["content"] = "scene:break".into();
        let broken = keyed(&stage, speaker, &body, "broken").send().await;
        assert!(speaker.error_event(&broken.events()).is_some());
        let again = keyed(&stage, speaker, &body, "broken").send().await;
        assert_ne!(again.header("x-receipt-id"), broken.header("x-receipt-id"), "it was made again");

        body["messages"][0]["content"] = "scene:slow".into();
        let mut stream = keyed(&stage, speaker, &body, "cut").stream().await;
        stream.until(|event| speaker.text_in(event).contains("Hello")).await;
        let receipt_id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
        drop(stream);
        assert_eq!(stage.receipt(&receipt_id).await["outcome"], "settled");
        let refused = keyed(&stage, speaker, &body, "cut").send().await.expect_status(409);
        assert_eq!(code(speaker, &refused), "idempotency_not_replayable");
        assert_eq!(refused.header("x-receipt-id"), receipt_id);
    }
}

#[tokio::test]
async fn an_answer_above_a_mebibyte_is_not_kept_but_charged_once_all_the_same() {
    let stage = Stage::new().await;
    stage.answer(Reply::json(200, &anthropic::text(&"a".repeat(1 << 20))));
    let body = Speaker::Anthropic.ask(CLAUDE, false);
    let _ = keyed(&stage, Speaker::Anthropic, &body, "large").send().await.expect_status(200);
    let refused = keyed(&stage, Speaker::Anthropic, &body, "large").send().await.expect_status(409);
    assert_eq!(code(Speaker::Anthropic, &refused), "idempotency_not_replayable");
    assert_eq!(stage.upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_key_that_is_none_is_400() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        let body = speaker.ask(CLAUDE, false);
        for key in ["", "with space", &"k".repeat(256)] {
            let refused = keyed(&stage, speaker, &body, key).send().await.expect_status(400);
            assert!(speaker.error(&refused).message.contains("idempotency-key"), "{}", refused.text());
        }
        let twice = keyed(&stage, speaker, &body, "a").header("idempotency-key", "b").send().await;
        assert_eq!(twice.status, 400);
        let odd =
            keyed(&stage, speaker, &body, "a").header("x-bytespike-replay-stream", "maybe").send().await;
        assert_eq!(odd.status, 200, "it is about streams only");
        let odd = keyed(&stage, speaker, &speaker.ask(CLAUDE, true), "b")
            .header("x-bytespike-replay-stream", "maybe")
            .send()
            .await;
        assert_eq!(odd.status, 400);
        let _ = keyed(&stage, speaker, &body, &"k".repeat(255)).send().await.expect_status(200);
    }
}

#[tokio::test]
async fn neither_the_key_nor_the_answer_can_be_read_from_the_database_and_both_go_after_a_day() {
    let stage = Stage::new().await;
    let body = Speaker::Anthropic.ask(CLAUDE, false);
    let _ = keyed(&stage, Speaker::Anthropic, &body, "a-telling-name").send().await.expect_status(200);
    let store = stage.product.database.connect().await;
    let stored = bytespike_tests::database::rows(&store, "select * from idempotent_call").await;
    let text = stored.concat().join(" ");
    assert!(
        stored.len() == 1 && !text.contains("a-telling-name") && !text.contains("scripted provider"),
        "{text}"
    );
    let lives = number(&store, "select expires_at_ms - claimed_at_ms from idempotent_call").await;
    assert_eq!(lives, 24 * 3_600_000);
    // A day later the same key is a new one.
    run(&store, "update idempotent_call set expires_at_ms = 1").await;
    let fresh = keyed(&stage, Speaker::Anthropic, &body, "a-telling-name").send().await.expect_status(200);
    assert!(fresh.maybe("idempotent-replay").is_none());
    store.close().await;
}

async fn run(store: &Store, sql: &'static str) {
    on_database!(store, db => sqlx::query(sql).execute(db).await.map(drop)).unwrap();
}

#[tokio::test]
async fn a_power_cut_leaves_no_key_stuck_and_charges_nothing_twice() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let never = Gate::default();
        let whole = Speaker::Anthropic.ask(CLAUDE, false);
        let landed = keyed(&stage, Speaker::Anthropic, &whole, "landed").send().await.expect_status(200);
        stage.answer(Reply::json(200, &anthropic::text("Hello.")).after(&never));
        let running = tokio::spawn(keyed(&stage, Speaker::Anthropic, &whole, "running").send());
        stage.upstream.arrived().at_least(2).await;
        stage.product.kill().await;
        assert!(running.await.is_err(), "the connection broke");
        let store = stage.product.database.connect().await;
        // A dead process is known to be dead after twenty seconds without a sign of life.
        run(&store, "update instance set seen_at_ms = 0").await;
        store.close().await;
        stage.answer_with(scenes::play);
        stage.product.start_again().await;

        let again = keyed(&stage, Speaker::Anthropic, &whole, "landed").send().await.expect_status(200);
        assert_eq!((again.body, again.headers["idempotent-replay"].to_str().unwrap()), (landed.body, "true"));
        let made = until_free(&stage, Speaker::Anthropic, &whole, "running").await;
        assert!(made.maybe("idempotent-replay").is_none());
        let store = stage.product.database.connect().await;
        assert_eq!(charged(&store).await, 2 * 17_000);
        invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn two_processes_make_one_call_and_each_replays_what_the_other_made() {
    let upstream = Upstream::start(scenes::play).await;
    let setup = Setup::scripted(&upstream.url()).on(Kind::Postgres);
    let stage = Stage::on(setup.clone(), upstream).await;
    let second = setup.start_beside(&stage.product).await;
    let landed = Gate::default();
    stage.answer(Reply::json(200, &anthropic::text("Hello.")).after(&landed));
    let body = Speaker::Anthropic.ask(CLAUDE, false);
    let call = |n: usize| {
        let url = if n.is_multiple_of(2) { &stage.product.url } else { &second.url };
        Speaker::Anthropic.call(url, &stage.key, &body).header("idempotency-key", "shared")
    };
    let mut calls = tokio::task::JoinSet::new();
    (0..16).for_each(|n| drop(calls.spawn(call(n).send())));
    for _ in 0..15 {
        let _ = calls.join_next().await.unwrap().unwrap().expect_status(409);
    }
    landed.open();
    let made = calls.join_next().await.unwrap().unwrap().expect_status(200);
    for n in 0..2 {
        let again = call(n).send().await.expect_status(200);
        assert_eq!((again.header("idempotent-replay"), &again.body), ("true", &made.body));
    }
    assert_eq!(stage.upstream.requests().len(), 1);
}
