//! A new master key takes the place of the one before while everything goes on working, on both databases.

use bytespike_tests::canary::MASTER_KEY;
use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::load::Load;
use bytespike_tests::operator::{Operator, first_step};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{CLAUDE, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Upstream, scenes};
use bytespike_tests::webhooks::{Hook, is_signed_with, reaching, receiver};
use bytespike_tests::{canary, until};

const NEW_KEY: &str = "5f0c9a7e3b1d28466ef1b0c9d8a7e6f50413223344556677f899aabbccddee0b";
const VARIABLE: &str = "BYTESPIKE_SECRETS__MASTER_KEY";
/// Served by a channel that an operator added, whose key is sealed.
const LATE: &str = "scripted-late";

#[tokio::test]
async fn s118_a_new_master_key_takes_over_under_load_and_the_former_one_is_not_needed_any_more() {
    for database in BOTH {
        let receiver = receiver().await;
        let mut stage = stage(database, &receiver).await;
        let mut operator = Operator::new(&stage.product).await;
        add_channel(&stage, &mut operator).await;
        let hook = Hook::add(&mut stage, &receiver).await;
        let answer =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        let path = format!("/v1/receipts/{}", answer.header("x-receipt-id"));
        let receipt = stage.get(&path).await.expect_status(200);

        let both = format!("{NEW_KEY},{MASTER_KEY}");
        restart(&mut stage, &both).await;
        works(&mut stage, &mut operator, &hook, &receiver).await;
        let load = Load::start(&stage).await;
        let both = [(VARIABLE, &*both)];
        let (known, said) = stage.product.command(&["master-key", "status"], &both).await;
        assert!(known && said.contains("former keys are needed"), "{said}");
        let (sealed, said) = stage.product.command(&["master-key", "reseal"], &both).await;
        assert!(sealed && said.contains("Nothing that lasts needs a former key"), "{said}");
        load.stop().await;
        works(&mut stage, &mut operator, &hook, &receiver).await;

        restart(&mut stage, NEW_KEY).await;
        works(&mut stage, &mut operator, &hook, &receiver).await;
        assert_eq!(stage.get(&path).await.expect_status(200).body, receipt.body, "signed as before");
        signs_in(&stage, &operator).await;
        let old = [(VARIABLE, MASTER_KEY)];
        let (opened, said) = stage.product.command(&["check-ledger"], &old).await;
        assert!(!opened && said.contains("the master key is not the one"), "{said}");
    }
}

async fn stage(database: Kind, receiver: &Upstream) -> Stage {
    let upstream = Upstream::start(scenes::play).await;
    let url = upstream.url();
    let place = url.trim_start_matches("http://");
    let setup = Setup::scripted(&url)
        .on(database)
        .model(LATE, "1.00")
        .trial_grant(50_000_000)
        .settings(&format!("[gateway]\nprivate_upstreams = [\"{place}\"]"));
    Stage::on(reaching(setup, receiver, ""), upstream).await
}

async fn add_channel(stage: &Stage, operator: &mut Operator) {
    let fields = [
        ("id", "late"),
        ("provider", "scripted"),
        ("dialect", "openai-chat"),
        ("base_url", &*format!("{}/v1", stage.upstream.url())),
        ("models", "scripted-late = scripted-gpt"),
        ("keys", canary::UPSTREAM_KEY),
    ];
    let added = operator.send("/admin/channels/new", "channels/new", &fields).await;
    assert_eq!(added.status, 303, "{}", added.text());
}

async fn restart(stage: &mut Stage, keys: &str) {
    stage.product.terminate().await;
    assert!(stage.product.ended().await.success());
    stage.product.start_again_with(&[(VARIABLE, keys)]).await;
}

/// A key, a sealed channel, a session of each kind and a sealed webhook secret.
async fn works(stage: &mut Stage, operator: &mut Operator, hook: &Hook, receiver: &Upstream) {
    let ask = async || stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(LATE, false)).await;
    until("the channel answers", async || ask().await.status == 200).await;
    let message = hook.test(stage).await;
    assert_eq!(hook.ended(stage, &message).await["state"], "delivered");
    assert!(is_signed_with(&receiver.last(), &hook.secret));
    assert!(operator.page("/admin/channels").await.contains("In use"));
    let _ = stage.person.open("/console/keys").await.expect_status(200);
}

/// With a code of the app whose secret was sealed under the former key, and nothing else that is remembered.
async fn signs_in(stage: &Stage, operator: &Operator) {
    let mut browser = Person::new(&stage.product, "operator@example.com");
    let step = first_step(&mut browser).await.expect_status(200).text();
    let form = Form::posting_to(&step, "second-step").expect("a form");
    let inside = browser.submit_only(&form.set("code", &operator.app.code(1))).await;
    assert_eq!((inside.status, inside.header("location")), (303, "/admin"), "{}", inside.text());
}

#[tokio::test]
async fn the_key_file_is_rotated_in_place_and_a_configured_key_is_left_to_whoever_configured_it() {
    let product = Setup::default().start().await;
    let (rotated, said) = product.command(&["master-key", "rotate"], &[]).await;
    assert!(!rotated && said.contains("BYTESPIKE_SECRETS__MASTER_KEY"), "{said}");

    let folder = tempfile::TempDir::new().unwrap();
    let database = format!("sqlite:{}", folder.path().join("b.sqlite").display());
    let file = folder.path().join("master.key");
    let environment = [
        (VARIABLE, ""),
        ("BYTESPIKE_SECRETS__MASTER_KEY_FILE", &*file.to_string_lossy()),
        ("BYTESPIKE_DATABASE__URL", &*database),
    ];
    let run = async |command: &[&str]| {
        let (done, said) = product.command(command, &environment).await;
        assert!(done, "{command:?}: {said}");
        said
    };
    let first = run(&["master-key", "status"]).await;
    let _ = run(&["master-key", "rotate"]).await;
    let second = run(&["master-key", "status"]).await;
    let id = first.split_whitespace().next().unwrap();
    assert!(
        first.contains(&format!("{id}  in use")) && second.contains(&format!("{id}  former")),
        "{second}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
    let said = run(&["master-key", "reseal"]).await;
    assert!(said.contains("Sealed anew: 1."), "{said}");
}
