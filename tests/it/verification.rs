//! Anyone can check it: receipts by program and by the script in the documentation, keys, and the public state of the books.

use std::path::Path;

use bytespike_store::{on_database, sqlx};
use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::product::{CLAUDE, GPT, Process};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::Reply;
use serde_json::{Value, json};
use tokio::process::Command;

/// What a program said and how it ended.
struct Ran {
    status: Option<i32>,
    said: String,
}

async fn run(folder: &Path, program: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin:/usr/local/bin");
    let output = command.output().await.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    Ran { status: output.status.code(), said: String::from_utf8_lossy(&said).into_owned() }
}

/// The three public files in a folder, with the script as the documentation prints it.
struct Files(tempfile::TempDir);

impl Files {
    async fn of(stage: &Stage, receipt_id: &str, page: &str) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let receipt = stage.get(&format!("/v1/receipts/{receipt_id}")).await.expect_status(200);
        let get = async |path: &str| Call::get(stage.product.at(path)).send().await.expect_status(200);
        let script = python(&get(page).await.text());
        let files = [
            ("receipt.json", receipt.body),
            ("prices.json", get("/v1/prices").await.body),
            ("keys.json", get("/v1/signing-keys").await.body),
            ("verify_receipt.py", script.into_bytes()),
        ];
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        Self(folder)
    }

    fn edit(&self, name: &str, (from, to): (&str, &str)) {
        let path = self.0.path().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    async fn by_program(&self) -> Ran {
        let binary = bytespike_tests::product::binary();
        let arguments =
            ["receipt", "verify", "receipt.json", "--prices", "prices.json", "--keys", "keys.json"];
        run(self.0.path(), &binary.to_string_lossy(), &arguments).await
    }

    async fn by_script(&self) -> Ran {
        run(self.0.path(), "python3", &["verify_receipt.py", "receipt.json", "prices.json", "keys.json"])
            .await
    }
}

/// The one Python text of a page.
fn python(page: &str) -> String {
    let (_, rest) = page.split_once("```python\n").expect("a script on the page");
    rest.split_once("\n```").expect("the script ends").0.to_owned()
}

/// A call that landed and one that did not.
async fn two_receipts(stage: &Stage) -> [String; 2] {
    let id = |answer: &Answer| answer.header("x-receipt-id").to_owned();
    let landed =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    stage.answer(Reply::json(500, &json!({"error": {"message": "no"}})));
    let failed = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await;
    assert!(failed.status >= 500, "{}", failed.text());
    [id(&landed), id(&failed)]
}

#[tokio::test]
async fn receipts_are_verified_by_the_program_and_by_the_script_of_both_languages() {
    let stage = Stage::new().await;
    for receipt_id in two_receipts(&stage).await {
        for page in ["/docs/verification.md", "/zh/docs/verification.md"] {
            let files = Files::of(&stage, &receipt_id, page).await;
            for ran in [files.by_program().await, files.by_script().await] {
                assert_eq!(ran.status, Some(0), "{}", ran.said);
                assert!(!ran.said.contains("WRONG") && !ran.said.contains("not checked"), "{}", ran.said);
            }
        }
    }
}

