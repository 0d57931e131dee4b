//! Request rate, concurrency and credits per call: checked before a hold, named in the refusal, shared by processes.

use bytespike_tests::database::{BOTH, Kind, number};
use bytespike_tests::gate::Gate;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::invariants;
use bytespike_tests::limits::{admin, node, set};
use bytespike_tests::product::{CLAUDE, Setup};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano, nano_header};
use bytespike_tests::upstream::{Reply, Upstream, anthropic, scenes};
use serde_json::{Value, json};

fn details(speaker: Speaker, answer: &Answer) -> Value {
    speaker.error(answer);
    answer.json()["error"]["details"].clone()
}

#[tokio::test]
async fn too_many_requests_a_minute_are_429_with_the_limit_its_node_and_when_to_come_back() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let admin = admin(&mut stage).await;
        let key = node(&stage, &admin, "key:", "test").await;
        set(&stage, &admin, &format!("{key}/requests_per_minute"), &json!({"limit_count": 3})).await;
        for _ in 0..3 {
            let body = Speaker::Anthropic.ask(CLAUDE, false);
            let _ = stage.ask(Speaker::Anthropic, &body).await.expect_status(200);
        }
        for speaker in SPEAKERS {
            let refused = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(429);
            let details = details(speaker, &refused);
            assert_eq!((&details["node"], &details["limit"]), (&json!(key), &json!(3)));
            assert_eq!(details["limit_name"], "requests_per_minute");
            let wait_s: i64 = refused.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait_s));
            assert_eq!(refused.header("x-should-retry"), "true");
            assert!(refused.maybe("x-receipt-id").is_none(), "nothing was held");
        }
        let store = stage.product.database.connect().await;
        assert_eq!(number(&store, "select count(*) from reservation").await, 3);
        store.close().await;
        let body = Speaker::Anthropic.ask(CLAUDE, false);
        let other = Speaker::Anthropic.call(&stage.product.url, &admin, &body).send().await;
        assert_eq!(other.status, 200, "another key is not limited");
    }
}

