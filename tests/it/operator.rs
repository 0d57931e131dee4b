//! The operator API: for operator tokens alone, whatever the path looks like, and every change is audited.

use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::invariants;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, anthropic};
use serde_json::{Value, json};

/// Every route, with a method it takes.
const ROUTES: [(&str, &str); 17] = [
    ("GET", "/absorbed-costs"),
    ("GET", "/invariant-runs"),
    ("GET", "/reconciliations"),
    ("GET", "/reservations"),
    ("POST", "/reservations/rcp_1/release"),
    ("GET", "/wallets"),
    ("POST", "/wallets/org_1/freeze"),
    ("POST", "/wallets/org_1/unfreeze"),
    ("POST", "/wallets/org_1/credits"),
    ("POST", "/wallets/org_1/debits"),
    ("GET", "/waiting-credits"),
    ("GET", "/vouchers"),
    ("POST", "/vouchers"),
    ("POST", "/vouchers/vch_1/end"),
    ("GET", "/voucher-batches"),
    ("POST", "/voucher-batches"),
    ("POST", "/voucher-batches/vcb_1/end"),
];

/// Whoever runs the installation, with a fresh token.
pub struct Operator<'a> {
    stage: &'a Stage,
    token: String,
}

impl<'a> Operator<'a> {
    pub async fn of(stage: &'a Stage) -> Self {
        let (made, said) = stage.product.command(&["operator-token", "create", "test"], &[]).await;
        assert!(made, "{said}");
        let token = said.split_whitespace().find(|word| word.starts_with("sk-byts-op-")).expect("a token");
        Self { stage, token: token.to_owned() }
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        let url = self.stage.product.at(&format!("/api/v1/operator{path}"));
        Call::new(method, url).header("authorization", format!("Bearer {}", self.token))
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call("GET", path).send().await.expect_status(200).json()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path).header("content-type", "application/json").body(body.to_string()).send().await
    }

    pub async fn org_id(&self) -> String {
        self.get("/wallets").await["data"][0]["org_id"].as_str().unwrap().to_owned()
    }

    /// What the audit log says was done with this token.
    pub async fn audited(&self) -> Vec<String> {
        let store = self.stage.product.database.connect().await;
        let events =
            rows(&store, "select event from audit_event where actor like 'operator-token:%' order by seq")
                .await;
        store.close().await;
        events.into_iter().flatten().collect()
    }
}

#[tokio::test]
async fn s10_s97_no_key_no_cookie_and_no_place_but_the_bearer_header_opens_it() {
    let stage = Stage::new().await;
    let operator = Operator::of(&stage).await;
    for (method, path) in ROUTES {
        let url = stage.product.at(&format!("/api/v1/operator{path}"));
        let call = || Call::new(method, &*url);
        let changed = format!("{}x", &operator.token[..operator.token.len() - 1]);
        for attempt in [
            call(),
            call().header("x-api-key", &*stage.key),
            call().header("authorization", format!("Bearer {}", stage.key)),
            call().header("x-api-key", &*operator.token),
            call().header("x-goog-api-key", &*operator.token),
            call().header("cookie", format!("session={}", operator.token)),
            call().header("authorization", format!("Basic {}", operator.token)),
            call().header("authorization", format!("Bearer {changed}")),
            Call::new(method, format!("{url}?key={}", operator.token)),
        ] {
            let answer = attempt.send().await.expect_status(401);
            assert_eq!(answer.json()["error"]["code"], "operator_token_required", "{method} {path}");
            assert!(!answer.text().contains(&operator.token[11..]), "a presented token is not repeated");
        }
    }
    for speaker in [Speaker::Anthropic, Speaker::OpenAi] {
        let call = speaker.call(&stage.product.url, &operator.token, &speaker.ask(GPT, false));
        let _ = call.send().await.expect_status(401);
    }
    assert!(operator.audited().await.is_empty(), "nothing was done");
}

