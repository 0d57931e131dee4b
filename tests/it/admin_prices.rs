//! The promise about prices: what an operator publishes on the page is what the next call is charged, what the price page shows
//! and what the signed export says; and under one version the three are never apart, however fast it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytespike_tests::PATIENCE;
use bytespike_tests::database::BOTH;
use bytespike_tests::http::Call;
use bytespike_tests::operator::Operator;
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use serde_json::Value;

/// What the pages promise: of charges, and of the price page.
const CHARGED_WITHIN: Duration = Duration::from_secs(5);
const SHOWN_WITHIN: Duration = Duration::from_secs(90);

/// One look at the price of the model's output: under which version, and how much per million tokens.
type Seen = (i64, String);

/// What a call is charged by, as its receipt says.
async fn charged(stage: &Stage) -> Seen {
    let answer =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    let receipt = stage.receipt_of(&answer).await;
    let version = receipt["price"]["version"].as_i64().expect("a version");
    assert_eq!(answer.header("x-price-version"), version.to_string());
    let lines = receipt["lines"].as_array().cloned().unwrap_or_default();
    let line = lines.into_iter().find(|line| line["component"] == "output").expect("a line for output");
    (version, line["price_usd"].as_str().expect("a price").to_owned())
}

/// What the signed export says.
async fn exported(stage: &Stage) -> Seen {
    let export =
        Call::get(stage.product.at("/v1/prices")).send().await.expect_status(200).json()["export"].clone();
    let version = export["version"].as_i64().expect("a version");
    let named = |list: &Value, key: &str, name: &str| {
        let all = list.as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one[key] == name).expect("it is there")
    };
    let model = named(&export["models"], "id", CLAUDE);
    let cents = named(&model["prices"], "component", "output")["usd_pico"].as_i64().expect("pico") / 10_000;
    (version, format!("{}.{:02}", cents / 100, cents % 100))
}

/// What the price page shows.
async fn shown(stage: &Stage) -> Seen {
    let page =
        Call::get(stage.product.at(&format!("/pricing/{CLAUDE}"))).send().await.expect_status(200).text();
    let after = |mark: &str, wanted: &dyn Fn(char) -> bool| {
        let (_, rest) = page.split_once(mark).unwrap_or_else(|| panic!("{mark} is on {page}"));
        rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| wanted(*c)).collect::<String>()
    };
    let price = after(">Output</th>", &|c| c.is_ascii_digit() || c == '.');
    let version = after("<dt>Version</dt><dd><span class=\"num\"", &|c| c.is_ascii_digit());
    (version.parse().expect("a version"), price)
}

/// Puts a price of the model's output into the draft.
async fn draft(operator: &mut Operator, usd: &str) {
    let page = format!("/admin/prices/model?id={CLAUDE}");
    let kept = operator.send(&page, "prices/model", &[("component", "output"), ("usd", usd)]).await;
    assert_eq!(kept.status, 303, "{}", kept.text());
}

async fn publish(operator: &mut Operator) {
    let published = operator.send("/admin/prices", "prices/publish", &[("note", "a test")]).await;
    assert_eq!(published.status, 303, "{}", published.text());
}

