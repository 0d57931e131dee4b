//! A client that hangs up: free before the first content, what was delivered after it.

use bytespike_tests::gate::Gate;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, anthropic, openai, scenes};

/// The receipts of everything so far, newest last, by the database: a client that hung up early has no header to read.
async fn last_receipt(stage: &Stage) -> serde_json::Value {
    let store = stage.product.database.connect().await;
    let rows = bytespike_tests::database::rows(
        &store,
        "select id from reservation order by held_at_ms desc, id desc limit 1",
    )
    .await;
    store.close().await;
    stage.receipt(&rows[0][0]).await
}

#[tokio::test]
async fn hanging_up_before_the_first_content_is_free() {
    let stage = Stage::new().await;
    let before = stage.balance().await;
    let mut calls = 0;
    for speaker in SPEAKERS {
        for (model, opening) in
            [(CLAUDE, vec![anthropic::start(anthropic::USAGE)]), (GPT, openai::text_deltas(&[]))]
        {
            stage.answer(Reply::stream().pieces(opening).hang());
            let call = stage.call(speaker, &speaker.ask(model, true));
            let client = tokio::spawn(call.try_stream());
            calls += 1;
            stage.upstream.arrived().at_least(calls).await;
            client.abort();
            stage.upstream.abandoned().at_least(calls).await;
            let receipt = last_receipt(&stage).await;
            assert_eq!(receipt["outcome"], "released", "{speaker:?} {model}: {receipt}");
            assert_eq!(receipt["reason"], "cancelled_before_content", "{speaker:?} {model}: {receipt}");
        }
    }
    assert_eq!(stage.balance().await, before);
}

#[tokio::test]
async fn s108_hanging_up_after_content_charges_what_was_delivered_and_stops_the_provider() {
    // Its answer is read on for a moment, to learn what it cost us.
    let stage = Stage::new().await;
    for (n, (speaker, model)) in [
        (Speaker::Anthropic, CLAUDE),
        (Speaker::Anthropic, GPT),
        (Speaker::OpenAi, CLAUDE),
        (Speaker::OpenAi, GPT),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = speaker.ask(model, true);
        body["messages"][0]["content"] = "scene:slow".into();
        let mut stream = stage.stream(speaker, &body).await;
        let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
        stream.until(|event| speaker.text_in(event).contains("Hello")).await;
        drop(stream);
        stage.upstream.abandoned().at_least(n + 1).await;
        let receipt = stage.receipt(&id).await;
        assert_eq!(receipt["outcome"], "settled", "{speaker:?} {model}: {receipt}");
        let (charged, held) = (nano(&receipt["charged"]["credits"]), nano(&receipt["held"]["credits"]));
        assert!(0 < charged && charged < held, "{speaker:?} {model}: {receipt}");
    }
}

#[tokio::test]
async fn hanging_up_on_a_whole_answer_before_it_is_there_is_free() {
    let stage = Stage::new().await;
    let never = Gate::default();
    for (n, speaker) in SPEAKERS.into_iter().enumerate() {
        let held_back = never.clone();
        stage.answer_with(move |request| scenes::play(request).after(&held_back));
        let client = tokio::spawn(stage.call(speaker, &speaker.ask(CLAUDE, false)).try_stream());
        stage.upstream.arrived().at_least(n + 1).await;
        client.abort();
        stage.upstream.abandoned().at_least(n + 1).await;
        assert_eq!(last_receipt(&stage).await["outcome"], "released");
    }
}

#[tokio::test]
async fn hanging_up_after_the_last_event_changes_nothing() {
    let stage = Stage::new().await;
    let mut stream = stage.stream(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, true)).await;
    let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
    stream.until(|event| event.name == "message_stop").await;
    drop(stream);
    let receipt = stage.receipt(&id).await;
    assert_eq!((&receipt["outcome"], &receipt["charged"]["credits"]), (&"settled".into(), &"17.000".into()));
}
