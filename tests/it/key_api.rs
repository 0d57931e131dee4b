//! `/api/v1/keys`: who may make, derive, see, change, rotate and end which keys, and what each does to calls.

use bytespike_tests::PATIENCE;
use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::keys::{ask, derive, manager, with_limits};
use bytespike_tests::limits::{admin, node, set};
use bytespike_tests::person::Person;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use serde_json::{Value, json};

fn code(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    let error = answer.json()["error"].clone();
    assert!(error["message"].is_string() && error["request_id"] == answer.header("request-id"), "{error}");
    error["code"].clone()
}

async fn call_with(stage: &Stage, key: &str) -> Answer {
    Speaker::Anthropic.call(&stage.product.url, key, &Speaker::Anthropic.ask(CLAUDE, false)).send().await
}

#[tokio::test]
async fn a_key_with_the_scope_derives_keys_that_work_and_one_without_does_not() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let parent = stage.person.create_key("parent", &[("keys_derive", "on")]).await;
        let (child, secret) = derive(&stage, &parent, &json!({"name": "child", "note": "run 7"})).await;
        let _ = call_with(&stage, &secret).await.expect_status(200);
        let shown = ask(&stage, &parent, ("GET", &format!("/{child}")), None).await.expect_status(200).json();
        assert_eq!((&shown["name"], &shown["note"]), (&json!("child"), &json!("run 7")));
        assert_eq!(shown["path"].as_array().unwrap().len(), 2, "{shown}");
        assert_eq!(shown["scopes"], json!(["inference", "usage:read"]));
        assert!(!shown.to_string().contains(&secret) && shown.get("key").is_none());
        // S-20: an inference key manages nothing.
        for (method, path) in
            [("POST", ""), ("PATCH", "/x"), ("POST", "/x/rotate"), ("POST", "/x/revoke"), ("DELETE", "/x")]
        {
            let refused = ask(&stage, &secret, (method, path), Some(&json!({"name": "grandchild"}))).await;
            assert_eq!(code(&refused, 403), "permission_denied", "{method} {path}");
        }
        // It reads itself, and nothing beside or above it.
        let own = ask(&stage, &secret, ("GET", &format!("/{child}")), None).await;
        assert_eq!(own.status, 200);
        let above = shown["parent"].as_str().unwrap();
        assert_eq!(code(&ask(&stage, &secret, ("GET", &format!("/{above}")), None).await, 404), "not_found");
        // What it spent is in the books under its whole path, and its parent reads it.
        let usage = Call::get(stage.product.at("/v1/key")).header("x-api-key", &*parent).send().await;
        assert_eq!(usage.expect_status(200).json()["usage"]["total"]["calls"], 1);
        let store = stage.product.database.connect().await;
        let events = rows(&store, "select event, actor from audit_event where event = 'key.created'").await;
        assert!(events.iter().any(|event| event[1].starts_with("key:key_")), "{events:?}");
        store.close().await;
    }
}

