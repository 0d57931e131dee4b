//! The invariants that show at the front door: what a receipt says, what a header says, and one price everywhere.

use bytespike_tests::database::BOTH;
use bytespike_tests::http::Call;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano, nano_header};
use bytespike_tests::upstream::{Reply, anthropic, scenes};
use serde_json::Value;

const ODD: &str = "odd-price";

/// The sum of quantity × price over a receipt's lines, in pico-USD, as anybody can work it out.
fn repriced_pico(receipt: &Value) -> i128 {
    let line = |line: &Value| {
        let qty: i128 = line["qty"].as_str().expect("text").parse().expect("a count");
        qty * i128::from(line["price_pico"].as_i64().expect("an integer"))
    };
    receipt["lines"].as_array().expect("a list").iter().map(line).sum()
}

#[tokio::test]
async fn i14_a_receipt_reprices_to_its_charge_or_to_its_hold() {
    let stage = Stage::with(|setup| {
        let url = setup.upstream_url();
        setup.model(ODD, "1.2345").channel("anthropic", &url, &[ODD])
    })
    .await;
    for (output, over) in [(5, false), (64, false), (90_000, true)] {
        let usage = anthropic::Usage { output, ..anthropic::USAGE };
        let body =
            anthropic::message(&serde_json::json!([{"type": "text", "text": "Hello."}]), "end_turn", usage);
        stage.answer(Reply::json(200, &body));
        let answer =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(ODD, false)).await.expect_status(200);
        let receipt = stage.receipt_of(&answer).await;
        let (held, charged) = (nano(&receipt["held"]["credits"]), nano(&receipt["charged"]["credits"]));
        let pico = repriced_pico(&receipt);
        assert!(pico > 0, "{receipt}");
        let exact = i64::try_from(pico / 1_000).unwrap();
        assert_eq!(charged, exact.min(held), "{receipt}");
        assert_eq!(nano(&receipt["over_hold_credits"]), exact - charged, "{receipt}");
        assert_eq!(charged < exact, over, "{receipt}");
    }
}

#[tokio::test]
async fn i23_a_failed_call_leaves_the_remaining_quota_as_it_was() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        stage.key = stage.person.create_key("daily", &[("limit_1d", "1.00")]).await;
        for speaker in SPEAKERS {
            stage.answer_with(scenes::play);
            let before = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(200);
            let failing = if speaker == Speaker::Anthropic { CLAUDE } else { GPT };
            stage.answer(Reply::json(500, &anthropic::error("api_error", "it broke")));
            let failed = stage.ask(speaker, &speaker.ask(failing, false)).await;
            assert!(failed.status >= 500, "{}", failed.text());
            assert_eq!(stage.receipt_of(&failed).await["outcome"], "released");
            stage.answer_with(scenes::play);
            let after = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(200);
            for header in ["x-org-quota-remaining-credits", "x-quota-remaining-credits"] {
                let spent = nano_header(&before, header) - nano_header(&after, header);
                assert_eq!(
                    spent,
                    nano_header(&after, "x-credits-charged"),
                    "{database:?} {speaker:?} {header}"
                );
            }
        }
    }
}

#[tokio::test]
async fn i26_page_export_quote_and_receipt_have_one_price() {
    const PICO: i64 = 1_230_000;
    let stage = Stage::with(|setup| {
        let url = setup.upstream_url();
        setup.model(ODD, "1.23").channel("anthropic", &url, &[ODD])
    })
    .await;
    let export = stage.get("/v1/prices").await.expect_status(200).json();
    let models = export["export"]["models"].as_array().expect("a list");
    let exported =
        models.iter().find(|model| model.to_string().contains(&format!("\"{ODD}\""))).expect("is sold");
    assert!(exported.to_string().contains(&PICO.to_string()), "{exported}");

    let body = Speaker::Anthropic.ask(ODD, false);
    let quote = stage.post("/v1/estimate", &body).await.expect_status(200).json();
    let bounded = |name: &str| quote["bounds"][name].as_i64().expect("a count");
    let pico = (bounded("input_tokens") + bounded("max_output_tokens")) * PICO;
    assert_eq!(nano(&quote["held_credits"]), (pico + 999) / 1_000, "{quote}");

    let answer = stage.ask(Speaker::Anthropic, &body).await.expect_status(200);
    let receipt = stage.receipt_of(&answer).await;
    assert_eq!(nano(&receipt["held"]["credits"]), nano(&quote["held_credits"]));
    assert_eq!(receipt["price"]["version"], export["export"]["version"]);
    for line in receipt["lines"].as_array().expect("a list") {
        assert_eq!(line["price_pico"], PICO, "{receipt}");
    }
    for page in ["/pricing", "/zh/pricing"] {
        let page = Call::get(stage.product.at(page)).send().await.expect_status(200);
        let text = page.text();
        let row = text.split("<tr").find(|row| row.contains(ODD)).expect("a row of its own");
        assert!(row.contains("1.23"), "{row}");
    }
}