#[tokio::test]
async fn a_changed_receipt_a_changed_price_and_a_foreign_key_are_found() {
    let stage = Stage::new().await;
    let [landed, failed] = two_receipts(&stage).await;
    let changes = [
        (&landed, "receipt.json", ("\"reason\":\"", "\"reason\":\"x")),
        (&landed, "receipt.json", ("\"output_tokens\":", "\"output_tokens\":9")),
        (&landed, "prices.json", ("\"usd_pico\":1000000", "\"usd_pico\":1000001")),
        (&landed, "keys.json", ("\"purpose\":\"receipt\"", "\"purpose\":\"lunch\"")),
        (
            &failed,
            "receipt.json",
            ("\"charged\":{\"credits\":\"0.000\"", "\"charged\":{\"credits\":\"1.000\""),
        ),
    ];
    for (receipt_id, name, edit) in changes {
        let files = Files::of(&stage, receipt_id, "/docs/verification.md").await;
        files.edit(name, edit);
        for ran in [files.by_program().await, files.by_script().await] {
            assert_eq!(ran.status, Some(1), "{name} {edit:?}: {}", ran.said);
            assert!(ran.said.contains("WRONG"), "{}", ran.said);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_ends_with_another_status_and_what_is_not_given_is_named() {
    let folder = tempfile::TempDir::new().unwrap();
    let binary = bytespike_tests::product::binary();
    let verify = async |arguments: &[&str]| {
        run(folder.path(), &binary.to_string_lossy(), &[&["receipt", "verify"], arguments].concat()).await
    };
    let missing = verify(&["nowhere.json"]).await;
    assert!(missing.status == Some(2) && missing.said.contains("nowhere.json"), "{}", missing.said);
    std::fs::write(folder.path().join("bad.json"), "{\"object\":\"receipt\"").unwrap();
    let bad = verify(&["bad.json"]).await;
    assert!(bad.status == Some(2) && bad.said.contains("not a receipt"), "{}", bad.said);

    let stage = Stage::new().await;
    let answer = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
    let receipt =
        stage.get(&format!("/v1/receipts/{}", answer.header("x-receipt-id"))).await.expect_status(200);
    std::fs::write(folder.path().join("receipt.json"), &receipt.body).unwrap();
    let alone = verify(&["receipt.json"]).await;
    assert_eq!(alone.status, Some(0), "{}", alone.said);
    assert!(alone.said.contains("not checked: signatures") && alone.said.contains("not checked: prices"));
}

#[tokio::test]
async fn a_receipt_is_the_same_bytes_at_each_reading_and_on_another_instance() {
    let stage = Stage::with(|setup| setup.on(Kind::Postgres)).await;
    let answer =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    let path = format!("/v1/receipts/{}", answer.header("x-receipt-id"));
    let first = stage.get(&path).await.expect_status(200);
    let folder = tempfile::TempDir::new().unwrap();
    let environment = [
        ("BYTESPIKE_SECRETS__MASTER_KEY", bytespike_tests::canary::MASTER_KEY),
        ("BYTESPIKE_DATABASE__URL", stage.product.database.url()),
        ("BYTESPIKE_SERVER__LISTEN", "127.0.0.1:0"),
        ("BYTESPIKE_DEMO__PROVIDER", "off"),
    ];
    let mut other = Process::start(folder.path(), &["serve"], &environment);
    let printed = other.printed("gateway    http").await;
    let url = printed.lines().find_map(|line| line.strip_prefix("gateway    ")).unwrap().trim().to_owned();
    let second =
        Call::get(format!("{url}{path}")).header("x-api-key", &*stage.key).send().await.expect_status(200);
    assert_eq!(first.body, second.body);
    assert_eq!(stage.get(&path).await.body, first.body);
    let keys =
        async |base: &str| Call::get(format!("{base}/v1/signing-keys")).send().await.expect_status(200);
    assert_eq!(keys(&url).await.body, keys(&stage.product.url).await.body);
}

#[tokio::test]
async fn keys_are_a_key_set_in_which_a_former_key_stays() {
    let mut stage = Stage::new().await;
    let keys =
        async |stage: &Stage| Call::get(stage.product.at("/v1/signing-keys")).send().await.expect_status(200);
    let first = keys(&stage).await;
    assert_eq!(first.header("content-type"), "application/jwk-set+json");
    let set = first.json();
    let purposes = |set: &Value, state: &str| -> Vec<String> {
        let keys = set["keys"].as_array().unwrap().iter().filter(|key| key["state"] == state);
        keys.map(|key| key["purpose"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(purposes(&set, "current"), ["receipt", "price_export"]);
    for key in set["keys"].as_array().unwrap() {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["use"]),
            (&"OKP".into(), &"Ed25519".into(), &"sig".into())
        );
        assert!(key.get("d").is_none(), "a private key is served");
    }
    stage.product.kill().await;
    // As if the master key were lost, and with it the keys that outlive one.
    let store = stage.product.database.connect().await;
    on_database!(&store, db => sqlx::query("delete from kept_keys").execute(db).await.map(drop)).unwrap();
    store.close().await;
    let another = "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0";
    stage.product.start_again_with(&[("BYTESPIKE_SECRETS__MASTER_KEY", another)]).await;
    let after = keys(&stage).await.json();
    assert_eq!(purposes(&after, "former").len(), 2, "{after}");
    for key in set["keys"].as_array().unwrap() {
        let kept = after["keys"].as_array().unwrap().iter().find(|other| other["kid"] == key["kid"]).unwrap();
        assert_eq!((&kept["x"], &kept["state"]), (&key["x"], &"former".into()));
    }
}

#[tokio::test]
async fn the_public_status_counts_and_names_no_one() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        for speaker in SPEAKERS {
            let _ = stage.ask(speaker, &speaker.ask(GPT, false)).await.expect_status(200);
        }
        // The hourly count runs at a start; the next one would be due in an hour.
        stage.product.kill().await;
        let store = stage.product.database.connect().await;
        let _ = bytespike_tests::database::rows(&store, "delete from job").await;
        store.close().await;
        stage.product.start_again().await;
        let status = counted(&stage, 2).await;
        assert_eq!((&status["violations"], &status["object"]), (&0.into(), &"invariant_status".into()));
        let invariants = status["invariants"].as_array().unwrap();
        let checked = usize::try_from(status["checked"].as_i64().unwrap()).unwrap();
        assert!(
            (1..=invariants.len()).contains(&checked) && status["whole_history"].is_boolean(),
            "{status}"
        );
        assert!(status["last_run_at"].as_str().unwrap().ends_with('Z'));
        let text = status.to_string();
        for id in ["org_", "rcp_", "key_", "mem_", "ins_"] {
            assert!(!text.contains(id), "{text}");
        }
    }
}

/// The status once the job has counted so many settled calls.
async fn counted(stage: &Stage, settled: i64) -> Value {
    let started = std::time::Instant::now();
    loop {
        let status =
            Call::get(stage.product.at("/v1/status/invariants")).send().await.expect_status(200).json();
        if status["last_30_days"]["settled"] == settled {
            return status;
        }
        assert!(started.elapsed() < bytespike_tests::PATIENCE, "{status}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_refused_and_a_command_that_reads_is_not() {
    let mut stage = Stage::new().await;
    let second = stage.product.command(&["serve"], &[("BYTESPIKE_SERVER__LISTEN", "127.0.0.1:0")]).await;
    assert!(!second.0 && second.1.contains("an SQLite database has one server"), "{}", second.1);
    assert!(second.1.contains(&stage.product.pid().to_string()), "{}", second.1);
    let check = stage.product.command(&["check-ledger"], &[]).await;
    assert!(check.0 && check.1.contains("Every invariant"), "{}", check.1);
    // A process that was killed leaves no lock behind.
    stage.product.kill().await;
    stage.product.start_again().await;
    let _ = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
}
