//! Runs a command beside a running product and its scripted provider: `with-product sdk|browser COMMAND…`.
//! The command finds them in GATEWAY_URL, GATEWAY_KEY, GATEWAY_MODELS and GATEWAY_COSTLY_MODEL, and what manages in
//! GATEWAY_MANAGER_KEY and GATEWAY_OPERATOR_TOKEN, and in GATEWAY_BINARY the product for one of its own; a browser finds the
//! one-time addresses of two first operators in GATEWAY_FIRST_RUNS, and operators of the product, who have not signed in yet,
//! in GATEWAY_OPERATORS.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test tool says what went wrong and stops")]

use std::time::Duration;

use bytespike_tests::person::Person;
use bytespike_tests::product::{CLAUDE, COSTLY, GPT, Product, Setup, binary};
use bytespike_tests::stripe::Stripe;
use bytespike_tests::upstream::{Upstream, scenes};
use tokio::process::Command;

/// A language each; they sign in with this password, and set up a second factor then.
const OPERATORS: [&str; 2] = ["operator-en@example.com", "operator-zh@example.com"];
const OPERATORS_PASSWORD: &str = "a long sentence nobody guesses 71";

/// No suite takes as long: a command that still runs then hangs, is stopped, and fails.
const LONGEST: Duration = Duration::from_secs(25 * 60);

/// Where the tests of the sdk stage listen as providers that people sign in with. The ports lie below those that the system
/// gives to outgoing connections (32768 and up on Linux), so nothing of ours can have taken them.
const PROVIDERS: &str = r#"
[sign_in.github]
client_id = "bytespike"
client_secret = "a secret of the fake GitHub"
base_url = "http://127.0.0.1:19874"
api_url = "http://127.0.0.1:19874"
[[sign_in.oidc]]
id = "mock"
name = "Mock"
issuer = "http://localhost:19873"
client_id = "bytespike"
client_secret = "a secret of the mock provider"
"#;

/// Where the tests of the sdk stage listen for webhooks.
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
    let setup = stripe.wire(Setup::scripted(&upstream.url()).settings(PROVIDERS).settings(WEBHOOKS));
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
        let made = product.run(&["operator", "create", operator, "--name", "Olga"], OPERATORS_PASSWORD).await;
        assert!(made.success, "{}", made.output);
    }
    command.env("GATEWAY_OPERATORS", OPERATORS.join(" "));
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
    if succeeds(command).await {
        return std::process::ExitCode::SUCCESS;
    }
    eprintln!("the product's log:\n{}", product.log());
    std::process::ExitCode::FAILURE
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
