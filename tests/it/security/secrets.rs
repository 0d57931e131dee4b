//! Secrets are in no file and no log, and what was written once stays written.

use std::path::{Path, PathBuf};

use bytespike_store::{on_database, sqlx};
use bytespike_tests::database::BOTH;
use bytespike_tests::http::Call;
use bytespike_tests::product::CLAUDE;
use bytespike_tests::raw::{exchange, status};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;

/// Every file below a folder but the configuration, which is where an operator put secrets.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_none_or(|kind| kind != "toml") {
            found.push(path);
        }
    }
    found
}

pub(super) fn content(file: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()
}

#[tokio::test]
async fn s119_s04_no_secret_of_a_whole_run_is_in_the_database_or_the_log() {
    let mut stage = Stage::with(|setup| setup.settings("[log]\nlevel = \"debug\"")).await;
    let credentials = super::credentials::credentials(&mut stage).await;
    let _ = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    stage.product.kill().await;
    let files = files(stage.product.folder());
    let all: Vec<(PathBuf, String)> = files.into_iter().map(|file| (file.clone(), content(&file))).collect();
    assert!(all.iter().any(|(_, text)| text.contains(&stage.person.email)), "the database was not read");
    assert!(all.iter().any(|(file, _)| file.ends_with("log.txt")), "the log was not read");
    for (kind, secret) in credentials {
        // The terminal is where the first operator's address is meant to be, and the log is what the terminal showed.
        if matches!(kind, "nothing at all" | "first operator token") {
            continue;
        }
        assert!(secret.len() >= 16, "{kind} is short");
        for (file, text) in &all {
            assert!(!text.contains(&secret), "a {kind} is in {}", file.display());
        }
    }
    let secret_part = &stage.key[21..53];
    assert!(!all.iter().any(|(_, text)| text.contains(secret_part)), "the secret part of a key");
}

#[tokio::test]
async fn s123_the_log_names_routes_and_no_secret_that_stood_in_an_address() {
    let stage = Stage::with(|setup| setup.settings("[log]\nlevel = \"debug\"")).await;
    for path in [
        "/v1/key?key=sk-byts-in-an-address-canary",
        "/console/reset?token=in-an-address-canary",
        "/console/nowhere/in-an-address-canary?x=in-an-address-canary",
        "/v1/receipts/in-an-address-canary",
        "/oauth/authorize?client_id=in-an-address-canary&state=in-an-address-canary",
    ] {
        let _ = Call::get(stage.product.at(path)).send().await;
    }
    let log = stage.product.log();
    assert!(log.contains("/v1/receipts/{id}") && log.contains("/console/reset"), "routes are logged");
    assert!(
        !log.contains("in-an-address-canary"),
        "{}",
        log.lines().find(|line| line.contains("canary")).unwrap_or_default()
    );
}

#[tokio::test]
async fn s124_a_clients_letters_can_neither_end_a_line_of_the_log_nor_colour_it() {
    let mut stage = Stage::with(|setup| setup.settings("[log]\nlevel = \"debug\"")).await;
    let _ = stage.person.create_key("name\u{1b}[31m\u{2028}FORGED line\r\nFORGED line", &[]).await;
    let host = stage.product.url.trim_start_matches("http://");
    for (path, agent) in [
        ("/v1/key", "agent \u{2028}FORGED line \u{85}FORGED line"),
        ("/v1/%0aFORGED%20line%1b%5b31m", "plain"),
        ("/console/%E2%80%A8FORGED", "plain"),
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nx-api-key: {}\r\nuser-agent: {agent}\r\nconnection: close\r\n\r\n",
            stage.key
        );
        assert!(matches!(status(&exchange(&stage.product, request).await), 200 | 303 | 404), "{path}");
    }
    let mut bad = stage.call(Speaker::OpenAi, &Speaker::OpenAi.ask("model\r\nFORGED line \u{1b}[31m", false));
    bad = bad.header("referer", "https://x.example/");
    assert_eq!(bad.send().await.status, 404);
    let log = stage.product.log();
    assert!(!log.contains('\u{1b}') && !log.contains('\u{2028}') && !log.contains('\u{85}'));
    assert!(!log.lines().any(|line| line.trim_start().starts_with("FORGED")), "{log}");
}

#[tokio::test]
async fn s110_what_was_booked_and_what_was_done_cannot_be_changed_even_by_us() {
    for kind in BOTH {
        let stage = Stage::with(|setup| setup.on(kind)).await;
        let _ =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        let store = stage.product.database.connect().await;
        for sql in [
            "update journal_entry set amount_nano = amount_nano",
            "delete from journal_entry",
            "update journal_tx set id = id",
            "delete from journal_tx",
            "update audit_event set event = 'nothing'",
            "delete from audit_event",
        ] {
            let refused = on_database!(&store, db => sqlx::query(sql).execute(db).await.map(drop));
            assert!(refused.is_err(), "{kind:?}: {sql}");
        }
        store.close().await;
    }
}
