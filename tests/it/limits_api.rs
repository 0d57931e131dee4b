//! `/api/v1/limits`: who may see and set which limits, what is refused, and what a change does.

use bytespike_tests::PATIENCE;
use bytespike_tests::database::{BOTH, Kind, rows};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::keys::derive;
use bytespike_tests::limits::{admin, node, set, try_set};
use bytespike_tests::person::Person;
use bytespike_tests::product::{CLAUDE, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Upstream, scenes};
use serde_json::{Value, json};

async fn get(stage: &Stage, key: &str, path: &str) -> Answer {
    Call::get(stage.product.at(&format!("/api/v1/{path}"))).header("x-api-key", key).send().await
}

async fn delete(stage: &Stage, key: &str, path: &str) -> Answer {
    Call::new("DELETE", stage.product.at(&format!("/api/v1/limits/{path}")))
        .header("x-api-key", key)
        .send()
        .await
}

/// The error, after checking that it has the one shape.
fn error(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    let error = &body["error"];
    assert_eq!(error["request_id"], answer.header("request-id"), "{body}");
    assert!(
        error["code"].is_string() && error["message"].is_string() && error["details"].is_object(),
        "{body}"
    );
    assert_eq!(body.as_object().unwrap().len(), 1);
    error.clone()
}

#[tokio::test]
async fn every_limit_of_every_node_is_set_shown_changed_and_removed() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let admin = admin(&mut stage).await;
        let _ =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        for kind in ["org:", "dep:", "mem:", "key:"] {
            let name = if kind == "key:" { "test" } else { "" };
            let node = node(&stage, &admin, kind, name).await;
            for limit in ["lifetime", "month", "5h", "1d", "7d", "credits_per_call"] {
                set(&stage, &admin, &format!("{node}/{limit}"), &json!({"limit_credits": "900.5"})).await;
                set(&stage, &admin, &format!("{node}/{limit}"), &json!({"limit_credits": "800"})).await;
            }
            for limit in ["requests_per_minute", "concurrent_calls"] {
                set(&stage, &admin, &format!("{node}/{limit}"), &json!({"limit_count": 50})).await;
            }
            let shown = get(&stage, &admin, &format!("limits/{node}")).await.expect_status(200).json();
            let limits = shown["limits"].as_array().unwrap();
            assert_eq!(limits.len(), 8, "{shown}");
            let named = |name: &str| limits.iter().find(|limit| limit["limit"] == name).unwrap();
            let lifetime = named("lifetime");
            assert_eq!(lifetime["limit_credits"], "800.000");
            assert_eq!(lifetime["used_credits"], "17.000", "what was spent before counts");
            assert_eq!(lifetime["held_credits"], "0.000");
            assert_eq!(lifetime["remaining_credits"], "783.000");
            assert!(lifetime.get("resets_at").is_none());
            assert!(named("month")["resets_at"].as_str().unwrap().ends_with('Z'));
            assert_eq!(
                named("credits_per_call"),
                &json!({"limit": "credits_per_call", "limit_credits": "800.000"})
            );
            assert_eq!(named("concurrent_calls"), &json!({"limit": "concurrent_calls", "limit_count": 50}));
            for limit in limits {
                let path = format!("{node}/{}", limit["limit"].as_str().unwrap());
                for _ in 0..2 {
                    assert_eq!(delete(&stage, &admin, &path).await.status, 204);
                }
            }
            let shown = get(&stage, &admin, &format!("limits/{node}")).await.expect_status(200).json();
            assert_eq!(shown["limits"], json!([]));
        }
        let store = stage.product.database.connect().await;
        let events = rows(
            &store,
            "select event, actor, target, detail_json from audit_event where event like 'limit.%'",
        )
        .await;
        assert_eq!(events.len(), 4 * (6 * 2 + 2 + 8), "every change, and nothing that changed nothing");
        assert!(
            events.iter().all(|event| event[1].starts_with("key:") && event[2].contains(':')),
            "{events:?}"
        );
        let change = events.iter().find(|event| event[3].contains("800.000 credits")).unwrap();
        let detail: Value = serde_json::from_str(&change[3]).unwrap();
        assert_eq!(
            (&detail["before"], &detail["after"]),
            (&json!({"lifetime": "900.500 credits"}), &json!({"lifetime": "800.000 credits"}))
        );
        store.close().await;
    }
}