#[tokio::test]
async fn calls_at_once_are_limited_and_every_way_a_call_can_end_makes_room() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let admin = admin(&mut stage).await;
        let org = node(&stage, &admin, "org:", "").await;
        set(&stage, &admin, &format!("{org}/concurrent_calls"), &json!({"limit_count": 1})).await;
        for speaker in SPEAKERS {
            let plain = speaker.ask(CLAUDE, false);
            // Landed, whole and streamed: the next may come as soon as the last byte was read.
            for _ in 0..5 {
                let _ = stage.ask(speaker, &plain).await.expect_status(200);
                let _ = stage.ask(speaker, &speaker.ask(CLAUDE, true)).await.expect_status(200);
            }
            // Refused, failed, broken off, unknown.
            let mut other = plain.clone();
            other["model"] = "no-such-model".into();
            let _ = stage.ask(speaker, &other).await.expect_status(404);
            other["model"] = CLAUDE.into();
            for scene in ["status-500", "status-400"] {
                other["messages"][0]["content"] = format!("scene:{scene}").into();
                assert!(stage.ask(speaker, &other).await.status >= 400);
            }
            other["stream"] = true.into();
            other["messages"][0]["content"] = "scene:break".into();
            let _ = stage.ask(speaker, &other).await;
            // Running: the next is refused, until its client hangs up.
            other["messages"][0]["content"] = "scene:slow".into();
            let mut stream = stage.stream(speaker, &other).await;
            stream.until(|event| speaker.text_in(event).contains("Hello")).await;
            let refused = stage.ask(speaker, &plain).await.expect_status(429);
            assert_eq!(details(speaker, &refused)["limit_name"], "concurrent_calls");
            assert_eq!((refused.header("x-should-retry"), refused.header("retry-after")), ("true", "1"));
            let gone = stage.upstream.abandoned().now();
            drop(stream);
            stage.upstream.abandoned().at_least(gone + 1).await;
            let mut answer = stage.ask(speaker, &plain).await;
            while answer.status == 429 {
                answer = stage.ask(speaker, &plain).await;
            }
            assert_eq!(answer.status, 200);
        }
        let store = stage.product.database.connect().await;
        invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn two_processes_share_a_limit_and_admit_one_more_than_it_says_at_most() {
    let upstream = Upstream::start(scenes::play).await;
    let setup = Setup::scripted(&upstream.url()).on(Kind::Postgres);
    let mut stage = Stage::on(setup.clone(), upstream).await;
    let admin = admin(&mut stage).await;
    let key = node(&stage, &admin, "key:", "test").await;
    let second = setup.start_beside(&stage.product).await;
    // Both have to know of each other: a process says every second that it is there.
    let store = stage.product.database.connect().await;
    both_have_counted(&store).await;
    set(&stage, &admin, &format!("{key}/concurrent_calls"), &json!({"limit_count": 5})).await;
    set(&stage, &admin, &format!("{key}/requests_per_minute"), &json!({"limit_count": 11})).await;

    let body = Speaker::Anthropic.ask(CLAUDE, false);
    let call = |n: usize| {
        let url = if n.is_multiple_of(2) { &stage.product.url } else { &second.url };
        Speaker::Anthropic.call(url, &stage.key, &body)
    };
    let landed = Gate::default();
    stage.answer(Reply::json(200, &anthropic::text("Hello.")).after(&landed));
    let mut calls = tokio::task::JoinSet::new();
    (0..24).for_each(|n| drop(calls.spawn(call(n).send())));
    let mut statuses = Vec::new();
    for _ in 0..18 {
        statuses.push(calls.join_next().await.unwrap().unwrap().status);
    }
    landed.open();
    statuses.extend(calls.join_all().await.iter().map(|answer| answer.status));
    let made = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(made, 6, "⌈5 ÷ 2⌉ at once in each process: {statuses:?}");
    // The rest of the minute's requests: ⌈11 ÷ 2⌉ in each.
    for n in 0..24 {
        statuses.push(call(n).send().await.status);
    }
    let made = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(made, 12, "{statuses:?}");
    invariants::hold(&store).await;
    store.close().await;
}

async fn both_have_counted(store: &bytespike_store::Store) {
    let started = std::time::Instant::now();
    let sql = "select count(*) from instance where admits_at_ms >= (select max(started_at_ms) + 2000 from instance)";
    while number(store, sql).await < 2 {
        assert!(started.elapsed() < bytespike_tests::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_cap_of_its_own_bounds_the_hold_of_a_call() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        for speaker in SPEAKERS {
            let call =
                |body: &Value, cap: &str| stage.call(speaker, body).header("x-bytespike-max-credits", cap);
            // An output limit of the client's own is not touched: the call is refused.
            let named = speaker.ask(CLAUDE, false);
            let held = nano_header(&call(&named, "1000").send().await.expect_status(200), "x-credits-held");
            let needed = format!("{}.{:03}", held / 1000, held % 1000);
            let _ = call(&named, &needed).send().await.expect_status(200);
            let below = format!("{}.{:03}", (held - 1) / 1000, (held - 1) % 1000);
            let refused = call(&named, &below).send().await.expect_status(402);
            let details = details(speaker, &refused);
            assert_eq!(
                (&details["max_credits"], &details["required_credits"]),
                (&json!(below), &json!(needed))
            );
            assert!(speaker.error(&refused).message.contains("x-bytespike-max-credits"));
            assert_eq!(refused.header("x-should-retry"), "false");
            assert!(refused.maybe("x-receipt-id").is_none());

            // Without one, the limit is made to fit, and said.
            let mut open = named.clone();
            open.as_object_mut().unwrap().remove("max_tokens");
            if speaker == Speaker::OpenAi {
                let made = call(&open, "1000").send().await.expect_status(200);
                let said = made.header("x-bytespike-max-tokens");
                let tokens: i64 = said.strip_suffix("; reason=max-credits").expect(said).parse().unwrap();
                assert!((256..1000).contains(&tokens));
                assert!((990_000..=1_000_000).contains(&nano_header(&made, "x-credits-held")));
                let sent = stage.upstream.last().json();
                assert_eq!(
                    sent["max_tokens"].as_i64().or(sent["max_completion_tokens"].as_i64()),
                    Some(tokens)
                );
                // Too little to be worth making.
                let _ = call(&open, "100").send().await.expect_status(402);
            }
            for wrong in ["", "-1", "0", "1e3", "1.0001", "lots", "１００", "99999999999999999999"] {
                let refused = call(&named, wrong).send().await;
                assert_eq!(refused.status, 400, "{wrong:?}");
                assert!(speaker.error(&refused).message.contains("x-bytespike-max-credits"));
            }
            assert_eq!(
                call(&named, "5000").header("x-bytespike-max-credits", "6000").send().await.status,
                400
            );
        }
    }
}

#[tokio::test]
async fn credits_per_call_cap_every_call_below_their_node() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let member = node(&stage, &admin, "mem:", "").await;
    set(&stage, &admin, &format!("{member}/credits_per_call"), &json!({"limit_credits": "70"})).await;
    let body = Speaker::Anthropic.ask(CLAUDE, false);
    let refused = stage.ask(Speaker::Anthropic, &body).await.expect_status(402);
    let details = details(Speaker::Anthropic, &refused);
    assert_eq!((&details["node"], &details["max_credits"]), (&json!(member), &json!("70.000")));
    // A header can only lower it.
    let call = stage.call(Speaker::Anthropic, &body).header("x-bytespike-max-credits", "5000");
    assert_eq!(call.send().await.status, 402);
    set(&stage, &admin, &format!("{member}/credits_per_call"), &json!({"limit_credits": "5000"})).await;
    let _ = stage.ask(Speaker::Anthropic, &body).await.expect_status(200);
}