/// P5, S-93: a child wider than its parent in any field.
#[tokio::test]
async fn s93_a_child_wider_than_its_parent_in_any_field_is_refused() {
    let mut stage = Stage::new().await;
    let manager = manager(&mut stage).await;
    let body = json!({
        "name": "parent", "scopes": ["inference", "keys:derive"], "models": [CLAUDE], "ips": ["127.0.0.0/8"],
        "expires_at": "2099-01-01T00:00:00Z",
        "limits": [
            {"limit": "1d", "limit_credits": "100"},
            {"limit": "requests_per_minute", "limit_count": 5},
            {"limit": "credits_per_call", "limit_credits": "90"},
        ],
    });
    let (parent, _) = derive(&stage, &manager, &json!({"name": "outer"})).await;
    let refused = ask(
        &stage,
        &manager,
        ("POST", ""),
        Some(&json!({"name": "x", "parent": parent, "scopes": ["keys:derive"]})),
    )
    .await;
    assert_eq!(code(&refused, 422), "wider_than_parent", "the parent itself cannot derive");
    let own = stage.person.create_key("deriving", &[("keys_derive", "on"), ("keys_manage", "on")]).await;
    let (parent, secret) = derive(&stage, &own, &body).await;
    for (field, value, refusal) in [
        ("scopes", json!(["inference", "usage:read"]), "wider_than_parent"),
        ("scopes", json!(["org:admin"]), "wider_than_parent"),
        ("models", json!([CLAUDE, GPT]), "wider_than_parent"),
        ("models", json!(["*"]), "wider_than_parent"),
        ("ips", json!(["0.0.0.0/0"]), "wider_than_parent"),
        ("expires_at", json!("2099-01-01T00:00:01Z"), "wider_than_parent"),
        ("limits", json!([{"limit": "1d", "limit_credits": "100.001"}]), "limit_above_parent"),
        ("limits", json!([{"limit": "requests_per_minute", "limit_count": 6}]), "limit_above_parent"),
        ("limits", json!([{"limit": "credits_per_call", "limit_credits": "91"}]), "limit_above_parent"),
        ("holder", json!("mem_other"), "wider_than_parent"),
        ("deployment", json!("dep_other"), "wider_than_parent"),
    ] {
        let mut wider = json!({"name": "child", "scopes": ["inference"]});
        wider[field] = value.clone();
        let refused = ask(&stage, &secret, ("POST", ""), Some(&wider)).await;
        assert_eq!(code(&refused, 422), refusal, "{field} {value}");
    }
    // Nothing was left behind, and what fits is made, three levels deep and no further.
    let list = ask(&stage, &secret, ("GET", ""), None).await.expect_status(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "only the parent itself: {list}");
    let mut at = secret;
    for depth in 1..=3 {
        let body = json!({"name": format!("level {depth}"), "scopes": ["inference", "keys:derive"]});
        at = derive(&stage, &at, &body).await.1;
    }
    let too_deep =
        ask(&stage, &at, ("POST", ""), Some(&json!({"name": "level 4", "scopes": ["inference"]}))).await;
    assert_eq!(code(&too_deep, 422), "wider_than_parent");
    // Narrowing the parent binds every key below at once; their own terms stay as stored.
    let _ = call_with(&stage, &at).await.expect_status(200);
    let narrowed = ask(&stage, &own, ("PATCH", &format!("/{parent}")), Some(&json!({"models": [GPT]}))).await;
    assert_eq!(narrowed.expect_status(200).json()["models"], json!([GPT]));
    assert_eq!(
        Speaker::Anthropic.error(&call_with(&stage, &at).await.expect_status(403)).kind,
        "permission_error"
    );
}