#[tokio::test]
async fn s28_no_spelling_of_the_path_leads_past_the_token() {
    let stage = Stage::new().await;
    let _operator = Operator::of(&stage).await;
    for path in [
        "//api/v1/operator/wallets",
        "/api//v1/operator/wallets",
        "/api/v1/operator//wallets",
        "/api/v1/operator/wallets/",
        "/api/v1/operator/./wallets",
        "/api/v1/x/../operator/wallets",
        "/api/v1/%2e%2e/v1/operator/wallets",
        "/api/v1/operator%2fwallets",
        "/api%2fv1%2foperator%2fwallets",
        "/API/v1/operator/wallets",
        "/api/v1/Operator/wallets",
        "/api/v1/operator;x/wallets",
        "/api/v1/operator/wallets;x",
        "/api/v1/operator/wallets%00",
        "/v1/api/v1/operator/wallets",
        "/v1/operator/wallets",
        "/operator/wallets",
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT"] {
            let call = Call::new(method, stage.product.at(path)).header("x-api-key", &*stage.key);
            let answer = call.header("x-original-url", "/api/v1/operator/wallets").send().await;
            assert!(
                !answer.text().contains("posted_credits") && (answer.status >= 400 || method == "OPTIONS"),
                "{method} {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
}

#[tokio::test]
async fn a_revoked_token_stops_at_once_and_a_wrong_method_names_the_right_one() {
    let stage = Stage::new().await;
    let operator = Operator::of(&stage).await;
    for (method, path) in ROUTES {
        let answer = operator.call("PUT", path).send().await.expect_status(405);
        let right: Vec<&str> = answer.header("allow").split(", ").collect();
        assert!(right.contains(&method), "{path}");
    }
    let _ = operator.call("GET", "/nothing").send().await.expect_status(404);
    let (_, listed) = stage.product.command(&["operator-token", "list"], &[]).await;
    let id = listed.split_whitespace().next().unwrap().to_owned();
    assert!(listed.contains("active") && !listed.contains(&operator.token), "{listed}");
    let (revoked, said) = stage.product.command(&["operator-token", "revoke", &id], &[]).await;
    assert!(revoked, "{said}");
    let _ = operator.call("GET", "/wallets").send().await.expect_status(401);
}

#[tokio::test]
async fn a_frozen_wallet_takes_no_calls_until_it_is_thawed() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let operator = Operator::of(&stage).await;
        let org_id = operator.org_id().await;
        let path = |what: &str| format!("/wallets/{org_id}/{what}");
        let _ = operator.post(&path("freeze"), &json!({})).await.expect_status(400);
        let _ = operator.post(&path("freeze"), &json!({"reason": " "})).await.expect_status(400);
        let _ =
            operator.post(&path("freeze"), &json!({"reason": "x", "org_id": "y"})).await.expect_status(400);
        let _ = operator.post("/wallets/org_none/freeze", &json!({"reason": "x"})).await.expect_status(404);
        let _ = operator.post(&path("freeze"), &json!({"reason": "chargeback"})).await.expect_status(200);
        assert_eq!(operator.get("/wallets?frozen=true").await["data"][0]["org_id"], org_id.as_str());
        let refused = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(403);
        assert_eq!(refused.json()["error"]["code"], "org_frozen");
        let _ = operator.post(&path("unfreeze"), &json!({"reason": "settled"})).await.expect_status(200);
        let _ = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
        assert_eq!(operator.audited().await, ["wallet.frozen", "wallet.unfrozen"]);
    }
}

#[tokio::test]
async fn credit_is_booked_once_for_each_key_and_shows_its_reason() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let operator = Operator::of(&stage).await;
        let path = format!("/wallets/{}/credits", operator.org_id().await);
        let book = async |key: &str, body: Value| {
            let call = operator.call("POST", &path).header("content-type", "application/json");
            call.header("idempotency-key", key).body(body.to_string()).send().await
        };
        let before = nano(&stage.balance().await["available_credits"]);
        let body =
            json!({"amount_credits": "1000.5", "kind": "grant", "reason": "We double-booked last week."});
        let first = book("a", body.clone()).await.expect_status(200).json();
        assert_eq!((&first["booked"], &first["amount_credits"]), (&true.into(), &"1000.500".into()));
        assert_eq!(book("a", body).await.expect_status(200).json()["booked"], false);
        let after = nano(&stage.balance().await["available_credits"]);
        assert_eq!(after - before, 1_000_500);
        for (key, wrong) in [
            ("a", json!({"amount_credits": "2", "kind": "grant", "reason": "x"})),
            ("b", json!({"amount_credits": "-2", "kind": "grant", "reason": "x"})),
            ("c", json!({"amount_credits": "0", "kind": "grant", "reason": "x"})),
            ("d", json!({"amount_credits": 2, "kind": "grant", "reason": "x"})),
            ("e", json!({"amount_credits": "1e3", "kind": "grant", "reason": "x"})),
            ("f", json!({"amount_credits": "2", "kind": "refund", "reason": "x"})),
            (
                "g",
                json!({"amount_credits": "2", "kind": "top_up", "reason": "x", "expires_at": "2030-01-01"}),
            ),
            ("h", json!({"amount_credits": "99999999999999999999", "kind": "top_up", "reason": "x"})),
        ] {
            let _ = book(key, wrong).await.expect_status(400);
        }
        let unnamed = json!({"amount_credits": "2", "kind": "grant", "reason": "x"});
        let _ = operator.post(&path, &unnamed).await.expect_status(400);
        assert_eq!(nano(&stage.balance().await["available_credits"]), after);
        assert_eq!(operator.audited().await, ["wallet.credited"]);
        let store = stage.product.database.connect().await;
        invariants::hold(&store).await;
        let notes = rows(&store, "select note from journal_tx where idem_key = 'operator:a'").await;
        assert_eq!(notes, [["We double-booked last week."]]);
        store.close().await;
    }
}

