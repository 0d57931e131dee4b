//! Receipts recomputed from the published prices: by the code that charged them, and by the script in the
//! documentation, which shares nothing with it.
use crate::support::{Desk, ORG, desk};
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{
    BookOptions, Catalog, Component, Markup, NanoUsd, Overrides, PriceBook, PriceExport, Served, Usage,
    charge,
};
use bytespike_ledger::{Attempt, HoldRequest, Settlement, UsageSource, recompute};
use bytespike_store::testing::on_sqlite;
use std::collections::BTreeSet;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/docs/verify_receipt.py");
const HOUR_MS: i64 = 3_600_000;

fn book() -> PriceBook {
    let options = BookOptions {
        markup: Markup::new("1.05").expect("a markup"),
        fx: FxRate::new("2026-10-14", "7.00", "a test").expect("a rate"),
        extra: Vec::new(),
        overrides: Overrides::default(),
        at_ms: crate::support::START_MS,
    };
    PriceBook::build(&Catalog::embedded().expect("reads"), &options).expect("builds").with_version(1)
}

/// Text models that can be called, and whether they price cached input.
fn text_models(book: &PriceBook, at_ms: i64) -> Vec<String> {
    let models = book.models().filter(|model| {
        model.sellable(at_ms).is_ok()
            && model.prices_component(Component::Input)
            && model.prices_component(Component::Output)
    });
    models.map(|model| model.model.id.clone()).collect()
}

/// The receipt of one call: held at most, then settled for the usage.
async fn receipt(
    desk: &Desk,
    book: &PriceBook,
    (requested, served): (&str, &str),
    usage: Usage,
    held: i64,
) -> Option<String> {
    let call = Served { requested, served, held_at_ms: desk.world.now_ms() };
    let charge = charge(book, &usage, call).ok()?;
    let mut request: HoldRequest = desk.request(held);
    requested.clone_into(&mut request.model_requested);
    request.facts.price_hash.clone_from(&book.hash);
    let held = desk.ledger.hold(request).await.expect("a hold");
    let attempt = Attempt {
        landed: true,
        model_served: served.to_owned(),
        outcome: "ok".to_owned(),
        ..Attempt::default()
    };
    let id = held.reservation_id.clone();
    let settlement = Settlement {
        reservation_id: id.clone(),
        org_id: ORG.to_owned(),
        charge,
        usage,
        usage_source: UsageSource::Provider,
        reason: "stop".to_owned(),
        attempts: vec![Attempt { outcome: "upstream_overloaded".to_owned(), ..Attempt::default() }, attempt],
    };
    desk.ledger.settle(settlement).await.expect("settles");
    Some(desk.ledger.receipt(&id).await.expect("reads").expect("a receipt").body)
}

/// Small and large, with every part of the input, around tiers at 128k, 200k, 256k and 272k.
fn usages() -> Vec<Usage> {
    let sizes = [0, 1, 612, 127_999, 200_000, 200_001, 272_001, 900_000];
    let usage = |(n, input_tokens): (usize, u64)| Usage {
        input_tokens,
        cache_read_tokens: [0, 1_905, 77][n % 3],
        cache_write_tokens: [0, 13][n % 2],
        cache_write_1h_tokens: [0, 0, 5][n % 3],
        output_tokens: 43 + n as u64,
        reasoning_tokens: [0, 20][n % 2],
        ..Usage::default()
    };
    sizes.into_iter().enumerate().map(usage).collect()
}

/// Receipts of every text model, at peak and off-peak hours, some above their hold and some answered by another model.
async fn receipts(desk: &Desk, book: &PriceBook) -> Vec<String> {
    let models = text_models(book, desk.world.now_ms());
    assert!(models.len() > 30, "{models:?}");
    let mut receipts = Vec::new();
    for (n, requested) in models.iter().enumerate().step_by(2) {
        // 2026-11-24T00:00Z was a Tuesday; an hour later it is nine in Beijing.
        desk.clock.set(1_795_478_400_000 + i64::try_from(n % 30).expect("small") * HOUR_MS);
        let served = if n % 3 == 0 { &models[(n * 7 + 1) % models.len()] } else { requested };
        for usage in usages() {
            let held = if n % 5 == 0 { 1_000 } else { 100_000_000_000 };
            receipts.extend(receipt(desk, book, (requested, served), usage, held).await);
        }
    }
    receipts
}

#[tokio::test]
async fn every_receipt_fits_the_published_prices_and_no_changed_one_does() {
    on_sqlite(async |store| {
        let (desk, book) = (desk(store).await, book());
        desk.credit(900_000_000_000_000, "much").await;
        let receipts = receipts(&desk, &book).await;
        assert!(receipts.len() > 100, "{}", receipts.len());
        let export = PriceExport::new(&book, &BTreeSet::new(), desk.world.now_ms());
        for body in receipts.iter().step_by(2) {
            let findings = recompute(body, Some(&export)).expect("a receipt");
            assert!(
                findings.len() > 8 && findings.iter().all(|finding| finding.fits),
                "{findings:#?}\n{body}"
            );
        }
        let mut cheaper = export.clone();
        cheaper
            .models
            .iter_mut()
            .flat_map(|model| &mut model.priced.prices)
            .for_each(|price| price.usd_pico.0 -= 1);
        assert_wrong(&receipts[0], &cheaper);
        for (n, body) in receipts.iter().enumerate().step_by(37) {
            for changed in changed(body) {
                assert_ne!(*body, changed, "receipt {n}");
                assert_wrong(&changed, &export);
            }
        }
    })
    .await;
}