#[tokio::test]
async fn a_key_sees_its_way_and_sets_only_what_its_scopes_reach() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let admin = admin(&mut stage).await;
        let manager =
            stage.person.create_key("manager", &[("limits_manage", "on"), ("keys_derive", "on")]).await;
        let parent = node(&stage, &admin, "key:", "manager").await;
        let (child, secret) = derive(&stage, &manager, &json!({"name": "child"})).await;
        let child = format!("key:{child}");
        let (org, member) = (node(&stage, &admin, "org:", "").await, node(&stage, &admin, "mem:", "").await);
        let own_of_admin = node(&stage, &admin, "key:", "admin").await;
        let body = json!({"limit_count": 9});
        let at = |node: &str| format!("{node}/concurrent_calls");
        set(&stage, &admin, &at(&parent), &body).await;

        // Below itself, yes; itself, above and beside, no.
        set(&stage, &manager, &at(&child), &body).await;
        for node in [&parent, &org, &member] {
            let refused = try_set(&stage, &manager, &at(node), &body).await;
            assert_eq!(error(&refused, 403)["code"], "permission_denied");
            assert_eq!(error(&delete(&stage, &manager, &at(node)).await, 403)["code"], "permission_denied");
            assert_eq!(get(&stage, &manager, &format!("limits/{node}")).await.status, 200);
        }
        for hidden in [&own_of_admin, "key:key_none", "org:another", "dep:", "nonsense"] {
            for answer in [
                get(&stage, &manager, &format!("limits/{hidden}")).await,
                try_set(&stage, &manager, &at(hidden), &body).await,
                delete(&stage, &manager, &at(hidden)).await,
            ] {
                assert_eq!(error(&answer, 404)["code"], "not_found", "{hidden}");
            }
        }
        // A key without a managing scope reads its own way, and sets nothing.
        let list = get(&stage, &secret, "limits").await.expect_status(200).json();
        let ids: Vec<&str> =
            list["data"].as_array().unwrap().iter().map(|n| n["node"].as_str().unwrap()).collect();
        assert!(
            ids.contains(&&*child) && ids.contains(&&*parent) && !ids.contains(&&*own_of_admin),
            "{ids:?}"
        );
        assert!(list["data"].as_array().unwrap().iter().all(|node| node["can_set"] == false));
        assert_eq!(
            error(&try_set(&stage, &secret, &at(&child), &body).await, 403)["code"],
            "permission_denied"
        );
        // Not even an admin key sets what binds itself.
        assert_eq!(
            error(&try_set(&stage, &admin, &at(&own_of_admin), &body).await, 403)["code"],
            "permission_denied"
        );
        // Without a key, or with one of another org, nothing of it exists.
        assert_eq!(Call::get(stage.product.at("/api/v1/limits")).send().await.status, 401);
        let mut stranger = Person::new(&stage.product, "stranger@example.com");
        stranger.sign_up().await;
        let foreign = stranger.create_key("foreign", &[("org_admin", "on")]).await;
        assert_eq!(error(&get(&stage, &foreign, &format!("limits/{org}")).await, 404)["code"], "not_found");
        assert_eq!(try_set(&stage, &foreign, &at(&child), &body).await.status, 404);
        assert_eq!(delete(&stage, &foreign, &at(&child)).await.status, 404);
        let shown = get(&stage, &admin, &format!("limits/{child}")).await.json();
        assert_eq!(shown["limits"], json!([{"limit": "concurrent_calls", "limit_count": 9}]));
    }
}

#[tokio::test]
async fn s93_a_child_never_gets_more_than_its_parent_nor_anything_that_is_not_a_limit() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let (org, key) = (node(&stage, &admin, "org:", "").await, node(&stage, &admin, "key:", "test").await);
    set(&stage, &admin, &format!("{org}/1d"), &json!({"limit_credits": "100"})).await;
    set(&stage, &admin, &format!("{org}/requests_per_minute"), &json!({"limit_count": 5})).await;
    let wider = try_set(&stage, &admin, &format!("{key}/1d"), &json!({"limit_credits": "100.001"})).await;
    let refused = error(&wider, 422);
    assert_eq!((&refused["code"], &refused["details"]["node"]), (&json!("limit_above_parent"), &json!(org)));
    let wider =
        try_set(&stage, &admin, &format!("{key}/requests_per_minute"), &json!({"limit_count": 6})).await;
    assert_eq!(error(&wider, 422)["code"], "limit_above_parent");
    set(&stage, &admin, &format!("{key}/1d"), &json!({"limit_credits": "100"})).await;
    set(&stage, &admin, &format!("{key}/7d"), &json!({"limit_credits": "1000000"})).await;
    // Narrowing the parent binds the child at once, whatever is stored.
    set(&stage, &admin, &format!("{org}/1d"), &json!({"limit_credits": "10"})).await;
    let refused = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(CLAUDE, false)).await.expect_status(429);
    assert!(Speaker::OpenAi.error(&refused).message.contains("organisation"));

    for (limit, body) in [
        ("1d", json!({"limit_count": 5})),
        ("1d", json!({})),
        ("1d", json!({"limit_credits": "5", "limit_count": 5})),
        ("1d", json!({"limit_credits": "-1"})),
        ("1d", json!({"limit_credits": "1e9"})),
        ("1d", json!({"limit_credits": "0.0001"})),
        ("1d", json!({"limit_credits": "99999999999999999999999"})),
        ("1d", json!({"limit_credits": 5})),
        ("1d", json!({"limit_credits": "5", "org_id": "org_other"})),
        ("concurrent_calls", json!({"limit_credits": "5"})),
        ("concurrent_calls", json!({"limit_count": -1})),
        ("concurrent_calls", json!({"limit_count": 1.5})),
        ("concurrent_calls", json!({"limit_count": 9_223_372_036_854_775_807_i64})),
        ("concurrent_calls", json!([])),
    ] {
        let refused = try_set(&stage, &admin, &format!("{key}/{limit}"), &body).await;
        assert_eq!(error(&refused, 400)["code"], "invalid_request", "{limit} {body}");
    }
    let url = stage.product.at(&format!("/api/v1/limits/{key}/1d"));
    let plain =
        Call::new("PUT", &url).header("x-api-key", &*admin).body("{\"limit_credits\":\"5\"}").send().await;
    assert_eq!(error(&plain, 415)["code"], "unsupported_media_type");
    assert_eq!(
        error(&try_set(&stage, &admin, &format!("{key}/2d"), &json!({})).await, 404)["code"],
        "not_found"
    );
    let posted = Call::new("POST", &url).header("x-api-key", &*admin).send().await;
    assert_eq!(error(&posted, 405)["code"], "method_not_allowed");
    assert_eq!(posted.header("allow"), "PUT, DELETE");
    for query in ["limit=0", "limit=201", "limit=many", "order=desc"] {
        assert_eq!(
            error(&get(&stage, &admin, &format!("limits?{query}")).await, 400)["code"],
            "invalid_request"
        );
    }
    assert_eq!(error(&get(&stage, &admin, "nothing/here").await, 404)["code"], "not_found");
}

