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
        ("", "Statement Nov\u{a0}2026", "Usage", "1 call did not land"),
        ("/zh", "2026年11月对账单", "用量", "1 次调用未送达"),
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
    assert_eq!(kinds, ["Gran", "Gran", "Paid"], "what lapses first, what was given, what was paid");
    let first = table.split("<th scope=\"row\">").nth(1).expect("a row");
    assert!(first.contains("7,000.000") && first.contains("25"), "{first}");
}

/// The numbers of a table's row that begins with this name.
fn row_of(page: &str, name: &str) -> String {
    let rows = page.split("<tr>").filter(|row| row.contains(name));
    rows.last()
        .unwrap_or_else(|| panic!("no row {name} in {page}"))
        .split("</tr>")
        .next()
        .unwrap_or("")
        .to_owned()
}

#[tokio::test]
async fn usage_is_a_picture_a_table_and_a_file_of_the_same_numbers() {
    let (bench, mut browser, key_id) = Box::pin(lived_in()).await;
    let page = browser.get("/console/usage").await.expect(StatusCode::OK);
    for part in ["<svg", "role=\"img\"", "<pattern", "$0.003689", "claude-sonnet-5-5"] {
        assert!(page.body.contains(part), "{part} is missing from {}", page.body);
    }
    assert!(
        row_of(&page.body, "model=claude-sonnet-5-5").contains(">3<"),
        "requests, those that were free too"
    );
    let csv = browser.get(&page.link("usage.csv?")).await.expect(StatusCode::OK);
    assert!(csv.header("content-disposition").contains("bytespike-usage.csv"));
    assert!(csv.body.starts_with("\u{feff}from_utc,claude-sonnet-5-5,total_usd"), "{}", csv.body);
    assert_eq!(csv.body.lines().count(), 31, "a header and 30 days");
    assert!(csv.body.contains("0.003689000,0.003689000"), "{}", csv.body);

    let keys =
        browser.get("/console/usage?group=key&measure=requests&period=24h").await.expect(StatusCode::OK);
    assert!(keys.body.contains(&format!("key={key_id}")), "the calls of a key are one link away");
    let csv = browser.get(&keys.link("usage.csv?")).await.expect(StatusCode::OK).body;
    assert!(csv.contains("from_utc,'=laptop,total_requests"), "a name is no formula: {csv}");
    assert_eq!(csv.lines().count(), 25);
    assert!(csv.contains(",3,3"), "{csv}");
    let outcomes =
        browser.get("/console/usage?group=outcome&measure=requests").await.expect(StatusCode::OK).body;
    assert!(outcomes.contains("outcome=not-billed"), "{outcomes}");
    let yuan = browser.get("/zh/console/usage?measure=cny").await.expect(StatusCode::OK).body;
    assert!(yuan.contains("¥0.02626568") && yuan.contains("7.12"), "{yuan}");

    let empty = browser.get("/console/usage?from=2020-01-01&to=2020-01-02").await.expect(StatusCode::OK).body;
    assert!(empty.contains("Nothing was used in this time"), "{empty}");
    let mut stranger = bench.browser();
    stranger.join("", "stranger@example.com").await;
    let theirs = stranger.get("/console/usage").await.expect(StatusCode::OK).body;
    assert!(!theirs.contains("claude-sonnet-5-5"), "nobody else's usage");
}

#[tokio::test]
async fn a_notice_says_when_calls_work_again_and_is_read_and_put_away() {
    let (bench, mut browser, key_id) = Box::pin(lived_in()).await;
    let told = |id: &str, percent: i64, resets_at_ms: i64| bytespike_store::outbox::Event {
        id: id.to_owned(),
        org_id: String::new(),
        kind: "limit_share".to_owned(),
        subject: format!("key:{key_id}"),
        payload_json: format!(
            r#"{{"node":"key:{key_id}","window":"1d","percent":{percent},"limit_credits":"5000000.000",
                "used_credits":"4999000.000","resets_at_ms":{resets_at_ms}}}"#
        ),
        created_at_ms: bench.state.world.now_ms(),
    };
    let member = bench.member(EMAIL).await;
    let org_id = member.org_id().to_owned();
    for event in [told("evt_1", 100, crate::support::START_MS + DAY_MS), told("evt_2", 80, 0)] {
        let event = bytespike_store::outbox::Event { org_id: org_id.clone(), ..event };
        bytespike_store::testing::tell(&bench.store, &event).await.expect("kept");
    }
    let page = browser.get("/console/notices").await.expect(StatusCode::OK).body;
    assert!(page.contains("is used up") && page.contains("Calls work again when the limit resets"), "{page}");
    assert!(
        page.contains("25\u{a0}Nov\u{a0}2026") && page.contains("2 unread") && page.contains("nav-count"),
        "{page}"
    );
    let other = browser.get("/console/keys").await.expect(StatusCode::OK).body;
    assert!(other.contains("2 unread"), "every page says how many");

    browser
        .submit("/console/notices", "/console/notices/read", &[("until", "9000000000000")])
        .await
        .expect(StatusCode::SEE_OTHER);
    let page = browser.get("/zh/console/notices").await.expect(StatusCode::OK).body;
    assert!(!page.contains("nav-count") && page.contains("限额将于"), "{page}");
    let away = "/console/notices/evt_1/dismiss";
    browser.submit("/console/notices", away, &[]).await.expect(StatusCode::SEE_OTHER);
    let page = browser.get("/console/notices").await.expect(StatusCode::OK).body;
    assert!(!page.contains("is used up") && page.contains("80"), "{page}");

    let mut stranger = bench.browser();
    stranger.join("", "stranger@example.com").await;
    let theirs = stranger.get("/console/notices").await.expect(StatusCode::OK).body;
    assert!(theirs.contains("No notices yet"), "{theirs}");
}
