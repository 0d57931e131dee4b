//! Prices and channels change while calls run: a change is a new version within seconds, a running call keeps its own,
//! old versions stay readable, and what may not be published is not.

use std::time::{Duration, Instant};

use bytespike_tests::PATIENCE;
use bytespike_tests::canary;
use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::gate::Gate;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::person::Person;
use bytespike_tests::product::{CLAUDE, GPT, Product, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, Upstream, anthropic, scenes};
use serde_json::Value;

/// What the documentation promises.
const ADOPTED_WITHIN: Duration = Duration::from_secs(5);

const DEARER: &str =
    "[[prices]]\nmodel = \"scripted-claude\"\ncomponent = \"output\"\nusd = \"3.00\"\nunit = \"1M tokens\"\n";

async fn export(product: &Product, path: &str) -> Value {
    Call::get(product.at(path)).send().await.expect_status(200).json()
}

/// Asks again and again until the answer is as wanted, and says how long that took.
async fn until(ask: impl AsyncFn() -> Answer, wanted: impl Fn(&Answer) -> bool) -> Duration {
    let started = Instant::now();
    loop {
        let answer = ask().await;
        if wanted(&answer) {
            return started.elapsed();
        }
        assert!(started.elapsed() < PATIENCE, "not as wanted: {} {}", answer.status, answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn version(answer: &Answer) -> i64 {
    answer.json()["export"]["version"].as_i64().unwrap_or_default()
}

#[tokio::test]
async fn s109_a_publication_counts_for_new_calls_within_seconds_and_never_for_running_ones() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let rest = Gate::default();
        let held_back = rest.clone();
        stage.answer_with(move |_| {
            let events = anthropic::text_stream(&["one ", "two"]);
            Reply::stream().pieces(&events[..3]).wait(&held_back).pieces(&events[3..]).done()
        });
        let mut running = stage.stream(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, true)).await;
        running.until(|event| Speaker::Anthropic.text_in(event).contains("one")).await;

        stage.product.write("prices.toml", DEARER);
        let published = stage
            .product
            .run(&["prices", "publish", "--overrides", "prices.toml", "--note", "a test"], "")
            .await;
        assert!(published.success, "{}", published.output);
        assert!(
            published.output.contains("~ scripted-claude: output: $1.00 → $3.00 per 1M tokens"),
            "{}",
            published.output
        );
        let took =
            until(async || Call::get(stage.product.at("/v1/prices")).send().await, |it| version(it) == 2)
                .await;
        assert!(took < ADOPTED_WITHIN, "{took:?}");

        rest.open();
        let answer = running.rest().await;
        let cost = Speaker::Anthropic.last_usage(&answer.events())["cost_credits"].clone();
        assert_eq!(cost, "17.000", "the running call is charged by the version it began with");
        let receipt = stage.receipt_of(&answer).await;
        assert_eq!(receipt["price"]["version"], 1);

        stage.answer_with(scenes::play);
        let next =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        assert_eq!(next.header("x-price-version"), "2");
        let receipt = stage.receipt_of(&next).await;
        assert_eq!(receipt["price"]["version"], 2);
        let line = |receipt: &Value| {
            let lines = receipt["lines"].as_array().cloned().unwrap_or_default();
            lines.into_iter().find(|line| line["component"] == "output").unwrap()
        };
        assert_eq!(line(&receipt)["price_usd"], "3.00");

        let first = export(&stage.product, "/v1/prices/1").await;
        assert_eq!(first, export(&stage.product, "/v1/prices?version=1").await);
        let of = |export: &Value| {
            let models = export["export"]["models"].as_array().cloned().unwrap_or_default();
            let model = models.into_iter().find(|model| model["id"] == CLAUDE).unwrap();
            let prices = model["prices"].as_array().cloned().unwrap_or_default();
            let output = prices.into_iter().find(|price| price["component"] == "output").unwrap();
            (model["badge"].clone(), output["usd_pico"].clone())
        };
        assert_eq!(of(&first), ("estimate".into(), 1_000_000.into()));
        assert_eq!(of(&export(&stage.product, "/v1/prices/2").await), ("live".into(), 3_000_000.into()));
        assert_eq!(
            first["signature"]["key_id"],
            export(&stage.product, "/v1/prices").await["signature"]["key_id"]
        );
        for wrong in ["/v1/prices/3", "/v1/prices/0", "/v1/prices/one"] {
            let _ = Call::get(stage.product.at(wrong)).send().await.expect_status(404);
        }

        stage.product.terminate().await;
        assert!(stage.product.ended().await.success());
        stage.product.start_again().await;
        assert_eq!(
            export(&stage.product, "/v1/prices").await["export"]["version"],
            2,
            "a restart keeps what was published"
        );
    }
}

