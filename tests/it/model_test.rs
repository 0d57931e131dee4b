//! The console's test of a model: a real call with a real receipt, paid for by a grant, twenty times in 24 hours.

use bytespike_tests::database::BOTH;
use bytespike_tests::http::Answer;
use bytespike_tests::invariants;
use bytespike_tests::person::Form;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, anthropic};

/// Presses the test button of a model and follows where it leads.
async fn press(stage: &mut Stage, model: &str) -> Answer {
    let page = stage.person.open("/console/models").await.expect_status(200);
    let form = Form::posting_to(&page.text(), "models/test").expect("a test button").set("model", model);
    stage.person.submit(&form).await
}

#[tokio::test]
async fn a_test_calls_the_model_and_costs_the_organisation_nothing() {
    for kind in BOTH {
        let mut stage = Stage::with(|setup| setup.on(kind)).await;
        let before = nano(&stage.balance().await["available_credits"]);
        for model in [CLAUDE, GPT] {
            let receipt = press(&mut stage, model).await.expect_status(200).text();
            assert!(receipt.contains("The model answered.") && receipt.contains(model), "{receipt}");
            assert!(receipt.contains("17.000"), "12 tokens in and 5 out at one credit each: {receipt}");
        }
        assert_eq!(stage.upstream.last().json()["max_tokens"], 200, "a short call");
        let after = nano(&stage.balance().await["available_credits"]);
        assert!(after >= before, "{before} became {after}");
        let wallet = stage.person.open("/console/wallet").await.expect_status(200).text();
        assert_eq!(wallet.matches("Grant for a model test").count(), 2, "{wallet}");
        let keys = stage.person.open("/console/keys").await.expect_status(200).text();
        assert!(!keys.contains("Test from the console"), "the key of a test ends with it: {keys}");
        invariants::hold(&stage.product.database.connect().await).await;
    }
}

#[tokio::test]
async fn a_model_that_fails_leaves_a_receipt_of_nothing_charged() {
    let mut stage = Stage::new().await;
    stage.answer(Reply::json(500, &anthropic::error("api_error", "no")));
    let receipt = press(&mut stage, CLAUDE).await.expect_status(200).text();
    assert!(receipt.contains("The model did not answer.") && receipt.contains("Nothing landed"), "{receipt}");
}

#[tokio::test]
async fn the_allowance_ends_and_a_model_that_nobody_wired_cannot_be_tested() {
    let mut stage = Stage::new().await;
    for _ in 0..20 {
        let _ = press(&mut stage, CLAUDE).await.expect_status(200);
    }
    let calls = stage.upstream.requests().len();
    let refused = press(&mut stage, CLAUDE).await.expect_status(422).text();
    assert!(refused.contains("All 20 tests"), "{refused}");
    assert_eq!(stage.upstream.requests().len(), calls, "no call was made");
    let _ = press(&mut stage, "no-such-model").await.expect_status(404);
}