#[tokio::test]
async fn a_quote_knows_the_cap_and_says_what_the_call_would_hold_under_it() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let quote = async |body: &Value, cap: Option<&str>| {
            let call = Call::post(stage.product.at("/v1/estimate?dialect=openai-chat"), body)
                .header("x-api-key", &*stage.key);
            match cap {
                Some(cap) => call.header("x-bytespike-max-credits", cap).send().await,
                None => call.send().await,
            }
        };
        let named = Speaker::OpenAi.ask(CLAUDE, false);
        let free = quote(&named, None).await.expect_status(200).json();
        assert_eq!((&free["max_credits"], &free["within_max_credits"]), (&Value::Null, &json!(true)));
        let held = nano(&free["held_credits"]);
        for (cap, fits) in [(held, true), (held - 1, false)] {
            let cap = format!("{}.{:03}", cap / 1000, cap % 1000);
            let quoted = quote(&named, Some(&cap)).await.expect_status(200).json();
            assert_eq!((&quoted["max_credits"], &quoted["within_max_credits"]), (&json!(cap), &json!(fits)));
            assert_eq!(
                quoted["held_credits"], free["held_credits"],
                "what the call needs is said either way"
            );
            let call = stage.call(Speaker::OpenAi, &named).header("x-bytespike-max-credits", &*cap);
            assert_eq!(call.send().await.status == 200, fits, "the call itself agrees");
        }

        let mut open = named.clone();
        open.as_object_mut().unwrap().remove("max_completion_tokens");
        open.as_object_mut().unwrap().remove("max_tokens");
        let quoted = quote(&open, Some("1000")).await.expect_status(200).json();
        assert_eq!(quoted["bounds"]["max_output_tokens_reason"], "max-credits", "{quoted}");
        let made = stage.call(Speaker::OpenAi, &open).header("x-bytespike-max-credits", "1000");
        let made = made.send().await.expect_status(200);
        assert_eq!(nano(&quoted["held_credits"]), nano_header(&made, "x-credits-held"));
        let said = format!("{}; reason=max-credits", quoted["bounds"]["max_output_tokens"]);
        assert_eq!(made.header("x-bytespike-max-tokens"), said);
        assert_eq!(quote(&open, Some("100")).await.json()["within_max_credits"], false);
        assert_eq!(quote(&named, Some("lots")).await.status, 400);
    }
}
