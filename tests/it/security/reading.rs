//! Looking changes nothing: every address that can be read is read by an owner, and the database is the same afterwards.
//! What holds of every page is checked on the way.

use std::collections::{BTreeMap, BTreeSet};

use bytespike_console::routes::ADDRESSES;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::product::Product;
use bytespike_tests::stage::Stage;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// Tables that jobs of the running program write by themselves.
const OF_JOBS: [&str; 16] = [
    "estimate_ratio",
    "instance",
    "invariant_run",
    "job",
    "usage_mark",
    "usage_quarter",
    "verified_limit",
    "verified_wallet",
    "letter",
    "outbox",
    "webhook_delivery",
    "webhook_attempt",
    "key_expiry_notice",
    "retention_run",
    "data_export",
    "data_export_part",
];
/// When something was last seen, and from where.
const ACCESS: [&str; 4] = ["last_seen_at_ms", "last_used_at_ms", "last_used_ip", "last_used_client"];

/// Every row of every table as text, without what changes by itself.
fn dump(product: &Product) -> BTreeMap<String, BTreeSet<String>> {
    let path = product.database.url().strip_prefix("sqlite:").expect("SQLite").to_owned();
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "select name from sqlite_master where type = 'table' and name not like 'sqlite%'";
    let tables: Vec<String> = database
        .prepare(sql)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let tables = tables.into_iter().filter(|table| !OF_JOBS.contains(&table.as_str()));
    tables.map(|table| (table.clone(), rows(&database, &table))).collect()
}

fn rows(database: &Connection, table: &str) -> BTreeSet<String> {
    let mut query = database.prepare(&format!("select * from \"{table}\"")).unwrap();
    let names: Vec<String> = query.column_names().into_iter().map(str::to_owned).collect();
    let mut found = query.query([]).unwrap();
    let mut texts = BTreeSet::new();
    while let Some(row) = found.next().unwrap() {
        let fields = names.iter().enumerate().filter(|(_, name)| !ACCESS.contains(&name.as_str()));
        texts.insert(
            fields.map(|(at, name)| format!("{name}={}; ", text(row.get_ref(at).unwrap()))).collect(),
        );
    }
    texts
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    }
}

/// Addresses before sign-in and outside the console.
const OTHERS: [&str; 34] = [
    "/",
    "/zh",
    "/pricing",
    "/docs",
    "/docs/search?q=key",
    "/blog",
    "/sitemap.xml",
    "/robots.txt",
    "/healthz",
    "/readyz",
    "/console/sign-up",
    "/console/check-mail",
    "/console/verify?token=x",
    "/console/resend",
    "/console/sign-in",
    "/console/sign-in/second-step",
    "/console/confirm-email?token=x",
    "/console/forgot",
    "/console/reset?token=x",
    "/console/invitation?token=x",
    "/console/auth/github/callback?code=x&state=y",
    "/oauth/authorize?client_id=dosia-desktop",
    "/admin/first?token=x",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/v1/models",
    "/v1/prices",
    "/v1/signing-keys",
    "/v1/status/invariants",
    "/v1/status/announcements",
    "/v1/account/capabilities",
    "/v1/usage/calls.csv",
    "/v1/oauth/keys",
    "/console/nowhere",
];

/// Paths of the API's description that are read.
async fn of_the_api(stage: &Stage) -> Vec<String> {
    let description =
        Call::get(stage.product.at("/api/v1/openapi.json")).send().await.expect_status(200).json();
    let paths = description["paths"].as_object().expect("paths").clone();
    let read =
        paths.into_iter().filter(|(_, operations)| operations.get("get").is_some_and(Value::is_object));
    read.map(|(path, _)| path.replace("{node}", "org").replace("{id}", "x")).collect()
}