#[tokio::test]
async fn a_price_changed_on_the_page_is_charged_shown_and_signed_and_the_three_never_disagree() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database).trial_grant(100_000_000)).await;
        let mut operator = Operator::new(&stage.product).await;
        let first: Seen = (1, "1.00".to_owned());
        assert_eq!(charged(&stage).await, first);

        draft(&mut operator, "3.00").await;
        let page = operator.page("/admin/prices").await;
        assert!(page.contains("$1.00") && page.contains("$3.00"), "the draft says what would change");
        assert_eq!(charged(&stage).await, first, "a draft is not sold by");
        publish(&mut operator).await;
        let began = Instant::now();
        while charged(&stage).await.0 == 1 {
            assert!(began.elapsed() < CHARGED_WITHIN, "still charged by the version before");
        }
        while shown(&stage).await.0 == 1 {
            assert!(began.elapsed() < SHOWN_WITHIN, "still shown as it was before");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(charged(&stage).await, (2, "3.00".to_owned()));

        let stop = AtomicBool::new(false);
        let observe = async |look: &dyn AsyncLook| {
            let mut seen = BTreeSet::new();
            while !stop.load(Ordering::Relaxed) {
                seen.insert(look.look(&stage).await);
            }
            seen
        };
        let change = async {
            for (version, usd) in [(3, "2.00"), (4, "5.00"), (5, "4.00")] {
                draft(&mut operator, usd).await;
                publish(&mut operator).await;
                let began = Instant::now();
                while exported(&stage).await.0 != version || shown(&stage).await.0 != version {
                    assert!(began.elapsed() < PATIENCE, "version {version} is not adopted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let _ = charged(&stage).await;
            }
            stop.store(true, Ordering::Relaxed);
        };
        let (charges, exports, pages, ()) =
            tokio::join!(observe(&Charges), observe(&Exports), observe(&Pages), change);
        let mut prices: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for (version, price) in charges.iter().chain(&exports).chain(&pages) {
            prices.entry(*version).or_default().insert(price.clone());
        }
        let one = |usd: &str| BTreeSet::from([usd.to_owned()]);
        for (version, usd) in [(3, "2.00"), (4, "5.00"), (5, "4.00")] {
            assert_eq!(prices.get(&version), Some(&one(usd)), "version {version} has one price: {prices:?}");
        }
        assert!(charges.len() > 1 && exports.len() > 1 && pages.len() > 1, "each of the three saw changes");
    }
}

/// A way of looking at the price, as a value.
trait AsyncLook {
    fn look<'a>(&'a self, stage: &'a Stage) -> std::pin::Pin<Box<dyn Future<Output = Seen> + 'a>>;
}

struct Charges;
struct Exports;
struct Pages;

impl AsyncLook for Charges {
    fn look<'a>(&'a self, stage: &'a Stage) -> std::pin::Pin<Box<dyn Future<Output = Seen> + 'a>> {
        Box::pin(charged(stage))
    }
}

impl AsyncLook for Exports {
    fn look<'a>(&'a self, stage: &'a Stage) -> std::pin::Pin<Box<dyn Future<Output = Seen> + 'a>> {
        Box::pin(exported(stage))
    }
}

impl AsyncLook for Pages {
    fn look<'a>(&'a self, stage: &'a Stage) -> std::pin::Pin<Box<dyn Future<Output = Seen> + 'a>> {
        Box::pin(shown(stage))
    }
}

#[tokio::test]
async fn what_may_not_be_published_says_why_and_only_what_was_looked_at_is_published() {
    let stage = Stage::new().await;
    let mut operator = Operator::new(&stage.product).await;
    let page = format!("/admin/prices/model?id={CLAUDE}");
    for wrong in ["-1", "much", "", "0.00000000000000001"] {
        let refused = operator.send(&page, "prices/model", &[("component", "output"), ("usd", wrong)]).await;
        assert_eq!(refused.status, 422, "{wrong}");
    }
    draft(&mut operator, "0.50").await;
    let blocked = operator.page("/admin/prices").await;
    assert!(blocked.contains("below its cost of $1.00"), "the page says what blocks it");
    assert!(!blocked.contains("prices/publish"), "there is no button to publish it");
    let chinese = operator.page("/zh/admin/prices").await;
    assert!(chinese.contains("低于成本 $1.00"), "in both languages");

    draft(&mut operator, "2.00").await;
    let looked_at = operator.page("/admin/prices").await;
    let form = bytespike_tests::person::Form::posting_to(&looked_at, "prices/publish").expect("a form");
    draft(&mut operator, "9.00").await;
    let stale = operator.browser.submit_only(&form.set("note", "what I saw")).await;
    assert!(stale.status == 422 && stale.text().contains("has changed since"), "{}", stale.status);
    let silent = operator.send("/admin/prices", "prices/publish", &[]).await;
    assert_eq!(silent.status, 422, "a publication has a reason");
    assert_eq!(charged(&stage).await.0, 1, "nothing was published");

    let dropped = operator.send("/admin/prices", "prices/list-price", &[]).await;
    assert_eq!(dropped.status, 303);
    assert!(operator.page("/admin/prices").await.contains("There is nothing to publish"), "back at the list");
    draft(&mut operator, "9.00").await;
    let discarded = operator.send("/admin/prices", "prices/discard", &[]).await;
    assert_eq!(discarded.status, 303);
    publish_with_command(&stage).await;
    assert!(
        operator.page("/admin/prices").await.contains("for the command"),
        "commands and pages share one history"
    );
}

/// What a command publishes is what the page goes on from.
async fn publish_with_command(stage: &Stage) {
    let dearer = format!(
        "[[prices]]\nmodel = \"{CLAUDE}\"\ncomponent = \"output\"\nusd = \"3.00\"\nunit = \"1M tokens\"\n"
    );
    stage.product.write("prices.toml", &dearer);
    let publish = ["prices", "publish", "--overrides", "prices.toml", "--note", "for the command"];
    let done = stage.product.run(&publish, "").await;
    assert!(done.success, "{}", done.output);
}

#[tokio::test]
async fn a_price_begins_on_a_later_day_and_the_week_is_shown_as_it_would_have_cost() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database).trial_grant(100_000_000)).await;
        let mut operator = Operator::new(&stage.product).await;
        for _ in 0..3 {
            let _ = charged(&stage).await;
        }
        let page = format!("/admin/prices/model?id={CLAUDE}");
        let dated =
            |usd: &'static str, from: &'static str| [("component", "output"), ("usd", usd), ("from", from)];
        for wrong in ["2020-01-01", "soon"] {
            let refused = operator.send(&page, "prices/model", &dated("3.00", wrong)).await;
            assert_eq!(refused.status, 422, "{wrong}");
        }
        let kept = operator.send(&page, "prices/model", &dated("3.00", "2099-01-01")).await;
        assert_eq!(kept.status, 303, "{}", kept.text());
        let draft = operator.page("/admin/prices").await;
        assert!(
            draft.contains("until 31") && draft.contains("from 1"),
            "what is sold now stays until the day before"
        );
        let preview = operator.page("/admin/prices/preview").await;
        assert!(
            preview.contains("3 calls") && preview.contains("begin later") && preview.contains("+"),
            "{preview}"
        );
        publish(&mut operator).await;
        let began = Instant::now();
        while charged(&stage).await.0 == 1 {
            assert!(began.elapsed() < PATIENCE, "the version is not adopted");
        }
        assert_eq!(charged(&stage).await, (2, "1.00".to_owned()), "its day has not come");
    }
}

