//! `/api/v1/alerts`: what is set is what is told, and only who manages the org sets it.

use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::limits::admin;
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano};
use serde_json::{Value, json};

async fn ask(stage: &Stage, key: &str, (method, path): (&str, &str), body: Option<&Value>) -> Answer {
    let call = Call::new(method, stage.product.at(path)).header("x-api-key", key);
    match body {
        Some(body) => call.header("content-type", "application/json").body(body.to_string()).send().await,
        None => call.send().await,
    }
}

async fn alerts(stage: &Stage, key: &str) -> Value {
    ask(stage, key, ("GET", "/api/v1/alerts"), None).await.expect_status(200).json()["data"].clone()
}

/// Kinds of what the org was told.
async fn told(stage: &Stage) -> Vec<String> {
    let store = stage.product.database.connect().await;
    let kinds = rows(&store, "select kind from outbox order by id").await.into_iter().flatten().collect();
    store.close().await;
    kinds
}

async fn call(stage: &Stage) {
    let _ = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
}

#[tokio::test]
async fn an_alert_is_set_told_changed_and_turned_off() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let admin = admin(&mut stage).await;
        let off = json!([{"alert": "low_balance", "enabled": false}, {"alert": "limits", "enabled": true}]);
        assert_eq!(alerts(&stage, &admin).await, off);
        call(&stage).await;
        assert!(told(&stage).await.is_empty());

        let balance = nano(&stage.balance().await["posted_credits"]);
        let threshold = format!("{}.{:03}", balance / 1_000, balance % 1_000);
        let low = ("PUT", "/api/v1/alerts/low_balance");
        let body = json!({"threshold_credits": threshold});
        let set = ask(&stage, &admin, low, Some(&body)).await.expect_status(200).json();
        let expected = json!({"alert": "low_balance", "enabled": true, "threshold_credits": threshold});
        assert_eq!(set, expected);
        assert_eq!(alerts(&stage, &admin).await[0], expected);
        call(&stage).await;
        assert_eq!(told(&stage).await.len(), 1, "the balance fell below it");
        call(&stage).await;
        assert_eq!(told(&stage).await, ["low_balance"], "once");

        for name in ["low_balance", "limits"] {
            let path = format!("/api/v1/alerts/{name}");
            for _ in 0..2 {
                let _ = ask(&stage, &admin, ("DELETE", &path), None).await.expect_status(204);
            }
        }
        assert_eq!(alerts(&stage, &admin).await[1]["enabled"], false);
        let again = ask(&stage, &admin, ("PUT", "/api/v1/alerts/limits"), Some(&json!({}))).await;
        assert_eq!(again.expect_status(200).json(), json!({"alert": "limits", "enabled": true}));
        assert_eq!(alerts(&stage, &admin).await, off, "one does not undo the other");

        let store = stage.product.database.connect().await;
        let audited = rows(&store, "select event from audit_event where event = 'alert.set'").await;
        assert_eq!(audited.len(), 6, "every change is on record");
        store.close().await;
    }
}

#[tokio::test]
async fn who_may_not_and_what_cannot_be_is_refused() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let reading = stage.person.create_key("reads", &[("org_usage", "on")]).await;
    let (list, low) = (("GET", "/api/v1/alerts"), "/api/v1/alerts/low_balance");
    let body = json!({"threshold_credits": "5"});
    assert_eq!(ask(&stage, &stage.key, list, None).await.status, 403);
    assert_eq!(ask(&stage, &reading, list, None).await.status, 200);
    for key in [&stage.key, &reading] {
        let refused = ask(&stage, key, ("PUT", low), Some(&body)).await.expect_status(403).text();
        assert!(refused.contains("org:admin"), "{refused}");
        assert_eq!(ask(&stage, key, ("DELETE", low), None).await.status, 403);
    }
    for wrong in [
        json!({}),
        json!({"threshold_credits": "0"}),
        json!({"threshold_credits": "-1"}),
        json!({"threshold_credits": "1.0001"}),
        json!({"threshold_credits": 5}),
        json!({"threshold": "5"}),
        json!({"threshold_credits": "99999999999999999999"}),
    ] {
        let refused = ask(&stage, &admin, ("PUT", low), Some(&wrong)).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text());
    }
    let limits = "/api/v1/alerts/limits";
    assert_eq!(ask(&stage, &admin, ("PUT", limits), Some(&body)).await.status, 400);
    assert_eq!(ask(&stage, &admin, ("PUT", "/api/v1/alerts/weather"), Some(&body)).await.status, 404);
    let posted = ask(&stage, &admin, ("POST", low), Some(&body)).await.expect_status(405);
    assert_eq!(posted.header("allow"), "PUT, DELETE");
    assert_eq!(alerts(&stage, &admin).await[0]["enabled"], false, "nothing was changed");
}
