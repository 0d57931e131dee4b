//! Runs a command beside a running product and its scripted provider: `with-product sdk|browser COMMAND…`.
//! The command finds them in GATEWAY_URL, GATEWAY_KEY, GATEWAY_MODELS and GATEWAY_COSTLY_MODEL, and what manages in
//! GATEWAY_MANAGER_KEY and GATEWAY_OPERATOR_TOKEN, and in GATEWAY_BINARY the product for one of its own; a browser finds the
//! one-time addresses of two first operators in GATEWAY_FIRST_RUNS, operators of the product, who have not signed in yet,
//! in GATEWAY_OPERATORS, and vouchers in GATEWAY_VOUCHERS. People's password is in GATEWAY_PASSWORD.
//!
//! What the command was answered it writes into the file that GATEWAY_SEEN names, a line of JSON for each answer (`place`,
//! `headers`, `body`). When it has ended these, and then the log, are searched for secrets, and one that is found fails it.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test tool says what went wrong and stops")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Duration;

use bytespike_tests::canary;
use bytespike_tests::person::Person;
use bytespike_tests::product::{CLAUDE, COSTLY, GPT, Product, Setup, binary};
use bytespike_tests::stripe::Stripe;
use bytespike_tests::upstream::{Upstream, scenes};
use tokio::process::Command;

/// A language each, twice; they sign in with everyone's password, and set up a second factor then.
const OPERATORS: [&str; 4] = [
    "operator-en@example.com",
    "operator-zh@example.com",
    "operator-en-2@example.com",
    "operator-zh-2@example.com",
];

/// No suite takes as long: a command that still runs then hangs, is stopped, and fails.
const LONGEST: Duration = Duration::from_secs(25 * 60);

/// Where the tests of the sdk stage listen as providers that people sign in with. The ports lie below those that the system
/// gives to outgoing connections (32768 and up on Linux), so nothing of ours can have taken them.
fn providers() -> String {
    let (github, oidc) = (canary::GITHUB_SECRET, canary::OIDC_SECRET);
    format!(
        "[sign_in.github]\nclient_id = \"bytespike\"\nclient_secret = \"{github}\"\n\
         base_url = \"http://127.0.0.1:19874\"\napi_url = \"http://127.0.0.1:19874\"\n\
         [[sign_in.oidc]]\nid = \"mock\"\nname = \"Mock\"\nissuer = \"http://localhost:19873\"\n\
         client_id = \"bytespike\"\nclient_secret = \"{oidc}\"\n"
    )
}

