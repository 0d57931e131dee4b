//! Spend limits of a key and of the organisation: a call needs room in all of them, and a refusal names the one that binds.

use bytespike_store::{on_database, sqlx};
use bytespike_tests::database::{BOTH, number};
use bytespike_tests::invariants;
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano_header};

#[tokio::test]
async fn a_key_without_room_is_refused_and_the_others_are_not() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let limited = stage.person.create_key("limited", &[("limit_lifetime", "0.00001")]).await;
        let unlimited = std::mem::replace(&mut stage.key, limited);
        for speaker in SPEAKERS {
            let answer = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(402);
            let error = speaker.error(&answer);
            assert!(error.message.contains("key"), "the refusal names what binds: {error:?}");
            assert_eq!(answer.header("x-should-retry"), "false");
        }
        stage.key = unlimited;
        let _ =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        assert_eq!(stage.upstream.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_window_that_is_used_up_is_429_with_its_reset() {
    let mut stage = Stage::new().await;
    stage.key = stage.person.create_key("daily", &[("limit_1d", "0.0001")]).await;
    let mut landed = 0;
    let refused = loop {
        let answer = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(CLAUDE, false)).await;
        if answer.status != 200 {
            break answer;
        }
        landed += 1;
        assert!(nano_header(&answer, "x-quota-remaining-credits") <= 100_000);
        assert_eq!(nano_header(&answer, "x-ratelimit-limit"), 100_000);
        assert!(answer.header("x-ratelimit-reset").parse::<i64>().unwrap() > 1_600_000_000);
        assert!(landed < 10, "the limit of 100 credits lets no ten calls of 17 through");
    };
    assert!(landed > 0);
    let error = Speaker::OpenAi.error(&refused.clone().expect_status(429));
    assert_eq!(error.code.as_deref(), Some("quota_exceeded"));
    assert_eq!(refused.header("x-should-retry"), "false", "the reset is hours away");
    let store = stage.product.database.connect().await;
    invariants::hold(&store).await;
    assert!(number(&store, "select used_nano from spend_limit where window_kind = '1d'").await <= 100_000);
    store.close().await;
}

#[tokio::test]
async fn the_organisations_limit_binds_every_key() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let _ =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        let store = stage.product.database.connect().await;
        let set = "insert into spend_limit (node_id, window_kind, org_id, limit_nano, used_nano, opened_at_ms, ends_at_ms)
            select 'org:' || org_id, 'lifetime', org_id, 20000, 17000, 0, 9000000000000 from wallet";
        on_database!(&store, db => sqlx::query(set).execute(db).await.map(drop)).unwrap();
        let answer =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(402);
        let error = Speaker::Anthropic.error(&answer);
        assert!(
            error.message.contains("organisation") || error.message.contains("organization"),
            "{error:?}"
        );
        invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn many_calls_at_once_cannot_pass_a_limit() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        stage.key = stage.person.create_key("narrow", &[("limit_lifetime", "0.0003")]).await;
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..32 {
            calls.spawn(stage.call(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).send());
        }
        let statuses: Vec<u16> = calls.join_all().await.iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 402)), "{statuses:?}");
        assert!(statuses.contains(&200) && statuses.contains(&402), "{statuses:?}");
        let store = stage.product.database.connect().await;
        invariants::hold(&store).await;
        assert!(
            number(&store, "select used_nano from spend_limit where window_kind = 'lifetime'").await
                <= 300_000
        );
        store.close().await;
    }
}