fn assert_wrong(body: &str, export: &PriceExport) {
    let findings = recompute(body, Some(export)).expect("a receipt");
    assert!(findings.iter().any(|finding| !finding.fits), "{body}");
}

/// The receipt with one fact changed at a time.
fn changed(body: &str) -> Vec<String> {
    let edit = |path: &str, value: serde_json::Value| {
        let mut receipt: serde_json::Value = serde_json::from_str(body).expect("JSON");
        *receipt.pointer_mut(path).expect(path) = value;
        receipt.to_string()
    };
    let more = |path: &str| {
        let receipt: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let credits = receipt.pointer(path).and_then(serde_json::Value::as_str).expect(path);
        let nano = NanoUsd::from_credits(credits).expect("credits");
        edit(path, NanoUsd(nano.0 + 1).credits().into())
    };
    vec![
        more("/charged/credits"),
        more("/held/credits"),
        more("/returned/credits"),
        more("/over_hold_credits"),
        more("/attempts/0/charged_credits"),
        edit("/usage/output_tokens", 1_000_000.into()),
        edit("/lines/0/qty", "7777777".into()),
        edit("/lines/0/price_pico", 1.into()),
        edit("/price/version", 2.into()),
        edit("/price/hash", "sha256:00".into()),
        edit("/charged/usd", "0.000000001".into()),
        edit("/sum_exact_credits", "1".into()),
        edit("/model/priced_as", "somebody-else".into()),
        edit("/outcome", "released".into()),
    ]
}

#[tokio::test]
async fn without_prices_the_arithmetic_alone_is_checked_and_a_free_call_charges_nothing() {
    on_sqlite(async |store| {
        let desk = desk(store).await;
        desk.credit(900_000_000_000, "much").await;
        let held = desk.hold(5_000).await.expect("a hold");
        desk.release(&held).await;
        let free = desk.ledger.receipt(&held.reservation_id).await.expect("reads").expect("a receipt").body;
        let findings = recompute(&free, None).expect("a receipt");
        assert!(findings.iter().all(|finding| finding.fits), "{findings:#?}");
        let charged = free.replace(r#""charged":{"credits":"0.000""#, r#""charged":{"credits":"0.001""#);
        assert!(recompute(&charged, None).expect("a receipt").iter().any(|finding| !finding.fits));
        assert!(recompute("{}", None).is_err());
        assert!(recompute(&free.replace(r#""version":1"#, r#""version":2"#), None).is_err());
    })
    .await;
}

/// One interpreter for all of them: the script's functions are called, its `main` is not.
#[tokio::test]
async fn the_script_of_the_documentation_comes_to_the_same_result() {
    on_sqlite(async |store| {
        let (desk, book) = (desk(store).await, book());
        desk.credit(900_000_000_000_000, "much").await;
        let receipts = receipts(&desk, &book).await;
        let export = PriceExport::new(&book, &BTreeSet::new(), desk.world.now_ms());
        let wrong: Vec<String> = receipts
            .iter()
            .step_by(29)
            .flat_map(|body| {
                // The script prints no USD, no rounding and no name of the cheaper model, so these it cannot miss.
                let skipped = [3, 10, 11, 12];
                changed(body)
                    .into_iter()
                    .enumerate()
                    .filter(move |(n, _)| !skipped.contains(n) && *n != 4)
                    .map(|(_, body)| body)
            })
            .collect();
        let folder = tempfile::tempdir().expect("a folder");
        let input = serde_json::json!({"export": export, "right": receipts, "wrong": wrong});
        std::fs::write(folder.path().join("input.json"), input.to_string()).expect("written");
        let run = "import io, json, sys, contextlib\n\
            source = open(sys.argv[1], encoding='utf-8').read().replace('main(*sys.argv[1:])', '')\n\
            exec(source)\n\
            data = json.load(open(sys.argv[2], encoding='utf-8'))\n\
            def faulty(body):\n    global faults\n    faults = 0\n    said = io.StringIO()\n    \
            with contextlib.redirect_stdout(said):\n        recompute(json.loads(body), data['export'])\n    \
            return faults, said.getvalue()\n\
            for body in data['right']:\n    found, said = faulty(body)\n    assert not found, said + body\n\
            for body in data['wrong']:\n    found, said = faulty(body)\n    assert found, said + body\n\
            print('checked', len(data['right']), len(data['wrong']))\n";
        let ran =
            Command::new("python3").args(["-c", run, SCRIPT]).arg(folder.path().join("input.json")).output();
        let ran = ran.expect("python3 is installed");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(said.trim(), format!("checked {} {}", receipts.len(), wrong.len()));
    })
    .await;
}