#[tokio::test]
async fn nodes_are_paged_without_gaps() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let ids = |list: &Value| -> Vec<String> {
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["node"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = ids(&get(&stage, &admin, "limits").await.expect_status(200).json());
    assert_eq!(all.len(), 5, "the org, its deployment, its member and two keys: {all:?}");
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = get(&stage, &admin, &format!("limits?limit=2{after}")).await.expect_status(200).json();
        paged.extend(ids(&page));
        let Some(next) = page["next_after"].as_str() else { break };
        after = format!("&after={next}");
        assert!(page["has_more"] == true && paged.len() <= all.len());
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn a_limit_counts_at_every_process_within_a_second() {
    let upstream = Upstream::start(scenes::play).await;
    let setup = Setup::scripted(&upstream.url()).on(Kind::Postgres);
    let mut stage = Stage::on(setup.clone(), upstream).await;
    let admin = admin(&mut stage).await;
    let second = setup.start_beside(&stage.product).await;
    let key = node(&stage, &admin, "key:", "test").await;
    let body = Speaker::OpenAi.ask(CLAUDE, false);
    let ask = || Speaker::OpenAi.call(&second.url, &stage.key, &body).send();
    let _ = ask().await.expect_status(200);
    for (limit, wanted) in [
        ("requests_per_minute", json!({"limit_count": 0})),
        ("credits_per_call", json!({"limit_credits": "1"})),
        ("lifetime", json!({"limit_credits": "1"})),
    ] {
        let path = format!("{key}/{limit}");
        set(&stage, &admin, &path, &wanted).await;
        let set_at = std::time::Instant::now();
        while ask().await.status == 200 {
            assert!(set_at.elapsed() < PATIENCE, "{limit} does not count elsewhere");
        }
        assert!(set_at.elapsed().as_millis() < 1_500, "{limit} took {:?}", set_at.elapsed());
        assert_eq!(delete(&stage, &admin, &path).await.status, 204);
        while ask().await.status != 200 {
            assert!(set_at.elapsed() < PATIENCE, "{limit} does not go away elsewhere");
        }
    }
}

#[tokio::test]
async fn the_description_is_served_and_names_every_route_and_error() {
    let stage = Stage::new().await;
    let answer = Call::get(stage.product.at("/api/v1/openapi.json")).send().await.expect_status(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{document}");
    for (path, methods) in [
        ("/api/v1/limits", vec!["get"]),
        ("/api/v1/limits/{node}", vec!["get"]),
        ("/api/v1/limits/{node}/{limit}", vec!["put", "delete"]),
        ("/api/v1/limits/{node}/rules", vec!["get", "put"]),
        ("/api/v1/keys", vec!["get", "post"]),
        ("/api/v1/keys/{id}", vec!["get", "patch", "delete"]),
        ("/api/v1/keys/{id}/rotate", vec!["post"]),
        ("/api/v1/keys/{id}/revoke", vec!["post"]),
        ("/api/v1/keys/{id}/credentials/{credential}", vec!["delete"]),
        ("/api/v1/operator/wallets", vec!["get"]),
        ("/api/v1/operator/wallets/{org_id}/credits", vec!["post"]),
        ("/api/v1/alerts", vec!["get"]),
        ("/api/v1/alerts/{alert}", vec!["put", "delete"]),
    ] {
        for method in methods {
            let operation = &document["paths"][path][method];
            assert!(operation["responses"]["401"].is_object(), "{method} {path}: {document}");
        }
    }
    let body = &document["components"]["schemas"]["SetLimitBody"];
    assert_eq!(body["additionalProperties"], false, "unknown fields are refused: {body}");
}
