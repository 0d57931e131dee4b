//! The copy of their data that a person takes: what is in it, what never is, who gets it, and for how long.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::time::{Duration, Instant};

use bytespike_store::{Store, on_database, sqlx};
use bytespike_tests::authenticator::App;
use bytespike_tests::database::{BOTH, Kind, number, rows};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{CLAUDE, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::{PATIENCE, canary};

const DATA: &str = "/console/settings/data";

async fn run(store: &Store, sql: &'static str) {
    on_database!(store, db => sqlx::query(sql).execute(db).await.map(drop)).expect("written");
}

async fn ask(person: &mut Person) {
    let page = person.open(DATA).await.expect_status(200).text();
    let form = Form::posting_at(&page, "/data/copy").expect("a form that asks");
    let _ = person.submit(&form).await.expect_status(200);
}

/// Waits until the copy is ready; answers the form that takes it.
async fn ready(person: &mut Person) -> Form {
    let began = Instant::now();
    loop {
        let page = person.open(DATA).await.expect_status(200).text();
        if let Some(form) = Form::posting_to(&page, "/data/copies/") {
            return form;
        }
        assert!(began.elapsed() < PATIENCE, "the copy is not ready: {page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Takes the archive; each file by its name.
async fn take(person: &mut Person, form: &Form) -> BTreeMap<String, Vec<u8>> {
    let archive = person.submit(form).await.expect_status(200);
    assert_eq!(archive.header("content-type"), "application/zip");
    assert_eq!(archive.header("content-disposition"), "attachment; filename=\"bytespike-data.zip\"");
    let mut zip = zip::ZipArchive::new(Cursor::new(archive.body)).expect("an archive");
    let names: Vec<String> = zip.file_names().map(|name| name.expect("a name").into_owned()).collect();
    names
        .into_iter()
        .map(|name| {
            let mut content = Vec::new();
            zip.by_name(&name).expect("a file").read_to_end(&mut content).expect("it is whole");
            (name, content)
        })
        .collect()
}

/// Someone with a bit of everything, and every secret they or the installation have.
async fn somebody(stage: &mut Stage) -> Vec<String> {
    let person = &mut stage.person;
    let begin = Form::posting_to(&person.open("/console/settings/security").await.text(), "app/begin");
    let begun = person.submit(&begin.expect("a form")).await.expect_status(200).text();
    let app = App::typed(&begun);
    let confirm = Form::posting_to(&begun, "security/app").expect("a form").set("code", &app.code(0));
    let shown = person.submit(&confirm).await.expect_status(200).text();
    let code = shown.split("<code translate=\"no\">").nth(1).and_then(|rest| rest.split('<').next());
    let secret = begun.split("id=\"secret\"").nth(1).and_then(|rest| rest.split('>').nth(1));
    let secret = secret.and_then(|rest| rest.split('<').next()).expect("the secret of the app").to_owned();
    let key = person.create_key("=1+1 a formula", &[("models", CLAUDE)]).await;
    let hook = person.open("/console/webhooks/new").await.expect_status(200).text();
    let hook = person.submit(&Form::with(&hook, "url").set("url", "https://hooks.example.com/")).await;
    let signs = hook.text().split("whsec_").nth(1).map(|rest| rest[..24].to_owned());
    let mut secrets = vec![
        key[21..53].to_owned(),
        stage.key[21..53].to_owned(),
        code.expect("a recovery code").to_owned(),
        secret.replace(' ', ""),
        secret,
        person.cookies["bs_sid"].clone(),
        canary::PASSWORD.to_owned(),
        canary::MASTER_KEY.to_owned(),
        canary::UPSTREAM_KEY.to_owned(),
        "$argon2id$".to_owned(),
        signs.expect("the webhook's secret"),
    ];
    let store = stage.product.database.connect().await;
    // Whatever is sealed or hashed lets somebody in, or would.
    for sql in [
        "select verifier from api_key_credential",
        "select id_hash from session",
        "select sealed_secret from totp",
        "select code_hash from recovery_code",
        "select browser_hash from known_browser",
    ] {
        secrets.extend(rows(&store, sql).await.into_iter().map(|row| row[0].clone()));
    }
    let months = "insert into payment_order (id, org_id, person_id, form_key, state, currency, amount_minor, paid_nano, created_at_ms)
                  select 'ord_mine', org_id, person_id, 'once', 'credited', 'usd', 1000, 10000000000, created_at_ms from member";
    run(&store, months).await;
    run(&store, "insert into invoice (id, org_id, order_id, subject, kind, series, number, currency, amount_minor, content_json, issued_at_ms)
                 select 'inv_mine', org_id, 'ord_mine', 'order:ord_mine', 'invoice', 'INV-', 42, 'usd', 1000, '{\"order_id\":\"ord_mine\"}', created_at_ms from member").await;
    store.close().await;
    secrets
}

#[tokio::test]
async fn a_copy_has_everything_that_is_the_persons_and_no_secret() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let _ =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        let secrets = somebody(&mut stage).await;
        ask(&mut stage.person).await;
        let form = ready(&mut stage.person).await;
        let files = take(&mut stage.person, &form).await;
        let text = |name: &str| {
            let content = files.get(name).unwrap_or_else(|| panic!("{name} is missing: {:?}", files.keys()));
            String::from_utf8(content.clone()).expect("UTF-8")
        };
        for (name, content) in &files {
            canary::check(name, content);
            let content = String::from_utf8_lossy(content);
            for secret in &secrets {
                assert!(!content.contains(secret.as_str()), "{name} has a secret");
            }
            assert!(!name.ends_with(".csv") || !content.contains("\n="), "{name} has a formula");
        }
        let account: serde_json::Value = serde_json::from_str(&text("account.json")).expect("JSON");
        assert_eq!(account["email"], stage.person.email.as_str());
        assert!(account["authenticator_app"]["recovery_codes_left"] == 10, "{account}");
        assert!(text("keys.json").contains("=1+1 a formula") && text("keys.json").contains(CLAUDE));
        assert!(text("keys.csv").contains("'=1+1 a formula"));
        assert!(text("sessions.csv").starts_with("\u{feff}user_agent,ip,"));
        assert!(text("organisations.json").contains("\"owner\""));
        let events = text("security_events.csv");
        for event in
            ["person.signed_up", "person.signed_in", "key.created", "factor.turned_on", "person.data_asked"]
        {
            assert!(events.contains(event), "{event} is missing in {events}");
        }
        let folder =
            files.keys().find_map(|name| name.strip_suffix("/calls.csv")).expect("the owner's calls");
        assert_eq!(text(&format!("{folder}/calls.csv")).lines().count(), 2, "a header and the call");
        assert!(text(&format!("{folder}/orders.csv")).contains("ord_mine"));
        assert!(text(&format!("{folder}/invoices/INV-000042.json")).contains("ord_mine"));
        for name in ["about.txt", "identities.csv", "passkeys.json", "programs.csv", "notices.json"] {
            let _ = text(name);
        }
    }
}

#[tokio::test]
async fn s48_s101_only_its_person_takes_it_with_a_fresh_proof_and_within_a_day() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        ask(&mut stage.person).await;
        let form = ready(&mut stage.person).await;
        let archive = format!("{}/archive", form.action);
        let mut stranger = Person::new(&stage.product, "stranger@example.com");
        stranger.sign_up().await;
        assert_eq!(stranger.get(&archive).await.status, 404);
        assert_eq!(stranger.post(&form.action, &[]).await.status, 404);
        let mut nobody = Person::new(&stage.product, "nobody@example.com");
        assert!(nobody.get(&archive).await.header("location").starts_with("/console/sign-in"));

        stage.product.age_every_session().await;
        assert_eq!(stage.person.get(&archive).await.header("location"), DATA, "the proof is too old");
        let asked = stage.person.submit_only(&form).await.expect_status(422).text();
        let proof = Form::with(&asked, "confirm_proof").set("confirm_proof", canary::PASSWORD);
        let files = take(&mut stage.person, &proof).await;
        assert!(files.contains_key("account.json"));

        let store = stage.product.database.connect().await;
        let pieces = "select sealed from data_export_part";
        assert!(!rows(&store, pieces).await[0][0].contains(&stage.person.email), "it is kept sealed");
        let told =
            rows(&store, "select event from audit_event where event like 'person.data%' order by seq").await;
        let told: Vec<&str> = told.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(told, ["person.data_asked", "person.data_ready", "person.data_taken"]);
        let day = "select expires_at_ms - ready_at_ms from data_export";
        let kept_ms = number(&store, day).await;
        assert!((24 * 3_600_000 - 60_000..=24 * 3_600_000).contains(&kept_ms), "{kept_ms} ms");
        run(&store, "update data_export set expires_at_ms = 1").await;
        assert_eq!(stage.person.get(&archive).await.status, 404, "it has expired");
        let page = stage.person.open(DATA).await.text();
        assert!(Form::posting_to(&page, "/data/copies/").is_none());
        store.close().await;
    }
}

#[tokio::test]
async fn two_processes_make_one_copy_and_take_over_what_a_dead_one_left() {
    let setup = Setup::default().on(Kind::Postgres);
    let first = setup.start().await;
    let _second = setup.start_beside(&first).await;
    let store = first.database.connect().await;
    let mut person = Person::new(&first, "someone@example.com");
    person.sign_up().await;
    ask(&mut person).await;
    let _ = ready(&mut person).await;
    assert_eq!(number(&store, "select tries from data_export").await, 1, "one of them prepared it");
    assert_eq!(number(&store, "select count(*) from audit_event where event = 'person.data_ready'").await, 1);

    // As if a process had died in the middle of it.
    run(
        &store,
        "update data_export set state = 'waiting', tries = 1, expires_at_ms = null, leased_until_ms = 0",
    )
    .await;
    run(&store, "update data_export_part set sealed = 'half of it'").await;
    let form = ready(&mut person).await;
    let files = take(&mut person, &form).await;
    assert!(files.contains_key("about.txt"));
    assert_eq!(number(&store, "select count(*) from data_export_part where sealed = 'half of it'").await, 0);
    store.close().await;
}