#[tokio::test]
async fn a_released_hold_makes_its_call_free() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let operator = Operator::of(&stage).await;
        let before = stage.balance().await["available_credits"].clone();
        let mut body = Speaker::Anthropic.ask(CLAUDE, true);
        body["messages"][0]["content"] = "scene:slow".into();
        let mut stream = stage.stream(Speaker::Anthropic, &body).await;
        stream.until(|event| Speaker::Anthropic.text_in(event).contains("Hello")).await;
        let open = operator.get("/reservations").await;
        let id = open["data"][0]["id"].as_str().unwrap().to_owned();
        assert!(nano(&open["data"][0]["held_credits"]) > 0 && open["data"][0]["age_ms"].is_i64(), "{open}");
        let path = format!("/reservations/{id}/release");
        let released = operator.post(&path, &json!({"reason": "stuck"})).await.expect_status(200).json();
        assert_eq!(released["outcome"], "released");
        let _ = operator.post(&path, &json!({"reason": "again"})).await.expect_status(404);
        drop(stream);
        let receipt = stage.receipt(&id).await;
        assert_eq!(
            (&receipt["outcome"], &receipt["reason"]),
            (&"released".into(), &"released_by_operator".into())
        );
        assert_eq!(stage.balance().await["available_credits"], before);
        assert_eq!(operator.get("/reservations").await["data"], json!([]));
        assert_eq!(operator.audited().await, ["reservation.released"]);
        let store = stage.product.database.connect().await;
        invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn what_failures_cost_us_is_added_up_by_cause_key_and_day() {
    let stage = Stage::new().await;
    let operator = Operator::of(&stage).await;
    assert_eq!(operator.get("/absorbed-costs").await["data"], json!([]));
    // The provider says what the input costs, begins to answer, and breaks.
    let pieces = || {
        let block = json!({"type": "text", "text": ""});
        let mut events = vec![anthropic::start(anthropic::USAGE)];
        events.extend(anthropic::block(0, &block, &[json!({"type": "text_delta", "text": "half"})]));
        events
    };
    stage.answer_with(move |_| Reply::stream().pieces(pieces()).reset());
    let _ = stage.stream(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, true)).await.rest_or_cut().await;
    let sums = async |query: &str| operator.get(&format!("/absorbed-costs{query}")).await["data"].clone();
    let by_cause = sums("").await;
    assert!(by_cause[0]["cause"].is_string() && by_cause[0]["key_id"].is_null(), "{by_cause}");
    assert_ne!(by_cause[0]["amount_usd"], "0.000000000");
    let in_full = sums("?group_by=cause,org,key,day").await;
    let row = &in_full[0];
    assert!(row["key_id"].is_string() && row["org_id"].is_string() && row["day"].is_string(), "{in_full}");
    assert_eq!((&row["calls"], &row["amount_usd"]), (&by_cause[0]["calls"], &by_cause[0]["amount_usd"]));
    assert_eq!(sums("?to=2020-01-01").await, json!([]));
    for bad in ["?group_by=shoe", "?from=soon", "?limit=0", "?limit=5000", "?colour=red"] {
        let _ = operator.call("GET", &format!("/absorbed-costs{bad}")).send().await.expect_status(400);
    }
}

#[tokio::test]
async fn a_violation_is_counted_in_public_and_shown_in_full_to_operators() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let operator = Operator::of(&stage).await;
        assert_eq!(operator.get("/invariant-runs").await["data"][0]["violations"], json!([]));
        let store = stage.product.database.connect().await;
        let _ = rows(&store, "update wallet set posted_nano = posted_nano + 1 where org_id in (select min(org_id) from wallet)").await;
        store.close().await;
        let (held, said) = stage.product.command(&["check-ledger"], &[]).await;
        assert!(!held && said.contains("I2"), "{said}");
        let run = &operator.get("/invariant-runs?limit=1").await["data"][0];
        let found = run["violations"].to_string();
        assert!(found.contains("I2") && found.contains("org_"), "{run}");
        let status =
            Call::get(stage.product.at("/v1/status/invariants")).send().await.expect_status(200).json();
        assert!(status["violations"].as_i64().unwrap() >= 1, "{status}");
        assert!(!status.to_string().contains("org_"), "{status}");
    }
}