#[tokio::test]
async fn what_may_not_be_published_is_not_and_everything_can_be_taken_back() {
    let stage = Stage::new().await;
    let product = &stage.product;
    for (overrides, wanted) in [
        (DEARER.replace("3.00", "0.50"), "below its cost of $1.00"),
        (DEARER.replace("3.00", "-1"), "not negative"),
        (DEARER.replace("1M tokens", "furlong"), "known units are"),
        (DEARER.replace("scripted-claude", "nobody"), "no model `nobody` is known"),
        (DEARER.replace("usd", "eur"), "unknown field `eur`"),
        (format!("{DEARER}effective_to = \"2099-12-31\"\n"), "has no price from 2100-01-01 on"),
    ] {
        product.write("prices.toml", &overrides);
        for command in ["check", "publish"] {
            let refused = product.run(&["prices", command, "--overrides", "prices.toml"], "").await;
            assert!(!refused.success && refused.output.contains(wanted), "{wanted}: {}", refused.output);
        }
    }
    product.write("prices.toml", DEARER);
    let published = product.run(&["prices", "publish", "--overrides", "prices.toml"], "").await;
    assert!(published.success, "{}", published.output);
    let again = product.run(&["prices", "publish"], "").await;
    assert!(again.output.contains("Version 2 is in force already"), "{}", again.output);
    let back = product.run(&["prices", "publish", "--no-overrides", "--note", "back"], "").await;
    assert!(back.output.contains("Version 1 is in force"), "{}", back.output);
    let history = product.run(&["prices", "history"], "").await;
    let versions: Vec<bool> = history
        .output
        .lines()
        .filter(|line| line.contains("sha256:"))
        .map(|line| line.contains("version 1 "))
        .collect();
    assert_eq!(versions, [true, false, true], "{}", history.output);
    assert!(history.output.contains("back"));
    let exported = product.run(&["prices", "export", "--version", "2"], "").await;
    let exported: Value = serde_json::from_str(exported.output.trim()).unwrap();
    assert_eq!(exported["export"]["version"], 2);
    assert_eq!(exported["signature"]["key_id"], export(product, "/v1/prices").await["signature"]["key_id"]);
}

#[tokio::test]
async fn a_channel_can_be_added_and_switched_off_while_calls_run() {
    for database in BOTH {
        let upstream = Upstream::start(scenes::play).await;
        let stage = with_late_model(upstream, database).await;
        let ask = async || stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask("scripted-late", false)).await;
        let refused = ask().await.expect_status(503);
        assert_eq!(Speaker::OpenAi.error(&refused).code.as_deref(), Some("model_not_wired"));

        let channel = |base_url: &str| {
            format!(
                "id = \"late\"\nprovider = \"scripted\"\ndialect = \"openai-chat\"\nbase_url = \"{base_url}\"\n[models]\nscripted-late = \"{GPT}\"\n"
            )
        };
        let url = format!("{}/v1", stage.upstream.url());
        stage.product.write("private.toml", &channel("http://127.0.0.1:9/v1"));
        let put = ["channels", "put", "private.toml", "--keys-from-stdin"];
        let refused = stage.product.run(&put, canary::UPSTREAM_KEY).await;
        assert!(
            !refused.success && refused.output.contains("gateway.private_upstreams"),
            "{}",
            refused.output
        );

        stage.product.write("channel.toml", &channel(&url));
        let put = ["channels", "put", "channel.toml", "--keys-from-stdin"];
        let done = stage.product.run(&put, canary::UPSTREAM_KEY).await;
        assert!(done.success, "{}", done.output);
        let took = until(ask, |answer| answer.status == 200).await;
        assert!(took < ADOPTED_WITHIN, "{took:?}");
        let answer = ask().await.expect_status(200);
        assert_eq!(answer.header("x-served-by"), "late");

        assert!(stage.product.run(&["channels", "disable", "late"], "").await.success);
        let took = until(ask, |answer| answer.status == 503).await;
        assert!(took < ADOPTED_WITHIN, "{took:?}");
        let listed = stage.product.run(&["channels", "list"], "").await;
        assert!(listed.output.contains("disabled"), "{}", listed.output);
    }
}