#[tokio::test]
async fn markups_and_the_exchange_rate_go_into_the_draft_and_say_what_is_wrong_with_them() {
    let stage = Stage::with(|setup| setup.trial_grant(100_000_000)).await;
    let mut operator = Operator::new(&stage.product).await;
    let _ = charged(&stage).await;
    let rules = "/admin/prices/rules";
    let below = format!("{CLAUDE} = 0.5");
    for (field, wrong) in
        [("providers", "nobody = 1.05"), ("models", "nonsense"), ("models", below.as_str()), ("rate", "7.12")]
    {
        let refused = operator.send(rules, "prices/rules", &[(field, wrong)]).await;
        assert_eq!(refused.status, 422, "{field}: {wrong}");
    }
    let models = format!("{CLAUDE} = 1.50");
    let fields = [
        ("models", models.as_str()),
        ("rate", "7.5"),
        ("rate_date", "2026-11-20"),
        ("rate_source", "our bank"),
    ];
    let kept = operator.send(rules, "prices/rules", &fields).await;
    assert_eq!(kept.status, 303, "{}", kept.text());
    let draft = operator.page("/admin/prices").await;
    assert!(draft.contains("$1.50") && draft.contains("7.5"), "the draft says what would change");
    let again = operator.page(rules).await;
    assert!(again.contains(&models) && again.contains("our bank"), "what was kept is there to be changed");
    let preview = operator.page("/zh/admin/prices/preview").await;
    assert!(preview.contains("+50.0%"), "{preview}");
    publish(&mut operator).await;
    let began = Instant::now();
    while charged(&stage).await.1 != "1.50" {
        assert!(began.elapsed() < PATIENCE, "the markup does not count");
    }
}
