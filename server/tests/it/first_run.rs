//! The first minute of an operator: the binary alone in an empty folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{PATIENCE, Process, client};

const ON_ANY_PORT: (&str, &str) = ("BYTESPIKE_SERVER__LISTEN", "127.0.0.1:0");

/// A started product and the address of its gateway.
async fn started(folder: &Path) -> (Process, String) {
    let mut process = Process::start(folder, &[], &[ON_ANY_PORT]);
    let gateway = process.line_after("gateway    ").await;
    (process, gateway)
}

/// The demo key as the sample carries it.
async fn demo_key(process: &mut Process) -> String {
    process.line_after("x-api-key: ").await.trim_end_matches([' ', '\\', '\'']).to_owned()
}

async fn ask(gateway: &str, key: &str, content: &str) -> Value {
    let body = serde_json::json!({"model": "demo-claude", "max_tokens": 100, "messages": [{"role": "user", "content": content}]});
    let request = client().post(format!("{gateway}/v1/messages")).header("anthropic-version", "2023-06-01");
    request.header("x-api-key", key).json(&body).send().await.expect("an answer").json().await.expect("JSON")
}

#[tokio::test]
async fn every_surface_answers_and_the_demo_key_survives_a_restart() {
    let folder = TempDir::new().expect("a folder");
    let (mut process, gateway) = started(folder.path()).await;
    let key = demo_key(&mut process).await;
    let answer = ask(&gateway, &key, "hello").await;
    assert!(
        answer["content"][0]["text"].as_str().is_some_and(|text| text.contains("not a real model")),
        "{answer}"
    );
    for page in ["/", "/zh", "/pricing", "/docs", "/blog", "/healthz", "/readyz", "/metrics"] {
        let status = client().get(format!("{gateway}{page}")).send().await.expect("an answer").status();
        assert_eq!(status, 200, "{page}");
    }
    for secret in ["master.key", "demo.key", "bytespike.sqlite"] {
        let mode =
            std::fs::metadata(folder.path().join("data").join(secret)).expect(secret).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    process.terminate().await;
    assert!(process.ended().await.success());

    let (mut process, gateway) = started(folder.path()).await;
    assert_eq!(demo_key(&mut process).await, key);
    assert!(ask(&gateway, &key, "again").await["content"].is_array());
}

#[tokio::test]
async fn s141_the_printed_operator_address_opens_and_a_guessed_one_does_not() {
    let folder = TempDir::new().expect("a folder");
    let (mut process, gateway) = started(folder.path()).await;
    let address = process.line_after("operator   ").await;
    let page = client().get(&address).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    assert!(page.text().await.expect("text").contains("name=\"password\""));
    let guessed = client().get(format!("{gateway}/admin/first?token=guess")).send().await.expect("an answer");
    assert_eq!(guessed.status(), 404);
}

#[tokio::test]
async fn s25_a_foreign_host_is_misdirected_on_every_route() {
    let folder = TempDir::new().expect("a folder");
    let (_process, gateway) = started(folder.path()).await;
    for route in ["/", "/v1/models", "/healthz", "/nowhere"] {
        let answer = client()
            .get(format!("{gateway}{route}"))
            .header("host", "evil.example")
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 421, "{route}");
        assert!(answer.headers().contains_key("x-content-type-options"), "{route}");
    }
}

#[tokio::test]
async fn s129_metrics_are_for_this_machine_alone() {
    let folder = TempDir::new().expect("a folder");
    let (_process, gateway) = started(folder.path()).await;
    let metrics = || client().get(format!("{gateway}/metrics"));
    assert_eq!(client().get(format!("{gateway}/healthz")).send().await.expect("an answer").status(), 200);
    let counted = metrics().send().await.expect("an answer").text().await.expect("text");
    assert!(counted.contains("bytespike_http_requests_total"), "{counted}");
    let forwarded = metrics().header("x-forwarded-for", "203.0.113.9").send().await.expect("an answer");
    assert_eq!(forwarded.status(), 404, "a proxy on this machine must not make them public");
}

/// Runs a command to its end and returns whether it succeeded and what it said.
async fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bytespike"));
    command.args(arguments).current_dir(folder).env_clear().envs(environment.iter().copied());
    let ended = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn s117_s143_beyond_this_machine_a_missing_master_key_refuses_to_start() {
    let folder = TempDir::new().expect("a folder");
    let exposed = [
        ("BYTESPIKE_SERVER__LISTEN", "0.0.0.0:0"),
        ("BYTESPIKE_URLS__PUBLIC", "https://spike.example"),
        ("BYTESPIKE_ACCOUNTS__SIGN_UP", "false"),
    ];
    let (succeeded, said) = run(folder.path(), &["serve"], &exposed).await;
    assert!(!succeeded && said.contains("there is no master key") && said.contains("openssl rand"), "{said}");
    assert!(!folder.path().join("data/master.key").exists());
    let zeros = "0".repeat(64);
    let example = [&exposed[..], &[("BYTESPIKE_SECRETS__MASTER_KEY", &*zeros)]].concat();
    let (succeeded, said) = run(folder.path(), &["serve"], &example).await;
    assert!(!succeeded && said.contains("not random"), "{said}");
}