/// The usual stage, with a model that no channel carries and a provider that operators may point channels to.
async fn with_late_model(upstream: Upstream, database: Kind) -> Stage {
    let url = upstream.url();
    let place = url.trim_start_matches("http://").to_owned();
    let setup = Setup::scripted(&url)
        .on(database)
        .model("scripted-late", "1.00")
        .settings(&format!("[gateway]\nprivate_upstreams = [\"{place}\"]"));
    let product = setup.start().await;
    let mut person = Person::new(&product, "someone@example.com");
    person.sign_up().await;
    let key = person.create_key("test", &[]).await;
    Stage { upstream, product, person, key }
}

#[tokio::test]
async fn the_price_history_says_what_each_publication_changed_and_when() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let page =
            async |path: &str| Call::get(stage.product.at(path)).send().await.expect_status(200).text();
        let told = until(
            async || Call::get(stage.product.at("/pricing/history")).send().await,
            |answer| answer.text().contains("The first price book."),
        );
        told.await;
        assert!(page(&format!("/pricing/{CLAUDE}")).await.contains("Unchanged since"));

        stage.product.write("prices.toml", DEARER);
        let publish = ["prices", "publish", "--overrides", "prices.toml", "--note", "not for the public"];
        assert!(stage.product.run(&publish, "").await.success);
        let changed = ["$1.00 / 1M tokens", "$3.00 / 1M tokens"];
        let is_told = |answer: &Answer| changed.iter().all(|price| answer.text().contains(price));
        let took =
            until(async || Call::get(stage.product.at("/pricing/history")).send().await, is_told).await;
        assert!(took < ADOPTED_WITHIN, "{took:?}");
        let all = page("/pricing/history").await;
        for part in
            ["Version 2", "Version 1", "1 change", "/v1/prices/2", &format!("href=\"/pricing/{CLAUDE}\"")]
        {
            assert!(all.contains(part), "{part}");
        }
        assert!(!all.contains("not for the public"), "an operator's note is the operator's");
        assert!(all.find("Version 2") < all.find("Version 1"), "the newest first");
        let chinese = page("/zh/pricing/history").await;
        assert!(
            chinese.contains("版本 2") && chinese.contains("1 项变动") && chinese.contains("$3.00"),
            "{chinese}"
        );

        let of_model = page(&format!("/pricing/{CLAUDE}")).await;
        let (_, history) = of_model.split_once("Price history").expect("a section");
        assert!(changed.iter().all(|price| history.contains(price)), "{history}");
        assert!(
            page(&format!("/pricing/{GPT}")).await.contains("Unchanged since"),
            "another model is not concerned"
        );

        let signed = export(&stage.product, "/v1/prices").await["export"]["history"].clone();
        let change = &signed[0]["changes"][0];
        assert_eq!((&signed[0]["version"], &signed[1]["changes"]), (&2.into(), &Value::Null), "{signed}");
        assert_eq!((&change["from_pico"], &change["to_pico"]), (&1_000_000.into(), &3_000_000.into()));
        let (verified, said) = verify_prices(&stage.product).await;
        assert!(verified, "the history does not get in the way of a check: {said}");
    }
}

/// The export in force is what its hash says.
async fn verify_prices(product: &Product) -> (bool, String) {
    let text = Call::get(product.at("/v1/prices")).send().await.expect_status(200).text();
    let export: bytespike_catalog::SignedExport = serde_json::from_str(&text).unwrap();
    let book = export.unverified().unwrap().book();
    (book.is_ok(), format!("{book:?}"))
}