#[tokio::test]
async fn s91_unreadable_bodies_name_the_field() {
    let mut stage = Stage::new().await;
    let manager = manager(&mut stage).await;
    for (body, param) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "x", "note": "n".repeat(501)}), "note"),
        (json!({"name": "x", "kind": "demo"}), "kind"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["root"]}), "scopes"),
        (json!({"name": "x", "models": ["no-such-model"]}), "models"),
        (json!({"name": "x", "models": ["zzz*"]}), "models"),
        (json!({"name": "x", "ips": ["10.0.0.0/33"]}), "ips"),
        (json!({"name": "x", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
        (json!({"name": "x", "limits": [{"limit": "2d", "limit_credits": "1"}]}), "limits"),
        (json!({"name": "x", "limits": [{"limit": "1d", "limit_count": 1}]}), "limit_credits"),
    ] {
        let refused = ask(&stage, &manager, ("POST", ""), Some(&body)).await;
        assert_eq!(code(&refused, 400), "invalid_request", "{body}");
        assert_eq!(refused.json()["error"]["param"], param, "{body}");
    }
    // S-91: an unknown field is an error, whatever it would have done.
    for body in [
        json!({"name": "x", "org_id": "org_other"}),
        json!({"name": "x", "role": "owner"}),
        json!([]),
        json!({}),
    ] {
        assert_eq!(code(&ask(&stage, &manager, ("POST", ""), Some(&body)).await, 400), "invalid_request");
    }
    let posted = ask(&stage, &manager, ("PUT", ""), None).await;
    assert_eq!((code(&posted, 405), posted.header("allow")), (json!("method_not_allowed"), "GET, POST"));
}

#[tokio::test]
async fn s96_a_rotation_keeps_key_budget_and_children_and_the_old_secret_ends_when_it_was_told() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let manager = manager(&mut stage).await;
        let (id, old) = derive(&stage, &manager, &with_limits("rotated", &[("lifetime", "300")])).await;
        let _ = call_with(&stage, &old).await.expect_status(200);
        let path = format!("/{id}/rotate");
        let rotated = ask(&stage, &manager, ("POST", &path), Some(&json!({"overlap_seconds": 3600}))).await;
        let rotated = rotated.expect_status(201).json();
        let new = rotated["key"].as_str().unwrap().to_owned();
        assert_eq!(rotated["id"], json!(id));
        let credentials = rotated["credentials"].as_array().unwrap();
        assert!(credentials.len() == 2 && credentials[0]["not_after"].is_null(), "{rotated}");
        assert!(credentials[1]["not_after"].is_string(), "the old one has an end: {rotated}");
        // One budget: whichever secret asks, both calls count in the same limit.
        let _ = call_with(&stage, &new).await.expect_status(200);
        for secret in [&old, &new] {
            let own = Call::get(stage.product.at("/v1/key")).header("x-api-key", &**secret).send().await;
            assert_eq!(own.expect_status(200).json()["limits"][0]["used_credits"], "34.000");
        }
        let more = ask(&stage, &manager, ("POST", &path), Some(&json!({"overlap_seconds": 0}))).await;
        assert_eq!(code(&more, 409), "conflict", "at most two secrets work");
        let end = format!("/{id}/credentials/{}", credentials[1]["id"].as_str().unwrap());
        assert_eq!(ask(&stage, &manager, ("DELETE", &end), None).await.status, 204);
        assert_eq!(call_with(&stage, &old).await.status, 401);
        assert_eq!(call_with(&stage, &new).await.status, 200);
        let last = format!("/{id}/credentials/{}", credentials[0]["id"].as_str().unwrap());
        assert_eq!(code(&ask(&stage, &manager, ("DELETE", &last), None).await, 409), "conflict");
        // At once, if nobody needs the old one.
        let rotated = ask(&stage, &manager, ("POST", &path), Some(&json!({"overlap_seconds": 0}))).await;
        let newest = rotated.expect_status(201).json()["key"].as_str().unwrap().to_owned();
        assert_eq!(
            (call_with(&stage, &new).await.status, call_with(&stage, &newest).await.status),
            (401, 200)
        );
        for overlap in [json!(-1), json!(2_592_001), json!("a day"), Value::Null] {
            let refused =
                ask(&stage, &manager, ("POST", &path), Some(&json!({"overlap_seconds": overlap}))).await;
            assert_eq!(code(&refused, 400), "invalid_request");
        }
    }
}

#[tokio::test]
async fn switching_off_and_ending_stop_the_whole_subtree_and_only_it() {
    let mut stage = Stage::new().await;
    let manager = manager(&mut stage).await;
    let (parent, parent_secret) = derive(&stage, &manager, &json!({"name": "parent"})).await;
    let (_, child) = derive(&stage, &manager, &json!({"name": "child", "parent": parent})).await;
    let state = async |wanted: &str| {
        let body = json!({"state": wanted});
        let _ = ask(&stage, &manager, ("PATCH", &format!("/{parent}")), Some(&body)).await.expect_status(200);
    };
    state("disabled").await;
    for secret in [&parent_secret, &child] {
        assert_eq!(call_with(&stage, secret).await.status, 401);
    }
    let _ = call_with(&stage, &stage.key).await.expect_status(200);
    state("active").await;
    for secret in [&parent_secret, &child] {
        let _ = call_with(&stage, secret).await.expect_status(200);
    }
    let ended = ask(&stage, &manager, ("POST", &format!("/{parent}/revoke")), None).await.expect_status(200);
    assert_eq!(ended.json()["state"], "revoked");
    assert_eq!(call_with(&stage, &child).await.status, 401);
    let again =
        ask(&stage, &manager, ("PATCH", &format!("/{parent}")), Some(&json!({"state": "active"}))).await;
    assert_eq!(code(&again, 404), "not_found", "what has ended does not come back");
    // A tombstone: gone from the list, still there with what it spent.
    let listed = async |state: &str| {
        let list =
            ask(&stage, &manager, ("GET", &format!("?state={state}")), None).await.expect_status(200).json();
        list["data"].as_array().unwrap().iter().any(|key| key["id"] == json!(parent))
    };
    assert_eq!((listed("open").await, listed("ended").await, listed("all").await), (false, true, true));
    assert_eq!(ask(&stage, &manager, ("DELETE", &format!("/{parent}")), None).await.status, 204);
    assert!(listed("ended").await);
    let page = stage.person.open("/console/keys?show=ended").await.expect_status(200).text();
    assert!(page.contains("parent") && page.contains("$0.000034"), "{page}");
}

