//! Webhooks through the front door: what happens is told to a real receiver, signed, at least once, and written down.

use bytespike_tests::database::{BOTH, Kind, number, rows};
use bytespike_tests::gate::Gate;
use bytespike_tests::http::Call;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, Upstream};
use bytespike_tests::webhooks::{Hook, ask, is_signed_with, reaching, receiver};
use serde_json::{Value, json};

/// A secret on the page that shows it.
fn secret_in(page: &str) -> String {
    let at = page.find("whsec_").expect("a secret on the page");
    page[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_+/=".contains(*c)).collect()
}

#[tokio::test]
async fn what_happens_is_told_signed_and_shown_with_its_answer() {
    for database in BOTH {
        let receiver = receiver().await;
        receiver.answer_with(|_| Reply::whole(200, "text/html", b"<script>alert(1)</script>".to_vec()));
        let mut stage = Stage::with(|setup| reaching(setup.on(database), &receiver, "")).await;
        let page = stage.person.open("/console/webhooks/new").await.expect_status(200);
        let form = Form::with(&page.text(), "url").set("url", &format!("{}/hook?from=here", receiver.url()));
        let shown = stage.person.submit(&form).await.expect_status(200).text();
        let secret = secret_in(&shown);
        let again = stage.person.submit(&form).await.expect_status(200).text();
        assert_eq!(secret_in(&again), secret, "sending the form twice adds one");

        // The balance falls below what the org wants to be told of.
        let admin = stage.person.create_key("admin", &[("org_admin", "on"), ("webhooks_manage", "on")]).await;
        let set = Call::new("PUT", stage.product.at("/api/v1/alerts/low_balance"))
            .header("x-api-key", &*admin)
            .header("content-type", "application/json")
            .body(json!({ "threshold_credits": "1000000" }).to_string());
        let _ = set.send().await.expect_status(200);
        let _ =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        receiver.arrived().at_least(1).await;

        let told = receiver.last();
        assert!(is_signed_with(&told, &secret), "{:?}", told.headers);
        assert_eq!((told.method.as_str(), told.path.as_str()), ("POST", "/hook?from=here"));
        assert_eq!(told.header("content-type"), Some("application/json"));
        let body = told.json();
        assert_eq!(body["type"], "balance.low");
        assert_eq!(body["id"].as_str(), told.header("webhook-id"));
        assert_eq!(body["data"]["threshold_credits"], "1000000.000");

        let list = stage.person.open("/console/webhooks").await.expect_status(200).text();
        let id = list.split("/console/webhooks/whe_").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let hook = Hook { id: format!("whe_{id}"), secret, key: admin };
        let messages = hook.ask(&stage, ("GET", "/messages"), &Value::Null).await.expect_status(200).json();
        let message = messages["data"][0]["id"].as_str().unwrap().to_owned();
        let shown = hook.ended(&stage, &message).await;
        assert_eq!((&shown["state"], &shown["attempts"][0]["status"]), (&json!("delivered"), &json!(200)));
        let page = stage.person.open(&format!("/console/webhooks/{}/messages/{message}", hook.id)).await;
        let page = page.expect_status(200).text();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"), "the answer is text");
        assert_eq!(receiver.requests().len(), 1, "told once");

        let once = stage.person.open(&format!("/console/webhooks/{}/secret", hook.id)).await;
        assert!(!once.expect_status(200).text().contains("whsec_"), "a secret is shown once");
        let store = stage.product.database.connect().await;
        let kept = rows(&store, "select sealed from webhook_secret").await;
        assert!(kept.iter().all(|row| !row[0].contains("whsec_")), "sealed");
        store.close().await;
    }
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_then_given_up_and_can_be_sent_again() {
    let receiver = receiver().await;
    let mut stage = Stage::with(|setup| reaching(setup, &receiver, "")).await;
    let hook = Hook::add(&mut stage, &receiver).await;
    receiver.answer_with(|_| Reply::json(500, &json!({ "why": "broken" })));
    let message = hook.test(&stage).await;
    let shown = hook.ended(&stage, &message).await;
    assert_eq!((&shown["state"], &shown["tries"]), (&json!("given_up"), &json!(3)));
    let statuses: Vec<&Value> =
        shown["attempts"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [500, 500, 500]);
    assert!(shown["attempts"][0]["answer"].as_str().unwrap().contains("broken"));
    let failing = hook.ask(&stage, ("GET", ""), &Value::Null).await.json();
    assert!(failing["failing_since"].is_string() && failing["state"] == "on", "{failing}");

    receiver.answer_with(|_| Reply::json(204, &Value::Null));
    let again = hook.ask(&stage, ("POST", &format!("/messages/{message}/resend")), &Value::Null).await;
    let _ = again.expect_status(202);
    assert_eq!(hook.ended(&stage, &message).await["state"], "delivered");
    let ids: Vec<Option<String>> =
        receiver.requests().iter().map(|request| request.header("webhook-id").map(str::to_owned)).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "each try has the same id: {ids:?}");
    let bodies = receiver.requests().iter().map(|request| request.body.clone()).collect::<Vec<_>>();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "and the same bytes");
    assert_eq!(hook.ask(&stage, ("GET", ""), &Value::Null).await.json()["failing_since"], Value::Null);
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_sign_and_afterwards_one() {
    let receiver = receiver().await;
    let mut stage = Stage::with(|setup| reaching(setup, &receiver, "")).await;
    let hook = Hook::add(&mut stage, &receiver).await;
    let rotate = async |overlap: i64| {
        let made = hook.ask(&stage, ("POST", "/rotate"), &json!({ "overlap_seconds": overlap })).await;
        made.expect_status(201).json()["secret"].as_str().unwrap().to_owned()
    };
    let second = rotate(3_600).await;
    let message = hook.test(&stage).await;
    hook.ended(&stage, &message).await;
    let told = receiver.last();
    assert!(is_signed_with(&told, &hook.secret) && is_signed_with(&told, &second));
    let third = rotate(0).await;
    let message = hook.test(&stage).await;
    hook.ended(&stage, &message).await;
    let told = receiver.last();
    assert!(is_signed_with(&told, &third));
    assert!(!is_signed_with(&told, &hook.secret) && !is_signed_with(&told, &second), "at once");
    let refused = hook.ask(&stage, ("POST", "/rotate"), &json!({ "overlap_seconds": 604_801 })).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}

/// The process dies after the receiver has the message and before that is written down.
#[tokio::test]
async fn a_crash_between_sending_and_recording_sends_again_under_the_same_id() {
    for database in BOTH {
        let receiver = receiver().await;
        let mut stage = Stage::with(|setup| reaching(setup.on(database), &receiver, "")).await;
        let hook = Hook::add(&mut stage, &receiver).await;
        let gate = Gate::default();
        let waiting = gate.clone();
        receiver.answer_with(move |_| Reply::json(200, &json!({})).after(&waiting));
        let message = hook.test(&stage).await;
        receiver.arrived().at_least(1).await;
        stage.product.kill().await;
        gate.open();
        stage.product.start_again().await;
        let shown = hook.ended(&stage, &message).await;
        assert_eq!(shown["state"], "delivered");
        let requests = receiver.requests();
        assert_eq!(requests.len(), 2, "at least once");
        assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
        assert_eq!(requests[0].body, requests[1].body);
    }
}

#[tokio::test]
async fn several_processes_send_each_message_once() {
    let receiver = receiver().await;
    let upstream = Upstream::start(bytespike_tests::upstream::scenes::play).await;
    let setup = bytespike_tests::product::Setup::scripted(&upstream.url()).on(Kind::Postgres);
    let setup = reaching(setup, &receiver, "");
    let mut stage = Stage::on(setup.clone(), upstream).await;
    let second = setup.start_beside(&stage.product).await;
    let hook = Hook::add(&mut stage, &receiver).await;
    let mut messages = Vec::new();
    for _ in 0..20 {
        messages.push(hook.test(&stage).await);
    }
    for message in &messages {
        assert_eq!(hook.ended(&stage, message).await["state"], "delivered");
    }
    let mut ids: Vec<String> =
        receiver.requests().iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect();
    let sent = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((sent, ids.len()), (20, 20));
    drop(second);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_slow_answer_is_not_waited_for() {
    let receiver = receiver().await;
    let mut stage = Stage::with(|setup| reaching(setup, &receiver, "")).await;
    let hook = Hook::add(&mut stage, &receiver).await;
    let elsewhere = format!("{}/elsewhere", receiver.url());
    receiver.answer_with(move |_| Reply::json(302, &json!({})).header("location", &elsewhere));
    let message = hook.test(&stage).await;
    assert_eq!(hook.ended(&stage, &message).await["attempts"][0]["status"], 302);
    assert!(receiver.requests().iter().all(|request| request.path == "/hook"), "s79");

    receiver.answer_with(|_| Reply::silence());
    let message = hook.test(&stage).await;
    let attempt = hook.ended(&stage, &message).await["attempts"][0].clone();
    assert_eq!((&attempt["status"], &attempt["duration_ms"]), (&Value::Null, &Value::Null), "s83");

    let long = "x".repeat(1_000_000);
    receiver.answer_with(move |_| Reply::whole(200, "text/plain", long.clone().into_bytes()));
    let message = hook.test(&stage).await;
    let shown = hook.ended(&stage, &message).await;
    assert_eq!(shown["attempts"][0]["answer"].as_str().unwrap().len(), 1_024);
}

#[tokio::test]
async fn s78_an_address_of_a_private_network_is_refused_and_nothing_listed_is_reached() {
    let receiver = receiver().await;
    let mut stage = Stage::new().await;
    let key = stage.person.create_key("hooks", &[("webhooks_manage", "on")]).await;
    for url in [
        "http://example.com/",
        "https://example.com:8443/",
        "https://someone:secret@example.com/",
        "https://127.0.0.1/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "ftp://example.com/",
        "example.com",
        "javascript:alert(1)",
        &receiver.url(),
    ] {
        let refused = ask(&stage, &key, ("POST", ""), &json!({ "url": url })).await;
        assert_eq!(refused.status, 400, "{url}: {}", refused.text());
        assert_eq!(refused.json()["error"]["param"], "url", "{url}");
        let page = stage.person.open("/console/webhooks/new").await.expect_status(200);
        let form = Form::with(&page.text(), "url").set("url", url);
        assert_eq!(stage.person.submit_only(&form).await.status, 422, "{url}");
    }
    // Names that only a resolver understands pass the form and are not connected to.
    for host in ["localhost", "127.1", "2130706433"] {
        let made = ask(&stage, &key, ("POST", ""), &json!({ "url": format!("https://{host}/") })).await;
        let made = made.expect_status(201).json();
        let hook =
            Hook { id: made["id"].as_str().unwrap().to_owned(), secret: String::new(), key: key.clone() };
        let message = hook.test(&stage).await;
        let path = format!("/messages/{message}");
        let started = std::time::Instant::now();
        let attempt = loop {
            let shown = hook.ask(&stage, ("GET", &path), &Value::Null).await.expect_status(200).json();
            if let Some(attempt) = shown["attempts"].get(0) {
                break attempt.clone();
            }
            assert!(started.elapsed() < bytespike_tests::PATIENCE, "{shown}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert_eq!(attempt["status"], Value::Null, "{host}");
        let _ = hook.ask(&stage, ("DELETE", ""), &Value::Null).await.expect_status(204);
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_fails_for_too_long_or_is_gone_is_switched_off_and_that_is_told() {
    for (status, settings) in [(500, "switch_off_after_hours = 0"), (410, "")] {
        let receiver = receiver().await;
        let mut stage = Stage::with(|setup| reaching(setup, &receiver, settings)).await;
        let hook = Hook::add(&mut stage, &receiver).await;
        receiver.answer_with(move |_| Reply::json(status, &json!({})));
        let message = hook.test(&stage).await;
        assert_eq!(hook.ended(&stage, &message).await["state"], "given_up");
        let store = stage.product.database.connect().await;
        let started = std::time::Instant::now();
        while number(&store, "select count(*) from outbox where kind = 'webhook_failed'").await == 0 {
            assert!(started.elapsed() < bytespike_tests::PATIENCE, "{status}: nobody was told");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(
            number(&store, "select count(*) from audit_event where event = 'webhook.switched_off'").await,
            1
        );
        assert_eq!(hook.ask(&stage, ("GET", ""), &Value::Null).await.json()["state"], "failed");
        let page = stage.person.open(&format!("/console/webhooks/{}", hook.id)).await.expect_status(200);
        assert!(page.text().contains("switched off"), "{status}");
        let on = hook.ask(&stage, ("PATCH", ""), &json!({ "state": "on" })).await.expect_status(200).json();
        assert_eq!((&on["state"], &on["failing_since"]), (&json!("on"), &Value::Null));
        store.close().await;
    }
}

#[tokio::test]
async fn the_api_adds_once_changes_and_removes_and_only_for_who_may() {
    for database in BOTH {
        let receiver = receiver().await;
        let mut stage =
            Stage::with(|setup| reaching(setup.on(database), &receiver, "max_endpoints = 2")).await;
        let key = stage.person.create_key("hooks", &[("webhooks_manage", "on")]).await;
        let body = json!({ "url": format!("{}/a", receiver.url()), "events": ["key.leaked", "balance.low"] });
        let add = async |idempotency: &str, body: &Value| {
            let call = Call::post(stage.product.at("/api/v1/webhooks"), body).header("x-api-key", &*key);
            call.header("idempotency-key", idempotency).send().await
        };
        let first = add("one", &body).await.expect_status(201).json();
        assert_eq!(first["events"], json!(["balance.low", "key.leaked"]));
        assert_eq!(add("one", &body).await.expect_status(201).json(), first, "the same once more");
        let other = json!({ "url": format!("{}/b", receiver.url()) });
        assert_eq!(add("one", &other).await.status, 422);
        let second = add("two", &other).await.expect_status(201).json();
        assert_eq!(add("three", &other).await.status, 409, "as many as there may be");
        assert_eq!(add("", &other).await.status, 400);

        let path = format!("/{}", second["id"].as_str().unwrap());
        let change = json!({ "description": "mine", "events": ["*"], "state": "off" });
        let changed = ask(&stage, &key, ("PATCH", &path), &change).await.expect_status(200).json();
        assert_eq!(
            (&changed["description"], &changed["events"], &changed["state"]),
            (&json!("mine"), &Value::Null, &json!("off"))
        );
        assert_eq!(changed["secrets"].as_array().map(Vec::len), Some(1));
        for wrong in [
            json!({ "events": [] }),
            json!({ "events": ["weather"] }),
            json!({ "state": "failed" }),
            json!({ "url": "http://example.com" }),
            json!({ "secret": "x" }),
        ] {
            assert_eq!(ask(&stage, &key, ("PATCH", &path), &wrong).await.status, 400, "{wrong}");
        }
        let _ = ask(&stage, &key, ("DELETE", &path), &Value::Null).await.expect_status(204);
        assert_eq!(ask(&stage, &key, ("GET", &path), &Value::Null).await.status, 404);
        let list = ask(&stage, &key, ("GET", ""), &Value::Null).await.expect_status(200).json();
        assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
        assert!(!list.to_string().contains("whsec_"));

        assert_eq!(ask(&stage, &stage.key, ("GET", ""), &Value::Null).await.status, 403);
        let store = stage.product.database.connect().await;
        let written = rows(
            &store,
            "select event, detail_json from audit_event where event like 'webhook.%' order by seq",
        )
        .await;
        let events: Vec<&str> = written.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(events, ["webhook.created", "webhook.created", "webhook.changed", "webhook.removed"]);
        assert!(written.iter().all(|row| !row[1].contains("whsec_")));
        store.close().await;

        let link = stage.person.invite("dev@example.com", "developer").await;
        let mut developer = Person::new(&stage.product, "dev@example.com");
        developer.sign_up().await;
        developer.accept(&link).await;
        assert_eq!(developer.get("/console/webhooks").await.status, 403);
    }
}
