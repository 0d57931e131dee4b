//! A deployment: running streams finish, new calls are told to come back, and the process ends by itself.

use bytespike_tests::gate::Gate;
use bytespike_tests::http::Call;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, anthropic, openai};

#[tokio::test]
async fn running_streams_finish_and_are_charged_before_the_process_ends() {
    let mut stage = Stage::new().await;
    let rest = Gate::default();
    let held_back = rest.clone();
    stage.answer_with(move |request| {
        let events = if request.path.contains("/messages") {
            anthropic::text_stream(&["one ", "two"])
        } else {
            openai::text_stream(&["one ", "two"])
        };
        Reply::stream().pieces(&events[..3]).wait(&held_back).pieces(&events[3..]).done()
    });
    let mut streams = Vec::new();
    for (speaker, model) in [(Speaker::Anthropic, CLAUDE), (Speaker::OpenAi, GPT)] {
        let mut body = speaker.ask(model, true);
        if speaker == Speaker::OpenAi {
            body["stream_options"] = serde_json::json!({"include_usage": true});
        }
        let mut stream = stage.stream(speaker, &body).await;
        stream.until(|event| speaker.text_in(event).contains("one")).await;
        streams.push((speaker, stream));
    }

    stage.product.terminate().await;
    until_not_ready(&stage).await;
    rest.open();
    for (speaker, stream) in streams {
        let answer = stream.rest().await;
        let events = answer.events();
        assert!(speaker.ended_well(&events), "{speaker:?}: {}", answer.text());
        assert_eq!(speaker.last_usage(&events)["cost_credits"], "17.000");
    }
    assert!(stage.product.ended().await.success(), "{}", stage.product.log());

    stage.product.start_again().await;
    let store = stage.product.database.connect().await;
    bytespike_tests::invariants::hold(&store).await;
    assert_eq!(
        bytespike_tests::database::number(&store, "select count(*) from reservation where state = 'settled'")
            .await,
        2
    );
    store.close().await;
}

/// New work is refused from the signal on, by a 503 or by a closed door.
async fn until_not_ready(stage: &Stage) {
    let started = std::time::Instant::now();
    while let Ok(answer) = Call::get(stage.product.at("/readyz")).try_stream().await {
        if answer.status == 503 {
            return;
        }
        assert!(started.elapsed() < bytespike_tests::PATIENCE, "still ready after SIGTERM");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_stream_that_outlasts_the_grace_is_ended_by_us_and_free() {
    let mut stage = Stage::with(|setup| setup.settings("shutdown_grace_ms = 300")).await;
    let mut streams = Vec::new();
    for speaker in SPEAKERS {
        let mut body = speaker.ask(CLAUDE, true);
        body["messages"][0]["content"] = "scene:slow".into();
        let mut stream = stage.stream(speaker, &body).await;
        stream.until(|event| speaker.text_in(event).contains("Hello")).await;
        streams.push((speaker, stream.headers["x-receipt-id"].to_str().unwrap().to_owned(), stream));
    }
    stage.product.terminate().await;
    let mut ids = Vec::new();
    for (speaker, id, stream) in streams {
        let (answer, _) = stream.rest_or_cut().await;
        assert!(!speaker.ended_well(&answer.events()), "{}", answer.text());
        ids.push(id);
    }
    stage.product.ended().await;
    stage.product.start_again().await;
    for id in ids {
        let receipt = stage.receipt(&id).await;
        assert_eq!(receipt["charged"]["credits"], "0.000", "ended by us: {receipt}");
    }
}
