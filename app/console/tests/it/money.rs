//! What a call cost: on the list, on its receipt, in the wallet, and nowhere else's.
use crate::support::Bench;
use crate::support::browser::{Browser, EMAIL};
use crate::support::scene::Call;
use bytespike_ledger::Reason;
use http::StatusCode;

async fn scene(bench: &Bench) -> (Browser, String) {
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let (key_id, _) = browser.create_key("laptop", &[]).await;
    (browser, key_id)
}

#[tokio::test]
async fn a_receipt_shows_held_charged_and_returned_with_every_line_and_attempt() {
    let bench = Bench::new().await;
    let (mut browser, key_id) = scene(&bench).await;
    let member = bench.member(EMAIL).await;
    let mut call = Call::with(&key_id, "laptop");
    call.failed = 1;
    let id = bench.settled(&member, call).await;
    for (prefix, delivered, component, reason) in [
        ("", "Landed", "Input read from cache", "The model finished its answer."),
        ("/zh", "已送达", "读取缓存的输入", "模型正常答完。"),
    ] {
        let page = browser.get(&format!("{prefix}/console/receipts/{id}")).await.expect(StatusCode::OK).body;
        // 612 × 2.00 + 1905 × 0.10 + 43 × 10.00 credits.
        for part in [
            "16,412.000",
            "1,844.500",
            "14,567.500",
            "1,224.000",
            "190.500",
            "430.000",
            "529",
            delivered,
            component,
            reason,
        ] {
            assert!(page.contains(part), "{part} is missing from {page}");
        }
    }
    let json = browser.get(&format!("/console/receipts/{id}/json")).await.expect(StatusCode::OK);
    assert!(json.header("content-type").starts_with("application/json"));
    assert!(json.body.contains("\"charged\":{\"credits\":\"1844.500\""), "{}", json.body);
}

#[tokio::test]
async fn a_call_that_failed_says_why_and_costs_nothing_in_both_languages() {
    let bench = Bench::new().await;
    let (mut browser, key_id) = scene(&bench).await;
    let member = bench.member(EMAIL).await;
    let id = bench.released(&member, Call::with(&key_id, "laptop"), Reason::StreamBroke).await;
    for (prefix, landed, why) in [
        ("", "Nothing landed", "broke before the answer was complete"),
        ("/zh", "未送达任何内容", "与供应商的连接断开了"),
    ] {
        let page = browser.get(&format!("{prefix}/console/receipts/{id}")).await.expect(StatusCode::OK).body;
        assert!(page.contains(landed) && page.contains(why), "{page}");
        assert!(page.contains("0.000") && !page.to_lowercase().contains("refund") && !page.contains("退款"));
    }
    let wallet = browser.get("/console/wallet").await.body;
    assert!(wallet.contains("$1.00") && !wallet.contains(&id), "no line in the journal");
}

#[tokio::test]
async fn the_list_filters_by_outcome_key_and_model_and_pages_without_loss() {
    let bench = Bench::new().await;
    let (mut browser, first) = scene(&bench).await;
    let (second, _) = browser.create_key("nightly", &[]).await;
    let member = bench.member(EMAIL).await;
    let mut ids = Vec::new();
    for n in 0..54 {
        bench.clock.advance(1_000);
        let call = if n % 2 == 0 { Call::with(&first, "laptop") } else { Call::with(&second, "nightly") };
        let id = match n % 3 {
            0 => bench.released(&member, call, Reason::UpstreamError).await,
            _ => bench.settled(&member, call).await,
        };
        ids.push(id);
    }
    let newest = browser.get("/console/calls").await.expect(StatusCode::OK);
    let older = browser.get(&newest.link("after=")).await.expect(StatusCode::OK);
    let (on_first, on_second): (Vec<&String>, Vec<&String>) =
        ids.iter().partition(|id| newest.body.contains(id.as_str()));
    assert_eq!((on_first.len(), on_second.len()), (50, 4));
    assert!(on_second.iter().all(|id| older.body.contains(id.as_str())), "nothing falls between the pages");

    let free = browser.get("/console/calls?outcome=not-billed").await.body;
    let listed = ids.iter().filter(|id| free.contains(id.as_str())).count();
    assert_eq!(listed, 18, "every third call was free");
    let nightly = browser.get(&format!("/console/calls?key={second}")).await.body;
    assert!(ids.iter().enumerate().all(|(n, id)| nightly.contains(id.as_str()) == (n % 2 == 1)));
    let other = browser.get("/console/calls?model=gpt-nothing").await.body;
    assert!(other.contains("No matching calls") && !ids.iter().any(|id| other.contains(id.as_str())));
}

#[tokio::test]
async fn running_calls_are_on_the_overview_and_in_the_wallet_without_a_receipt() {
    let bench = Bench::new().await;
    let (mut browser, key_id) = scene(&bench).await;
    let member = bench.member(EMAIL).await;
    let held = bench.hold(&member, Call::with(&key_id, "laptop")).await;
    for path in ["/console", "/console/wallet", "/console/calls?outcome=running"] {
        let page = browser.get(path).await.expect(StatusCode::OK).body;
        assert!(page.contains("16,412.000") && !page.contains(&held.reservation_id), "{path}");
    }
    assert!(browser.get("/console").await.body.contains("for 1 running call"));
    browser.get(&format!("/console/receipts/{}", held.reservation_id)).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn s90_s101_another_organisations_receipts_and_keys_are_as_if_they_did_not_exist() {
    let bench = Bench::new().await;
    let (mut browser, key_id) = scene(&bench).await;
    let member = bench.member(EMAIL).await;
    let id = bench.settled(&member, Call::with(&key_id, "laptop")).await;
    let mut stranger = bench.browser();
    stranger.join("", "stranger@example.com").await;
    for path in [
        format!("/console/receipts/{id}"),
        format!("/console/receipts/{id}/json"),
        format!("/console/keys/{key_id}"),
        format!("/console/keys/{key_id}/revoke"),
        format!("/console/keys/{key_id}/created"),
    ] {
        let foreign = stranger.get(&path).await.expect(StatusCode::NOT_FOUND);
        let missing = stranger
            .get(&path.replace(&id, "rcp_0").replace(&key_id, "key_0"))
            .await
            .expect(StatusCode::NOT_FOUND);
        let told_apart =
            |body: &str| body.replace(&id, "").replace(&key_id, "").replace("rcp_0", "").replace("key_0", "");
        assert_eq!(told_apart(&foreign.body), told_apart(&missing.body), "{path}");
        browser.get(&path).await.expect(StatusCode::OK);
    }
    for action in ["name", "limits", "revoke"] {
        let path = format!("/console/keys/{key_id}/{action}");
        let fields = [("name", "stolen"), ("confirm", "laptop"), ("limit_month", "1")];
        stranger.submit("/console/keys/new", &path, &fields).await.expect(StatusCode::NOT_FOUND);
    }
    assert!(browser.get("/console/keys").await.body.contains(">laptop<"));
}
