//! What a key carries beside models, networks and scopes: tags to sort it by, how long it may live, who may answer it and
//! where; and the rules of the nodes above it, over the API as on the pages.

use bytespike_tests::database::BOTH;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::keys::{ask, derive, manager};
use bytespike_tests::limits::{admin, node};
use bytespike_tests::person::Form;
use bytespike_tests::product::{CLAUDE, GPT, Setup};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Upstream, scenes};
use serde_json::{Value, json};

async fn rules(stage: &Stage, key: &str, node: &str, body: Option<&Value>) -> Answer {
    let url = stage.product.at(&format!("/api/v1/limits/{node}/rules"));
    match body {
        None => Call::get(url).header("x-api-key", key).send().await,
        Some(body) => {
            let call =
                Call::new("PUT", url).header("x-api-key", key).header("content-type", "application/json");
            call.body(body.to_string()).send().await
        }
    }
}

async fn call(stage: &Stage, speaker: Speaker, key: &str, model: &str) -> Answer {
    speaker.call(&stage.product.url, key, &speaker.ask(model, false)).send().await
}

fn names(list: &Value) -> Vec<String> {
    let data = list["data"].as_array().expect("a list");
    data.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn keys_are_tagged_listed_by_tag_and_their_usage_is_read_by_tag() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let manager = manager(&mut stage).await;
        let (nightly, secret) =
            derive(&stage, &manager, &json!({"name": "nightly", "tags": ["Batch", "prod", "batch"]})).await;
        let (_, other) = derive(&stage, &manager, &json!({"name": "web", "tags": ["prod", "x_y"]})).await;
        derive(&stage, &manager, &json!({"name": "plain"})).await;
        let shown =
            ask(&stage, &manager, ("GET", &format!("/{nightly}")), None).await.expect_status(200).json();
        assert_eq!(shown["tags"], json!(["batch", "prod"]));
        let tagged = async |tag: &str| {
            names(
                &ask(&stage, &manager, ("GET", &format!("?tag={tag}")), None).await.expect_status(200).json(),
            )
        };
        assert_eq!(tagged("prod").await, ["web", "nightly"]);
        assert_eq!(tagged("Batch").await, ["nightly"]);
        assert_eq!(tagged("xzy").await, [""; 0], "an underscore is no wildcard");
        assert_eq!(tagged("pro").await, [""; 0], "a part of a tag is none");
        for wrong in [json!(["two words"]), json!(["a,b"]), json!([1]), json!("prod")] {
            let refused =
                ask(&stage, &manager, ("POST", ""), Some(&json!({"name": "no", "tags": wrong}))).await;
            assert_eq!(refused.status, 400, "{wrong}: {}", refused.text());
        }
        for key in [&secret, &secret, &other] {
            let _ = call(&stage, Speaker::Anthropic, key, CLAUDE).await.expect_status(200);
        }

        // The page shows them, lists by them, and the usage page sums by them.
        let page = stage.person.open("/console/keys").await.expect_status(200).text();
        assert!(page.contains("/console/keys?tag=batch") && page.contains(">web<"), "tags are links");
        let page = stage.person.open("/console/keys?tag=batch").await.expect_status(200).text();
        assert!(page.contains(">nightly<") && !page.contains(">web<"));
        let form =
            stage.person.open(&format!("/console/keys/{nightly}/edit")).await.expect_status(200).text();
        let form = Form::with(&form, "tags").set("tags", "prod, 夜间").set("note", "runs at three");
        let page = stage.person.submit(&form).await.expect_status(200).text();
        assert!(page.contains("夜间") && page.contains("runs at three"), "{page}");
        let wrong = stage.person.submit(&form.set("tags", "\"quoted\"")).await;
        assert_eq!(wrong.status, 422);

        let csv = stage.person.open("/console/usage/usage.csv?group=tag&measure=requests").await;
        let csv = csv.expect_status(200).text();
        let mut lines = csv.trim_start_matches('\u{feff}').lines();
        assert_eq!(lines.next(), Some("from_utc,prod,夜间,x_y"), "a key with two tags counts in both: {csv}");
        assert!(csv.contains(",3,2,1\n"), "{csv}");
        let calls = stage.person.open("/console/calls/calls.csv").await.expect_status(200).text();
        assert!(calls.contains(",key_tags"), "{calls}");
        let reader = stage.person.create_key("reader", &[("org_usage", "on")]).await;
        let calls =
            Call::get(stage.product.at("/v1/usage/calls.csv")).header("x-api-key", &*reader).send().await;
        let calls = calls.expect_status(200).text();
        assert!(calls.lines().next().is_some_and(|head| head.ends_with(",key_tags")), "{calls}");
        assert_eq!(calls.lines().filter(|line| line.ends_with(",prod 夜间")).count(), 2, "{calls}");
        let usage = async |query: &str| {
            let at = stage.product.at(&format!("/v1/usage?group_by={query}"));
            Call::get(at).header("x-api-key", &*reader).send().await.expect_status(200).json()
        };
        let by_tag = usage("tag").await;
        let of = |row: &Value| (row["tag"].as_str().map(str::to_owned), row["calls"].as_i64());
        let rows: Vec<_> = by_tag["data"].as_array().expect("a list").iter().map(of).collect();
        let tag = |name: &str, calls| (Some(name.to_owned()), Some(calls));
        assert_eq!(rows, [tag("prod", 3), tag("x_y", 1), tag("夜间", 2)], "{by_tag}");
        assert_eq!(
            (&by_tag["total"]["calls"], &by_tag["group_by"]),
            (&json!(3), &json!(["tag"])),
            "each once in all"
        );
        let first = usage("key,tag&limit=1").await;
        assert_eq!(first["has_more"], true, "{first}");
        let rest =
            usage(&format!("key,tag&cursor={}", first["next_cursor"].as_str().expect("a place"))).await;
        let pages = [&first, &rest].map(|page| page["data"].as_array().expect("a list").len());
        assert_eq!(pages, [1, 3], "two tags of each key: {rest}");
        assert!(rest["data"].as_array().expect("a list").iter().all(|row| row["key"].is_string()));
        let by_both = usage("tag,outcome").await;
        assert!(by_both["data"].as_array().expect("a list").iter().all(|row| row["outcome"] == "settled"));
        let focus =
            Call::get(stage.product.at("/v1/usage/focus.csv")).header("x-api-key", &*reader).send().await;
        assert!(focus.expect_status(200).text().contains(r#""{""prod"":true,""x_y"":true}""#));
    }
}

#[tokio::test]
async fn the_usage_file_has_a_column_for_every_group() {
    let mut stage = Stage::new().await;
    for n in 0..9 {
        let key = stage.person.create_key(&format!("key {n}"), &[]).await;
        let _ = call(&stage, Speaker::Anthropic, &key, CLAUDE).await.expect_status(200);
    }
    let csv =
        stage.person.open("/console/usage/usage.csv?group=key&measure=requests").await.expect_status(200);
    let csv = csv.text();
    let head = csv.lines().next().expect("a head");
    assert_eq!(head.matches(",key ").count(), 9, "{head}");
    assert!(head.ends_with(",total_requests") && csv.contains(",1,1,1,1,1,1,1,1,1,9\n"), "{csv}");
}

#[tokio::test]
async fn a_node_says_how_long_keys_below_it_may_live_and_every_way_to_a_key_obeys() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let admin = admin(&mut stage).await;
        let manager = manager(&mut stage).await;
        let org = node(&stage, &admin, "org:", "").await;
        let _ = rules(&stage, &admin, &org, Some(&json!({"max_lifetime_days": 30}))).await.expect_status(200);
        let too_long = async |body: Value| {
            let answer = ask(&stage, &manager, ("POST", ""), Some(&body)).await.expect_status(422);
            let error = answer.json()["error"].clone();
            assert_eq!(
                (&error["param"], &error["details"]["node"]),
                (&json!("expires_at"), &json!(org)),
                "{error}"
            );
            let latest = error["details"]["latest"].as_str().expect("a moment").to_owned();
            assert!(error["message"].as_str().is_some_and(|text| text.contains(&latest)), "{error}");
            latest
        };
        too_long(json!({"name": "endless"})).await;
        let latest = too_long(json!({"name": "long", "expires_at": "2099-01-01T00:00:00Z"})).await;
        let (id, _) = derive(&stage, &manager, &json!({"name": "short", "expires_at": latest})).await;
        derive(&stage, &manager, &json!({"name": "below", "parent": id})).await;
        let moved = json!({"expires_at": "2099-01-01T00:00:00Z"});
        assert_eq!(ask(&stage, &manager, ("PATCH", &format!("/{id}")), Some(&moved)).await.status, 422);
        assert_eq!(
            ask(&stage, &manager, ("PATCH", &format!("/{id}")), Some(&json!({"expires_at": null})))
                .await
                .status,
            422
        );
        let _ = ask(&stage, &manager, ("PATCH", &format!("/{id}")), Some(&json!({"note": "stays"})))
            .await
            .expect_status(200);

        // The form offers what fits, and says why the rest does not.
        let page = stage.person.open("/console/keys/new").await.expect_status(200).text();
        let option = |value: &str| {
            let at = page.find(&format!("<option value=\"{value}\"")).unwrap_or_else(|| panic!("no {value}"));
            page[at..].split("</option>").next().expect("an end").to_owned()
        };
        for (value, fits) in
            [("never", false), ("7", true), ("30", true), ("90", false), ("365", false), ("latest", true)]
        {
            assert_eq!(option(value).contains("disabled"), !fits, "{value}: {}", option(value));
        }
        assert!(option("90").contains("live 30 days at most"), "{}", option("90"));
        assert!(option("30").contains("selected"), "the longest that fits is chosen");
        let form = Form::with(&page, "name").set("name", "by hand");
        let refused = stage.person.submit(&form.clone().set("expiry", "90")).await;
        assert!(
            refused.status == 422 && refused.text().contains("live 30 days at most"),
            "{}",
            refused.text()
        );
        let made = stage.person.submit(&form.set("expiry", "latest")).await.expect_status(200).text();
        assert!(made.contains("sk-byts-"), "made");
        // A key from before the rule keeps what it has.
        let _ = call(&stage, Speaker::Anthropic, &stage.key.clone(), CLAUDE).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_node_is_given_rules_over_the_api_by_who_may_and_they_bind_at_the_next_call() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let manager = manager(&mut stage).await;
    let (org, member) = (node(&stage, &admin, "org:", "").await, node(&stage, &admin, "mem:", "").await);
    let key = node(&stage, &admin, "key:", "test").await;
    let empty = rules(&stage, &admin, &org, None).await.expect_status(200).json();
    assert_eq!(
        empty,
        json!({"object": "rules", "node": org, "models": null, "ips": [], "scopes": null, "providers": null,
               "regions": null, "expires_at": null, "max_lifetime_days": null})
    );
    let wanted = json!({"models": [GPT], "max_lifetime_days": 90, "regions": null});
    let set = rules(&stage, &admin, &member, Some(&wanted)).await.expect_status(200).json();
    assert_eq!((&set["models"], &set["max_lifetime_days"]), (&json!([GPT]), &json!(90)));
    assert_eq!(rules(&stage, &admin, &member, None).await.json(), set);
    assert_eq!(call(&stage, Speaker::Anthropic, &stage.key.clone(), CLAUDE).await.status, 403);
    // What is left out narrows nothing any more, and the page shows the same.
    let _ = rules(&stage, &admin, &member, Some(&json!({}))).await.expect_status(200);
    let _ = call(&stage, Speaker::Anthropic, &stage.key.clone(), CLAUDE).await.expect_status(200);
    let _ = rules(&stage, &admin, &org, Some(&json!({"max_lifetime_days": 45}))).await.expect_status(200);
    let page = stage.person.open(&format!("/console/limits/node/{org}")).await.expect_status(200).text();
    assert!(Form::with(&page, "max_lifetime").fields.contains(&("max_lifetime".to_owned(), "45".to_owned())));
    let form = Form::with(&page, "max_lifetime");
    assert_eq!(stage.person.submit(&form.clone().set("max_lifetime", "0")).await.status, 422);
    let _ = stage.person.submit(&form.set("max_lifetime", "")).await.expect_status(200);
    assert_eq!(rules(&stage, &admin, &org, None).await.json()["max_lifetime_days"], Value::Null);

    for wrong in [
        json!({"max_lifetime_days": 0}),
        json!({"max_lifetime_days": "30"}),
        json!({"models": ["no-such-model"]}),
        json!({"ips": ["elsewhere"]}),
        json!({"scopes": ["everything"]}),
        json!({"providers": ["nobody"]}),
        json!({"regions": ["the moon"]}),
        json!({"expires_at": "2020-01-01T00:00:00Z"}),
        json!({"max_days": 3}),
    ] {
        let answer = rules(&stage, &admin, &org, Some(&wrong)).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
    // Limits below itself are not rules of the organisation; a key has terms; another's node is none.
    assert_eq!(rules(&stage, &manager, &org, Some(&json!({}))).await.status, 403);
    assert_eq!(rules(&stage, &stage.key.clone(), &org, Some(&json!({}))).await.status, 403);
    let _ = rules(&stage, &stage.key.clone(), &org, None).await.expect_status(200);
    for (who, at) in [(&admin, key.as_str()), (&admin, "org:another"), (&manager, "dep:another")] {
        assert_eq!(rules(&stage, who, at, None).await.status, 404, "{at}");
    }
    let deleted = Call::new("DELETE", stage.product.at(&format!("/api/v1/limits/{org}/rules")))
        .header("x-api-key", &*admin);
    let deleted = deleted.send().await;
    assert_eq!((deleted.status, deleted.header("allow")), (405, "GET, PUT"));
}

/// One model that two providers carry, in the EU and nobody says where; and one that only the latter does.
async fn placed() -> Stage {
    let upstream = Upstream::start(scenes::play).await;
    let (url, key) = (upstream.url(), bytespike_tests::canary::UPSTREAM_KEY);
    let channel = format!(
        "[[channels]]\nid = \"eu\"\nprovider = \"elsewhere\"\nregion = \"eu\"\ndialect = \"anthropic\"\n\
         base_url = \"{url}\"\napi_key = \"{key}\"\nmodels = [\"{CLAUDE}\"]\n\
         [[models]]\nid = \"elsewhere-1\"\nprovider = \"elsewhere\"\nprotocols = [\"anthropic\"]\n\
         usd_per_million_tokens = {{ input = \"1\", output = \"1\" }}\n"
    );
    Stage::on(Setup::scripted(&url).settings(&channel), upstream).await
}

#[tokio::test]
async fn a_key_bound_to_providers_or_regions_is_answered_by_those_alone() {
    let mut stage = placed().await;
    let admin = admin(&mut stage).await;
    let manager = manager(&mut stage).await;
    let org = node(&stage, &admin, "org:", "").await;
    let (id, bound) =
        derive(&stage, &manager, &json!({"name": "eu only", "providers": ["elsewhere"], "regions": ["EU"]}))
            .await;
    for _ in 0..3 {
        for speaker in SPEAKERS {
            let answer = call(&stage, speaker, &bound, CLAUDE).await.expect_status(200);
            assert_eq!(answer.header("x-served-by"), "eu");
        }
    }
    for speaker in SPEAKERS {
        let answer = call(&stage, speaker, &bound, GPT).await.expect_status(403);
        let error = speaker.error(&answer);
        assert_eq!(error.kind, "permission_error");
        for part in [
            "eu only",
            "provider elsewhere",
            "region eu",
            GPT,
            "scripted (region not said)",
            "GET /v1/models",
        ] {
            assert!(error.message.contains(part), "{error:?} says {part}");
        }
        assert_eq!(answer.header("x-should-retry"), "false");
        assert!(answer.maybe("x-receipt-id").is_none(), "nothing was held");
    }
    let seen = Call::get(stage.product.at("/v1/models?limit=1000")).header("x-api-key", &*bound).send().await;
    let seen = seen.expect_status(200).text();
    assert!(seen.contains(CLAUDE) && !seen.contains(GPT), "{seen}");
    let body = Speaker::OpenAi.ask(GPT, false);
    let estimate =
        Call::post(stage.product.at("/v1/estimate"), &body).header("x-api-key", &*bound).send().await;
    assert_eq!(estimate.status, 403);

    // A child gets no more, a node above binds every key, and both show.
    let wider = json!({"name": "wider", "parent": id, "providers": ["elsewhere", "scripted"]});
    let wider = ask(&stage, &manager, ("POST", ""), Some(&wider)).await.expect_status(422).json();
    assert_eq!(wider["error"]["param"], "providers");
    let shown = ask(&stage, &manager, ("GET", &format!("/{id}")), None).await.json();
    assert_eq!((&shown["providers"], &shown["regions"]), (&json!(["elsewhere"]), &json!(["eu"])));
    let page = stage.person.open(&format!("/console/keys/{id}")).await.expect_status(200).text();
    assert!(page.contains("<code>elsewhere</code>") && page.contains("<code>eu</code>"));
    let _ = rules(&stage, &admin, &org, Some(&json!({"regions": ["us"]}))).await.expect_status(200);
    for key in [&bound, &stage.key.clone()] {
        assert_eq!(call(&stage, Speaker::OpenAi, key, CLAUDE).await.status, 403, "nobody is in the US");
    }
    let _ = rules(&stage, &admin, &org, Some(&json!({}))).await.expect_status(200);
    let form = stage.person.open(&format!("/console/keys/{id}/edit")).await.expect_status(200).text();
    let form = Form::with(&form, "providers");
    let wrong = stage.person.submit(&form.clone().set("providers", "nobody")).await;
    assert!(wrong.status == 422 && wrong.text().contains("is no provider here"));
    let _ = stage.person.submit(&form.set("providers", "").set("regions", "")).await.expect_status(200);
    let _ = call(&stage, Speaker::OpenAi, &bound, GPT).await.expect_status(200);
}

#[tokio::test]
async fn a_program_gets_no_key_that_lives_longer_than_its_person_may_give() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let org = node(&stage, &admin, "org:", "").await;
    // Its person allowed 90 days, and then the organisation said 30.
    let tokens = crate::oauth::tokens(&mut stage).await;
    let _ = rules(&stage, &admin, &org, Some(&json!({"max_lifetime_days": 30}))).await.expect_status(200);
    let access = tokens["access_token"].as_str().expect("an access token");
    let made = Call::post(stage.product.at("/v1/oauth/keys"), &json!({}))
        .header("authorization", format!("Bearer {access}"))
        .header("idempotency-key", "first");
    let refused = made.send().await.expect_status(403).json();
    let why = refused["error_description"].as_str().expect("a sentence");
    assert!(why.contains("the organisation live 30 days at most") && why.contains("or earlier"), "{why}");

    let page = stage.person.open(&crate::oauth::authorize(&[])).await.expect_status(200).text();
    let at = page.find("<option value=\"90\"").expect("the usual times are shown");
    let option = page[at..].split("</option>").next().expect("an end");
    assert!(option.contains("disabled") && option.contains("live 30 days at most"), "{option}");
    let form = crate::oauth::checked(Form::with(&page, "decision_token").set("decision", "allow"));
    let longer = stage.person.submit_only(&form.clone().set("expiry", "90")).await;
    assert!(longer.status == 422 && longer.text().contains("live 30 days at most"), "{}", longer.text());
    let fits = stage.person.submit_only(&form).await;
    assert_eq!(fits.status, 200, "the longest that fits is chosen: {}", fits.text());
}
