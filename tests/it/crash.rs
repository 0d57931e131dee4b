//! A power cut in the middle of everything: nothing stays held, nothing is charged that did not land.

use bytespike_tests::database::{BOTH, Kind, number, rows};
use bytespike_tests::gate::Gate;
use bytespike_tests::invariants;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::scale;
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::scenes;

const STREAMS: usize = 50;
const LANDED: usize = 5;

#[tokio::test]
async fn s108_killed_while_fifty_streams_run_it_comes_back_with_nothing_stuck_and_nothing_overcharged() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        for round in 1..=scale("SIGKILL while 50 streams run, on each database", 1, 10) {
            println!("{database:?}, kill {round}");
            killed_while_streaming(&mut stage, round).await;
        }
    }
}

async fn killed_while_streaming(stage: &mut Stage, round: usize) {
    let mut landed = Vec::new();
    for _ in 0..LANDED {
        let answer =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        landed.push(answer.header("x-receipt-id").to_owned());
    }
    let mut streams = tokio::task::JoinSet::new();
    for n in 0..STREAMS {
        let (speaker, model) = (SPEAKERS[n % 2], [CLAUDE, GPT][n / 2 % 2]);
        let mut body = speaker.ask(model, true);
        body["messages"][0]["content"] = "scene:slow".into();
        let call = stage.call(speaker, &body);
        streams.spawn(async move {
            let mut stream = call.stream().await;
            stream.until(|event| speaker.text_in(event).contains("Hello")).await;
            stream
        });
    }
    let streams = streams.join_all().await;

    let store = stage.product.database.connect().await;
    assert_eq!(number(&store, "select count(*) from reservation where state = 'held'").await, 50);
    store.close().await;
    stage.product.kill().await;
    drop(streams);
    stage.product.start_again().await;

    let store = stage.product.database.connect().await;
    nothing_is_held(&store).await;
    invariants::hold(&store).await;
    let settled = number(&store, "select count(*) from reservation where state = 'settled'").await;
    assert_eq!(
        usize::try_from(settled).unwrap(),
        LANDED * round,
        "only what landed before the kill was charged"
    );
    let lost =
        rows(&store, "select state, reason, charged_nano from reservation where state <> 'settled'").await;
    assert_eq!(lost.len(), STREAMS * round);
    assert!(lost.iter().all(|row| row[2] == "0"), "{lost:?}");
    for id in landed {
        assert_eq!(stage.receipt(&id).await["outcome"], "settled");
    }
    store.close().await;
}

/// Recovery frees the holds of a process that is gone. On a shared database it first has to see that it is gone.
async fn nothing_is_held(store: &bytespike_store::Store) {
    let started = std::time::Instant::now();
    while number(store, "select count(*) from reservation where state = 'held'").await > 0 {
        assert!(
            started.elapsed() < 2 * bytespike_tests::PATIENCE,
            "holds of the killed process are still there"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(number(store, "select cast(sum(held_nano) as bigint) from wallet").await, 0);
}

#[tokio::test]
async fn killed_between_admission_and_answer_the_credit_is_free_again() {
    for database in [Kind::Sqlite, Kind::Postgres] {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let before = stage.balance().await;
        let never = Gate::default();
        stage.answer_with(move |request| scenes::play(request).after(&never));
        let call = stage.call(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false));
        let client = tokio::spawn(async move { call.try_stream().await.err() });
        stage.upstream.arrived().at_least(1).await;
        stage.product.kill().await;
        assert!(client.await.unwrap().is_some(), "the connection broke");
        stage.product.start_again().await;
        let store = stage.product.database.connect().await;
        nothing_is_held(&store).await;
        invariants::hold(&store).await;
        store.close().await;
        assert_eq!(stage.balance().await["available_credits"], before["available_credits"]);
    }
}