#[tokio::test]
async fn s17_s12_s31_s63_reading_every_address_changes_nothing_and_every_page_keeps_to_itself() {
    let mut stage = Stage::new().await;
    let ours = crate::idor::ours(&mut stage).await;
    let _ = stage.person.open("/console").await;
    let of_console: Vec<String> = ADDRESSES.iter().map(|address| ours.in_path(address)).collect();
    let in_both = of_console.iter().flat_map(|path| [path.clone(), format!("/zh{path}")]);
    let all: Vec<String> = in_both.chain(OTHERS.map(str::to_owned)).chain(of_the_api(&stage).await).collect();
    // A page that shows something once takes it away when it is read; it is read before.
    let once: Vec<&String> = all
        .iter()
        .filter(|path| ["/created", "/codes", "/secret"].iter().any(|end| path.ends_with(end)))
        .collect();
    for path in once {
        let _ = ask(&stage, "GET", path).await;
    }
    let before = dump(&stage.product);
    assert!(before.len() > 40 && !before["audit_event"].is_empty(), "the database was read");
    let mut pages = 0;
    for path in &all {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let answer = ask(&stage, method, path).await;
            assert!(
                answer.status < 500 && !matches!(answer.status, 307 | 308),
                "{method} {path}: {}",
                answer.status
            );
            pages += usize::from(check(&answer, path));
        }
    }
    assert!(pages > 80, "only {pages} pages were seen");
    let after = dump(&stage.product);
    for (table, rows) in before {
        let gone: Vec<_> = rows.difference(&after[&table]).collect();
        let come: Vec<_> = after[&table].difference(&rows).collect();
        assert!(gone.is_empty() && come.is_empty(), "{table} changed: - {gone:?} + {come:?}");
    }
}

/// What the database keeps to recognise secrets by: nothing of it is for anybody's eyes.
async fn verifiers(stage: &Stage) -> BTreeSet<String> {
    let store = stage.product.database.connect().await;
    let mut found = BTreeSet::new();
    for sql in [
        "select password_hash from person where password_hash is not null",
        "select id_hash from session",
        "select token_hash from one_time_token",
        "select verifier from api_key_credential",
    ] {
        found.extend(bytespike_tests::database::rows(&store, sql).await.into_iter().flatten());
    }
    store.close().await;
    assert!(found.len() > 10 && found.iter().all(|text| text.len() > 20), "{found:?}");
    found
}

#[tokio::test]
async fn s99_no_answer_to_any_role_holds_what_recognises_a_secret() {
    let mut stage = Stage::new().await;
    let ours = crate::idor::ours(&mut stage).await;
    let mut members = crate::idor::members(&mut stage).await;
    let verifiers = verifiers(&stage).await;
    let mut read = 0;
    let mut scan = |place: &str, answer: &Answer| {
        let text = answer.text();
        for secret in &verifiers {
            assert!(!text.contains(secret.as_str()), "{place} shows {}…", &secret[..8]);
        }
        read += 1;
    };
    for address in ADDRESSES {
        let path = ours.in_path(address);
        scan(&path, &stage.person.get(&path).await);
        for (role, person) in &mut members {
            scan(&format!("{path} as {role:?}"), &person.get(&path).await);
        }
    }
    for path in of_the_api(&stage).await.iter().map(String::as_str).chain(OTHERS) {
        scan(path, &ask(&stage, "GET", path).await);
    }
    assert!(read > 400, "{read}");
}

async fn ask(stage: &Stage, method: &str, path: &str) -> Answer {
    let call = Call::new(method, stage.product.at(path)).header("x-api-key", &*stage.key);
    let cookies: Vec<String> =
        stage.person.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    call.header("cookie", cookies.join("; ")).send().await
}

/// What holds of a page; false if it is none.
fn check(answer: &Answer, path: &str) -> bool {
    let is_page = answer.maybe("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if !is_page || answer.body.is_empty() {
        return false;
    }
    let html = answer.text();
    if html.contains("/console/sign-out") {
        assert!(
            answer.header("cache-control").contains("no-store"),
            "{path}: {}",
            answer.header("cache-control")
        );
    }
    for (tag, name) in [
        ("<script", "src"),
        ("<link", "href"),
        ("<img", "src"),
        ("<iframe", "src"),
        ("<form", "action"),
        ("<source", "src"),
    ] {
        for part in html.split(tag).skip(1) {
            let tag_text = part.split('>').next().unwrap_or_default();
            let is_link_of_ours = tag != "<link"
                || tag_text.contains("stylesheet")
                || tag_text.contains("icon")
                || tag_text.contains("preload");
            let Some((_, value)) = tag_text.split_once(&format!(" {name}=\"")) else { continue };
            let value = value.split('"').next().unwrap_or_default();
            let ours = value.starts_with('/') && !value.starts_with("//")
                || value.starts_with("data:image/")
                || value.starts_with('#');
            assert!(ours || !is_link_of_ours, "{path} loads or sends to {value}");
        }
    }
    true
}
