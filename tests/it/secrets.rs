//! Secrets stay where they are. Every other test looks for them too, in all it reads and in the log.

use bytespike_tests::canary;
use bytespike_tests::http::Call;
use bytespike_tests::product::{CLAUDE, Process};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::Reply;
use serde_json::json;

#[tokio::test]
async fn s127_a_checked_configuration_is_printed_without_its_secrets() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = format!(
        "[mail]\nsmtp_password = \"{}\"\n[[channels]]\nid = \"a\"\nprovider = \"anthropic\"\ndialect = \"anthropic\"\n\
         base_url = \"http://127.0.0.1:1\"\napi_key = \"{}\"\n",
        canary::PASSWORD,
        canary::UPSTREAM_KEY
    );
    std::fs::write(folder.path().join("bytespike.toml"), config).unwrap();
    let environment = [("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY)];
    let mut process = Process::start(folder.path(), &["check-config"], &environment);
    // The process's whole output is searched when it is dropped.
    let printed = process.printed("base_url").await;
    assert!(printed.contains("http://127.0.0.1:1"), "{printed}");
}

#[tokio::test]
async fn s121_a_provider_that_repeats_its_key_in_an_error_does_not_give_it_away() {
    let stage = Stage::new().await;
    let told = format!("invalid x-api-key {}", canary::UPSTREAM_KEY);
    for status in [400, 401, 500] {
        stage.answer(Reply::json(
            status,
            &json!({"type": "error", "error": {"type": "api_error", "message": told}}),
        ));
        for speaker in SPEAKERS {
            let answer = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await;
            assert_ne!(answer.status, 401, "the client's key is fine");
            speaker.error(&answer);
            let _ = stage.receipt_of(&answer).await;
        }
    }
}

#[tokio::test]
async fn s129_metrics_count_calls_and_name_no_one() {
    let stage = Stage::new().await;
    let _ = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    let metrics = Call::get(stage.product.at("/metrics")).send().await.expect_status(200).text();
    assert!(metrics.lines().any(|line| !line.starts_with('#') && !line.is_empty()), "{metrics}");
    assert!(!metrics.contains(&stage.key) && !metrics.contains(&stage.person.email), "{metrics}");
}
