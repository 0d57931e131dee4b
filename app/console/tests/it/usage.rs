//! Statements, files and alerts: what those who answer for the money read and set.
use crate::support::Bench;
use crate::support::browser::{Browser, EMAIL};
use crate::support::scene::Call;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::Reason;
use http::StatusCode;

const DAY_MS: i64 = 24 * 3_600_000;

async fn lived_in() -> (Bench, Browser, String) {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let (key_id, _) = browser.create_key("=laptop", &[]).await;
    let member = bench.member(EMAIL).await;
    bench.settled(&member, Call::with(&key_id, "=laptop")).await;
    bench.settled(&member, Call::with(&key_id, "=laptop")).await;
    bench.released(&member, Call::with(&key_id, "=laptop"), Reason::UpstreamError).await;
    (bench, browser, key_id)
}

#[tokio::test]
async fn a_month_closes_into_a_statement_that_can_be_read_and_taken_along() {
    let (bench, mut browser, _) = Box::pin(lived_in()).await;
    let running = browser.get("/console/statements/2026-11").await.expect(StatusCode::OK).body;
    assert!(running.contains("This month still runs") && running.contains("3,689.000"), "{running}");
    bench.clock.advance(10 * DAY_MS);
    assert_eq!(bench.state.ledger.close_months().await.expect("closes"), 1);
    browser.sign_in("", EMAIL).await.expect(StatusCode::SEE_OTHER);
    let list = browser.get("/console/statements").await.expect(StatusCode::OK);
    assert!(list.body.contains("2026-12") && list.body.contains("996,311.000"), "{}", list.body);
    for (prefix, title, used, free) in [
        ("", "Statement 2026-11", "Usage", "1 call did not land"),
        ("/zh", "2026-11 对账单", "用量", "1 次调用未送达"),
    ] {
        let page =
            browser.get(&format!("{prefix}/console/statements/2026-11")).await.expect(StatusCode::OK).body;
        // Two calls of 1,844.5 credits out of a grant of a million.
        for part in [title, used, free, "1,000,000.000", "−3,689.000", "996,311.000", "16,412.000", "=laptop"]
        {
            assert!(page.contains(part), "{part} is missing from {page}");
        }
    }
    let csv = browser.get("/console/statements/2026-11/csv").await.expect(StatusCode::OK);
    assert!(csv.header("content-disposition").contains("bytespike-statement-2026-11.csv"));
    assert!(csv.body.contains("2026-11,usage,,,,2,3689.000,0.003689000"), "{}", csv.body);
    assert!(csv.body.contains("'=laptop"), "a name is no formula: {}", csv.body);
    let json = browser.get("/console/statements/2026-11/json").await.expect(StatusCode::OK).body;
    assert!(json.contains("\"status\":\"closed\"") && json.contains("\"hash\":\"sha256:"));
    for missing in ["2026-10", "2027-01", "x"] {
        browser.get(&format!("/console/statements/{missing}")).await.expect(StatusCode::NOT_FOUND);
    }
    let mut stranger = bench.browser();
    stranger.join("", "stranger@example.com").await;
    stranger.get("/console/statements/2026-11").await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_files_hold_what_the_filters_let_through() {
    let (bench, mut browser, key_id) = Box::pin(lived_in()).await;
    let page = browser.get("/console/calls").await.expect(StatusCode::OK);
    let billed = browser.get(&page.link("calls.csv?outcome=billed")).await.expect(StatusCode::OK);
    assert!(billed.header("content-type").starts_with("text/csv"));
    assert!(billed.body.starts_with("\u{feff}receipt_id,"), "a spreadsheet is told that it is UTF-8");
    assert_eq!(billed.body.lines().count(), 3, "{}", billed.body);
    let all = browser.get("/console/calls/calls.csv").await.expect(StatusCode::OK).body;
    assert_eq!(all.lines().count(), 4);
    let free = browser.get("/console/calls/calls.csv?outcome=not-billed").await.body;
    assert!(free.lines().count() == 2 && free.contains(",released,"), "{free}");
    let focus = browser.get(&page.link("focus.csv")).await.expect(StatusCode::OK).body;
    assert!(
        focus.lines().count() == 3 && focus.contains(",Generative AI,") && focus.contains(&key_id),
        "{focus}"
    );
    let none = browser.get("/console/calls/calls.csv?key=key_other").await.expect(StatusCode::OK).body;
    assert_eq!(none.lines().count(), 1, "the header alone");
    let mut stranger = bench.browser();
    stranger.join("", "stranger@example.com").await;
    assert_eq!(stranger.get("/console/calls/calls.csv").await.body.lines().count(), 1);
}

#[tokio::test]
async fn alerts_are_set_on_the_wallet_and_what_is_wrong_is_said_beside_the_field() {
    let (bench, mut browser, _) = Box::pin(lived_in()).await;
    let page = "/console/wallet";
    let saved = browser.submit(page, "/console/wallet/alerts", &[("low_balance", "0.50")]).await;
    assert!(saved.expect(StatusCode::SEE_OTHER).location().contains("ok=alerts-saved"));
    let member = bench.member(EMAIL).await;
    let alerts =
        async || bench.state.ledger.wallet(member.org_id()).await.expect("reads").expect("a wallet").alerts;
    assert_eq!((alerts().await.low_balance, alerts().await.limits), (Some(NanoUsd(500_000_000)), false));
    assert!(browser.get(page).await.body.contains("value=\"0.5\""));
    let wrong = browser
        .submit(page, "/console/wallet/alerts", &[("low_balance", "-1"), ("alert_limits", "on")])
        .await;
    let wrong = wrong.expect(StatusCode::UNPROCESSABLE_ENTITY).body;
    assert!(wrong.contains("href=\"#low_balance\"") && wrong.contains("value=\"-1\""), "{wrong}");
    let cleared = [("low_balance", ""), ("alert_limits", "on")];
    browser.submit(page, "/console/wallet/alerts", &cleared).await.expect(StatusCode::SEE_OTHER);
    assert_eq!((alerts().await.low_balance, alerts().await.limits), (None, true));
}

#[tokio::test]
async fn credit_is_listed_in_the_order_in_which_it_is_used() {
    let (bench, mut browser, _) = Box::pin(lived_in()).await;
    let member = bench.member(EMAIL).await;
    let credit = |kind, key: &str, expires_at_ms| bytespike_ledger::Credit {
        org_id: member.org_id().to_owned(),
        amount: NanoUsd(7_000_000),
        kind,
        idempotency_key: key.to_owned(),
        note: String::new(),
        expires_at_ms,
    };
    let soon = Some(crate::support::START_MS + DAY_MS);
    let ledger = &bench.state.ledger;
    ledger.credit(credit(bytespike_ledger::CreditKind::TopUp, "paid", None)).await.expect("booked");
    ledger.credit(credit(bytespike_ledger::CreditKind::Grant, "given", soon)).await.expect("booked");
    let page = browser.get("/console/wallet").await.expect(StatusCode::OK).body;
    let table =
        page.split("<caption class=\"visually-hidden\">Credit and the order").nth(1).expect("a table");
    let kinds: Vec<&str> = table.split("<th scope=\"row\">").skip(1).take(3).map(|row| &row[..4]).collect();
    assert_eq!(kinds, ["gran", "gran", "paid"], "what lapses first, what was given, what was paid");
    let first = table.split("<th scope=\"row\">").nth(1).expect("a row");
    assert!(first.contains("7,000.000") && first.contains("25"), "{first}");
}