/// Where tests listen for webhooks.
const WEBHOOKS: &str = r#"
[webhooks]
private_targets = ["127.0.0.1:19875"]
retry_after_ms = [50, 100]
"#;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args().skip(1);
    let setting = arguments.next().expect("usage: with-product sdk|browser COMMAND…");
    let program = arguments.next().expect("a command to run");
    let upstream = Upstream::start(scenes::play).await;
    let stripe = Stripe::start().await;
    let setup = stripe.wire(Setup::scripted(&upstream.url()).settings(&providers()).settings(WEBHOOKS));
    // Browsers have passkeys for names alone.
    let setup = if setting == "browser" { setup.by_name() } else { setup };
    let product = setup.start().await;
    stripe.serve(&product);
    let mut command = Command::new(program);
    command.args(arguments).env("GATEWAY_URL", &product.url).env("GATEWAY_MODELS", format!("{CLAUDE},{GPT}"));
    // An installation has one first operator, and the pages are looked at in two languages.
    let mut spares = [Setup::default().start().await, Setup::default().start().await];
    let mut first_runs = Vec::new();
    for spare in &mut spares {
        first_runs.push(first_run(spare).await);
    }
    command.env("GATEWAY_FIRST_RUNS", first_runs.join(" "));
    for operator in OPERATORS {
        let made = product.run(&["operator", "create", operator, "--name", "Olga"], canary::PASSWORD).await;
        assert!(made.success, "{}", made.output);
    }
    command.env("GATEWAY_OPERATORS", OPERATORS.join(" ")).env("GATEWAY_PASSWORD", canary::PASSWORD);
    command.env("GATEWAY_VOUCHERS", vouchers(&product, OPERATORS.len()).await.join(" "));
    let seen = product.folder().join("seen.jsonl");
    command.env("GATEWAY_SEEN", &seen);
    if setting == "sdk" {
        let mut person = Person::new(&product, "sdk@example.com");
        person.sign_up().await;
        command.env("GATEWAY_KEY", person.create_key("sdk", &[]).await).env("GATEWAY_COSTLY_MODEL", COSTLY);
        let everything =
            ["keys_derive", "keys_manage", "limits_manage", "webhooks_manage", "org_admin", "org_usage"];
        let key = person.create_key("manager", &everything.map(|scope| (scope, "on"))).await;
        command.env("GATEWAY_BINARY", binary());
        command.env("GATEWAY_MANAGER_KEY", key).env("GATEWAY_OPERATOR_TOKEN", operator_token(&product).await);
    }
    let has_succeeded = succeeds(command).await;
    search(&seen);
    if has_succeeded {
        return std::process::ExitCode::SUCCESS;
    }
    let log = product.log();
    let telling: Vec<&str> = log.lines().filter(|line| !line.contains(" DEBUG ")).collect();
    eprintln!("the product's log:\n{}", telling.join("\n"));
    std::process::ExitCode::FAILURE
}

/// Looks for secrets in what the command was answered, in the order in which it was; the products look into their logs.
fn search(seen: &Path) {
    // Not every command writes down what it was answered.
    let Ok(file) = File::open(seen) else { return };
    let mut count = 0;
    for line in BufReader::new(file).lines() {
        let line: serde_json::Value =
            serde_json::from_str(&line.expect("a readable file")).expect("a line of JSON");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let headers = line["headers"].as_array().into_iter().flatten();
        let headers: Vec<(String, String)> =
            headers.map(|pair| (text(&pair[0]).to_lowercase(), text(&pair[1]))).collect();
        let (place, body) = (text(&line["place"]), text(&line["body"]));
        canary::check_answer(canary::Answer { place: &place, headers: &headers, body: body.as_bytes() });
        count += 1;
    }
    eprintln!("{count} answers were searched for secrets, and none was found");
}

/// So many vouchers, each good for one organisation.
async fn vouchers(product: &Product, count: usize) -> Vec<String> {
    let mut codes = Vec::new();
    for _ in 0..count {
        let made = product.run(&["voucher", "create", "5000000", "--note", "For trying it out"], "").await;
        assert!(made.success, "{}", made.output);
        codes.push(made.output.lines().next().expect("the command prints the code").to_owned());
    }
    codes
}

async fn succeeds(mut command: Command) -> bool {
    let mut child = command.kill_on_drop(true).spawn().expect("the command starts");
    match tokio::time::timeout(LONGEST, child.wait()).await {
        Ok(status) => status.expect("the command ends").success(),
        Err(_) => {
            eprintln!("the command was stopped after {} minutes", LONGEST.as_secs() / 60);
            false
        }
    }
}

/// A token for the operators' part of the management API.
async fn operator_token(product: &Product) -> String {
    let (made, said) = product.command(&["operator-token", "create", "test"], &[]).await;
    assert!(made, "{said}");
    let token = said.split_whitespace().find(|word| word.starts_with("sk-byts-op-"));
    token.expect("the command prints the token").to_owned()
}

/// The one-time address that a new installation prints.
async fn first_run(product: &mut Product) -> String {
    let printed = product.printed("makes you the operator").await;
    let address = printed.split_whitespace().find(|word| word.contains("/admin/first?token="));
    address.expect("a new installation prints where its operator signs up").to_owned()
}