#[tokio::test]
async fn a_key_is_used_only_from_the_networks_of_every_list_on_its_path() {
    let mut stage = Stage::new().await;
    let manager = manager(&mut stage).await;
    let here = json!({"name": "here", "ips": ["127.0.0.1", "::1"]});
    let (parent, inside) = derive(&stage, &manager, &here).await;
    let _ = call_with(&stage, &inside).await.expect_status(200);
    let (_, elsewhere) = derive(&stage, &manager, &json!({"name": "there", "ips": ["203.0.113.0/24"]})).await;
    let refused = call_with(&stage, &elsewhere).await;
    assert_eq!(Speaker::Anthropic.error(&refused.expect_status(403)).kind, "permission_error");
    let (_, child) = derive(&stage, &manager, &json!({"name": "child", "parent": parent})).await;
    let _ = call_with(&stage, &child).await.expect_status(200);
    let moved = json!({"ips": ["203.0.113.0/24"]});
    let _ = ask(&stage, &manager, ("PATCH", &format!("/{parent}")), Some(&moved)).await.expect_status(200);
    assert_eq!(call_with(&stage, &child).await.status, 403, "the parent's list binds the child");
}

#[tokio::test]
async fn keys_are_paged_newest_first_without_gaps() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let manager = manager(&mut stage).await;
        for n in 0..5 {
            derive(&stage, &manager, &json!({"name": format!("key {n}")})).await;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = ask(&stage, &manager, ("GET", &format!("?limit=2{after}")), None)
                .await
                .expect_status(200)
                .json();
            seen.extend(
                page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next_after"].as_str() else { break };
            after = format!("&after={next}");
            assert!(seen.len() < 20);
        }
        assert_eq!(seen, ["key 4", "key 3", "key 2", "key 1", "key 0", "manager", "test"]);
        for query in ["?limit=0", "?limit=201", "?after=key_none", "?state=gone", "?order=name"] {
            assert_eq!(
                code(&ask(&stage, &manager, ("GET", query), None).await, 400),
                "invalid_request",
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn s90_nobody_reaches_another_orgs_keys_nor_what_binds_themselves() {
    let mut stage = Stage::new().await;
    let manager = manager(&mut stage).await;
    let own = node(&stage, &manager, "key:", "manager").await;
    let own = own.strip_prefix("key:").unwrap();
    let (victim, _) = derive(&stage, &manager, &json!({"name": "victim"})).await;
    let mut stranger = Person::new(&stage.product, "stranger@example.com");
    stranger.sign_up().await;
    let foreign = stranger.create_key("foreign", &[("keys_manage", "on")]).await;
    let requests = |id: &str| {
        [
            ("GET", format!("/{id}"), None),
            ("PATCH", format!("/{id}"), Some(json!({"name": "mine"}))),
            ("POST", format!("/{id}/rotate"), Some(json!({"overlap_seconds": 0}))),
            ("POST", format!("/{id}/revoke"), None),
            ("DELETE", format!("/{id}"), None),
            ("DELETE", format!("/{id}/credentials/aaaaaaaaaaaa"), None),
        ]
    };
    // S-90: a foreign key and one that is not there are told apart by nothing.
    for (method, path, body) in requests(&victim).into_iter().chain(requests("key_none")) {
        let refused = ask(&stage, &foreign, (method, &path), body.as_ref()).await;
        assert_eq!(code(&refused, 404), "not_found", "{method} {path}");
    }
    let into = json!({"name": "child", "parent": victim});
    assert_eq!(code(&ask(&stage, &foreign, ("POST", ""), Some(&into)).await, 404), "not_found");
    // A key changes neither itself nor those above it, whatever its scopes.
    for (method, path, body) in requests(own).into_iter().skip(1) {
        let refused = ask(&stage, &manager, (method, &path), body.as_ref()).await;
        assert_eq!(code(&refused, 403), "permission_denied", "{method} {path}");
    }
    // Nor does it give what it does not have.
    let more = json!({"name": "more", "scopes": ["org:admin"]});
    assert_eq!(code(&ask(&stage, &manager, ("POST", ""), Some(&more)).await, 422), "wider_than_parent");
    // Without a key there is nothing.
    assert_eq!(Call::get(stage.product.at("/api/v1/keys")).send().await.status, 401);
}

#[tokio::test]
async fn a_reported_leak_ends_the_key_and_tells_nobody_whether_it_was_one() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let manager = manager(&mut stage).await;
        let (id, leaked) = derive(&stage, &manager, &json!({"name": "leaked"})).await;
        let (_, child) = derive(&stage, &manager, &json!({"name": "child", "parent": id})).await;
        let report = async |tokens: &[&str]| {
            let body: Vec<Value> = tokens
                .iter()
                .map(|token| json!({"token": token, "type": "bytespike_api_key", "url": "https://gist.example/1", "source": "content"}))
                .collect();
            Call::post(stage.product.at("/api/v1/leaks"), &Value::from(body)).send().await
        };
        let unknown = "sk-byts-7Qm3Zt9aLk2PN4vC8yQ1hS6wJ0xR5bT2kG7mD9fZ3pLa2oLZbv";
        let answers = [report(&[unknown]).await, report(&["not a key"]).await, report(&[&leaked]).await];
        for answer in &answers {
            assert_eq!((answer.status, answer.text()), (200, answers[0].text()));
        }
        for secret in [&leaked, &child] {
            assert_eq!(call_with(&stage, secret).await.status, 401);
        }
        // A rotated key goes on with its other secret.
        let (rotated, old) = derive(&stage, &manager, &json!({"name": "rotated"})).await;
        let new = ask(
            &stage,
            &manager,
            ("POST", &format!("/{rotated}/rotate")),
            Some(&json!({"overlap_seconds": 3600})),
        )
        .await;
        let new = new.expect_status(201).json()["key"].as_str().unwrap().to_owned();
        assert_eq!(report(&[&old]).await.status, 200);
        assert_eq!((call_with(&stage, &old).await.status, call_with(&stage, &new).await.status), (401, 200));
        let store = stage.product.database.connect().await;
        let told = rows(&store, "select kind, payload_json from outbox where kind = 'key_leaked'").await;
        assert!(told.len() == 2 && told.iter().all(|event| event[1].contains("gist.example")), "{told:?}");
        let log = rows(&store, "select detail_json from audit_event where event = 'key.leaked'").await;
        assert!(log.len() == 2 && !log.iter().any(|row| row[0].contains("sk-byts")), "{log:?}");
        store.close().await;
        let started = std::time::Instant::now();
        while report(&["not a key"]).await.status == 200 {
            assert!(started.elapsed() < PATIENCE, "reports are not limited");
        }
    }
}

#[tokio::test]
async fn a_key_reads_itself() {
    let mut stage = Stage::new().await;
    let manager = manager(&mut stage).await;
    let admin = admin(&mut stage).await;
    let (id, secret) =
        derive(&stage, &manager, &with_limits("self", &[("month", "500"), ("1d", "200")])).await;
    set(&stage, &admin, &format!("key:{id}/requests_per_minute"), &json!({"limit_count": 50})).await;
    let _ = call_with(&stage, &secret).await.expect_status(200);
    let own =
        Call::get(stage.product.at("/v1/key")).header("x-api-key", &*secret).send().await.expect_status(200);
    assert!(!own.text().contains(&secret));
    let own = own.json();
    assert_eq!((&own["id"], &own["name"], &own["kind"]), (&json!(id), &json!("self"), &json!("live")));
    assert_eq!(own["limits"].as_array().unwrap().len(), 2, "{own}");
    assert_eq!(
        (&own["binding"]["window"], &own["binding"]["remaining_credits"]),
        (&json!("1d"), &json!("183.000"))
    );
    assert_eq!(
        own["call_limits"],
        json!([{"node": format!("key:{id}"), "limit": "requests_per_minute", "value": 50}])
    );
    assert_eq!(
        own["usage"]["month"],
        json!({"charged_credits": "17.000", "calls": 1, "not_billed_calls": 0})
    );
    assert_eq!(Call::get(stage.product.at("/v1/key")).send().await.status, 401);
    let posted = Call::new("POST", stage.product.at("/v1/key")).header("x-api-key", &*secret).send().await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET"));
}
