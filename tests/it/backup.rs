//! A backup made under load restores into either database, passes the invariants, and reads the same.

use std::path::Path;

use bytespike_tests::database::{Database, Kind};
use bytespike_tests::http::Call;
use bytespike_tests::load::Load;
use bytespike_tests::product::{CLAUDE, GPT, Process};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::{canary, invariants};

#[tokio::test]
async fn a_backup_of_sqlite_under_load_restores_into_postgres() {
    travels(Kind::Sqlite, Kind::Postgres).await;
}

#[tokio::test]
async fn a_backup_of_postgres_under_load_restores_into_sqlite() {
    travels(Kind::Postgres, Kind::Sqlite).await;
}

#[tokio::test]
async fn a_backup_of_each_restores_into_its_own_kind() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        travels(kind, kind).await;
    }
}

async fn travels(from: Kind, to: Kind) {
    let stage = Stage::with(|setup| setup.on(from).trial_grant(50_000_000)).await;
    let answer =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    let path = format!("/v1/receipts/{}", answer.header("x-receipt-id"));
    let before = stage.get(&path).await.expect_status(200);

    let load = Load::start(&stage).await;
    let (made, said) = stage.product.command(&["backup", "spike.backup"], &[]).await;
    assert!(made && said.contains("master key is not in it"), "{said}");
    load.stop().await;
    let file = stage.product.folder().join("spike.backup");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(std::fs::read(&file).unwrap().starts_with(b"bytespike-sealed/1\n"));
    let (again, said) = stage.product.command(&["backup", "spike.backup"], &[]).await;
    assert!(!again && said.contains("is there already"), "{said}");

    let folder = tempfile::TempDir::new().unwrap();
    let target = Database::fresh(to, folder.path());
    let url = [("BYTESPIKE_DATABASE__URL", target.url())];
    let (restored, said) = stage.product.command(&["restore", "spike.backup"], &url).await;
    assert!(
        restored
            && said.contains("Every invariant of the ledger holds")
            && said.contains("audit log is whole"),
        "{said}"
    );
    let store = target.connect().await;
    invariants::hold(&store).await;
    store.close().await;
    let (again, said) = stage.product.command(&["restore", "spike.backup"], &url).await;
    assert!(!again && said.contains("not empty"), "{said}");

    let served = Served::start(&stage, folder.path(), &target).await;
    let after = served.get(&stage, &path).await;
    assert_eq!(after, before.body, "the receipt reads the same");
    let body = Speaker::OpenAi.ask(GPT, false);
    let _ = Speaker::OpenAi.call(&served.url, &stage.key, &body).send().await.expect_status(200);
}

/// A server on the restored database.
struct Served {
    url: String,
    _process: Process,
}

impl Served {
    async fn start(stage: &Stage, folder: &Path, database: &Database) -> Self {
        let config = stage.product.folder().join("bytespike.toml");
        let config = config.to_string_lossy();
        let environment = [
            ("BYTESPIKE_CONFIG", &*config),
            ("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY),
            ("BYTESPIKE_DATABASE__URL", database.url()),
            ("BYTESPIKE_SERVER__LISTEN", "127.0.0.1:0"),
        ];
        let mut process = Process::start(folder, &["serve"], &environment);
        let printed = process.printed("gateway    http").await;
        let url =
            printed.lines().find_map(|line| line.strip_prefix("gateway    ")).unwrap().trim().to_owned();
        Self { url, _process: process }
    }

    async fn get(&self, stage: &Stage, path: &str) -> Vec<u8> {
        Call::get(format!("{}{path}", self.url))
            .header("x-api-key", &*stage.key)
            .send()
            .await
            .expect_status(200)
            .body
    }
}

#[tokio::test]
async fn what_cannot_be_backed_up_or_restored_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let folder = stage.product.folder();
    let elsewhere = format!("sqlite:{}", folder.join("nowhere.sqlite").display());
    let url = [("BYTESPIKE_DATABASE__URL", &*elsewhere)];
    let (made, said) = stage.product.command(&["backup", "b.gz"], &url).await;
    assert!(!made && said.contains("there is no database"), "{said}");
    std::fs::write(folder.join("bad.gz"), b"not a backup").unwrap();
    let (restored, said) = stage.product.command(&["restore", "bad.gz"], &url).await;
    assert!(!restored && said.contains("not a backup"), "{said}");
    let (restored, said) = stage.product.command(&["restore", "missing.gz"], &url).await;
    assert!(!restored && said.contains("missing.gz"), "{said}");
    assert!(!folder.join("nowhere.sqlite").exists() && !folder.join("b.gz").exists());

    let (made, said) = stage.product.command(&["backup", "b.gz"], &[]).await;
    assert!(made && said.contains("sealed under the master key"), "{said}");
    let another =
        ("BYTESPIKE_SECRETS__MASTER_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0");
    let (restored, said) = stage.product.command(&["restore", "b.gz"], &[url[0], another]).await;
    assert!(!restored && said.contains("sealed under another master key"), "{said}");
    assert!(!folder.join("nowhere.sqlite").exists());

    let sealed = std::fs::read(folder.join("b.gz")).unwrap();
    std::fs::write(folder.join("cut.gz"), &sealed[..sealed.len() - 9]).unwrap();
    let (restored, said) = stage.product.command(&["restore", "cut.gz"], &url).await;
    assert!(!restored && !folder.join("nowhere.sqlite").exists(), "{said}");
}

#[tokio::test]
async fn a_backup_that_is_not_sealed_restores_and_shows_whose_master_key_it_needs() {
    let stage = Stage::new().await;
    let folder = stage.product.folder();
    let (made, said) = stage.product.command(&["backup", "--unsealed", "b.gz"], &[]).await;
    assert!(made && said.contains("not sealed"), "{said}");
    assert!(std::fs::read(folder.join("b.gz")).unwrap().starts_with(&[0x1f, 0x8b]), "gzip, for any program");
    let into = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let another =
        ("BYTESPIKE_SECRETS__MASTER_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0");
    let first = ("BYTESPIKE_DATABASE__URL", &*into("first.sqlite"));
    let (restored, said) = stage.product.command(&["restore", "b.gz"], &[first, another]).await;
    assert!(!restored && said.contains("the master key is not the one"), "{said}");
    let second = ("BYTESPIKE_DATABASE__URL", &*into("second.sqlite"));
    let (restored, said) = stage.product.command(&["restore", "b.gz"], &[second]).await;
    assert!(restored && said.contains("Every invariant of the ledger holds"), "{said}");
}