#[tokio::test]
async fn the_short_commands_do_what_they_say() {
    let folder = TempDir::new().expect("a folder");
    let (succeeded, said) = run(folder.path(), &["migrate"], &[]).await;
    assert!(succeeded, "{said}");
    let (succeeded, said) = run(folder.path(), &["check-ledger"], &[]).await;
    assert!(succeeded && said.contains("Every invariant"), "{said}");
    let (succeeded, said) = run(folder.path(), &["create-operator"], &[]).await;
    assert!(succeeded && said.contains("http://127.0.0.1:8080/admin/first?token="), "{said}");
    let (succeeded, said) =
        run(folder.path(), &["check-config"], &[("ANTHROPIC_API_KEY", "sk-ant-canary")]).await;
    assert!(succeeded && said.contains("[redacted]") && !said.contains("canary"), "{said}");
    let (succeeded, said) = run(folder.path(), &["check-config"], &[("BYTESPIKE_SERVER__LISTN", "x")]).await;
    assert!(!succeeded && said.contains("did you mean `server.listen`"), "{said}");
}

#[tokio::test]
async fn of_processes_that_start_together_on_one_sqlite_file_one_serves() {
    let folder = TempDir::new().expect("a folder");
    let start = |surface| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bytespike"));
        command
            .args(["serve", "--surface", surface])
            .current_dir(folder.path())
            .env_clear()
            .envs([ON_ANY_PORT]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
        command.spawn().expect("the binary starts")
    };
    let (mut console, mut gateway) = (start("console"), start("gateway"));
    let refused = async {
        tokio::select! {
            ended = console.wait() => (ended.expect("it ends"), console.stderr.take()),
            ended = gateway.wait() => (ended.expect("it ends"), gateway.stderr.take()),
        }
    };
    let (status, said) = tokio::time::timeout(PATIENCE, refused).await.expect("one of them ends");
    let mut text = String::new();
    let mut said = said.expect("its output is piped");
    tokio::io::AsyncReadExt::read_to_string(&mut said, &mut text).await.expect("text");
    assert!(!status.success() && text.contains("an SQLite database has one server"), "{text}");
}

#[tokio::test]
async fn the_site_alone_needs_no_database_and_shows_another_process_s_prices() {
    let folder = TempDir::new().expect("a folder");
    let mut main = Process::start(folder.path(), &[], &[ON_ANY_PORT]);
    let gateway = main.line_after("gateway    ").await;
    let key = main.line_after("signed with ").await;
    let site_folder = TempDir::new().expect("a folder");
    let url = format!("{gateway}/v1/prices");
    let environment =
        [ON_ANY_PORT, ("BYTESPIKE_PRICES__EXPORT_URL", &*url), ("BYTESPIKE_PRICES__EXPORT_KEY", &*key)];
    let mut site = Process::start(site_folder.path(), &["serve", "--surface", "site"], &environment);
    let site_url = site.line_after("site       ").await;
    let fetched = async {
        while !client()
            .get(format!("{site_url}/pricing"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("demo-claude")
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, fetched).await.expect("the prices never arrived");
    assert_eq!(std::fs::read_dir(site_folder.path()).unwrap().count(), 0, "a site alone keeps nothing");
    assert_eq!(client().get(format!("{site_url}/v1/models")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let folder = TempDir::new().expect("a folder");
    let (mut process, gateway) = started(folder.path()).await;
    let key = demo_key(&mut process).await;
    let body = serde_json::json!({"model": "demo-claude", "max_tokens": 100, "stream": true,
        "messages": [{"role": "user", "content": "hello [demo: hang-after=4]"}]});
    let request = client().post(format!("{gateway}/v1/messages")).header("anthropic-version", "2023-06-01");
    let mut stream = request.header("x-api-key", &key).json(&body).send().await.expect("an answer");
    assert!(stream.chunk().await.expect("a piece").is_some());
    process.terminate().await;
    let refused = async { while client().get(format!("{gateway}/healthz")).send().await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("it still accepts connections");
    process.terminate().await;
    assert_eq!(process.ended().await.code(), Some(130), "it waited for the stream");
}
