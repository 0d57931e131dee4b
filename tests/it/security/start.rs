//! How an installation begins: what is refused, who becomes its first operator, and what is off until somebody turns it on.

use std::os::unix::fs::PermissionsExt as _;

use bytespike_store::{on_database, sqlx};
use bytespike_tests::canary;
use bytespike_tests::database::number;
use bytespike_tests::http::Call;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{Setup, binary};
use tempfile::TempDir;
use tokio::process::Command;

/// Runs the binary in a folder to its end; says whether it succeeded and what it printed.
async fn run(folder: &TempDir, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .envs(environment.iter().copied())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(bytespike_tests::PATIENCE, command.output()).await;
    let ended = ended.unwrap_or_else(|_| panic!("{environment:?} started")).unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
}

const KEY: (&str, &str) = ("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY);
const EVERYWHERE: (&str, &str) = ("BYTESPIKE_SERVER__LISTEN", "0.0.0.0:0");
const ADDRESS: (&str, &str) = ("BYTESPIKE_URLS__PUBLIC", "https://spike.example");
const CLOSED: (&str, &str) = ("BYTESPIKE_ACCOUNTS__SIGN_UP", "false");

#[tokio::test]
async fn s143_s117_s51_an_unsafe_installation_does_not_start_and_says_what_to_do() {
    let zeros = "0".repeat(64);
    for (environment, told) in [
        (vec![EVERYWHERE, ADDRESS, CLOSED], "master key"),
        (vec![EVERYWHERE, ADDRESS, CLOSED, ("BYTESPIKE_SECRETS__MASTER_KEY", "changeme")], "32 random bytes"),
        (vec![EVERYWHERE, ADDRESS, CLOSED, ("BYTESPIKE_SECRETS__MASTER_KEY", "sk-1234")], "32 random bytes"),
        (
            vec![
                EVERYWHERE,
                ADDRESS,
                CLOSED,
                ("BYTESPIKE_SECRETS__MASTER_KEY", "6dd71092a0860adf94deb611a3d55f96"),
            ],
            "32 random bytes",
        ),
        (vec![EVERYWHERE, ADDRESS, CLOSED, ("BYTESPIKE_SECRETS__MASTER_KEY", &*zeros)], "not random"),
        (vec![EVERYWHERE, KEY, CLOSED], "urls.public"),
        (vec![EVERYWHERE, KEY, CLOSED, ("BYTESPIKE_URLS__PUBLIC", "http://spike.example")], "in the clear"),
        (vec![EVERYWHERE, KEY, ADDRESS], "mail.smtp_host"),
        (vec![KEY, ("BYTESPIKE_METRICS__BEARER_TOKEN", "short")], "32 characters"),
    ] {
        let folder = TempDir::new().unwrap();
        let (started, said) = run(&folder, &["serve"], &environment).await;
        assert!(!started && said.contains(told), "{environment:?}: {said}");
        assert!(
            !said.contains(canary::MASTER_KEY) && !said.contains("6dd71092a0860adf94deb611a3d55f96"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn s117_the_master_key_comes_from_a_private_file_and_from_no_command_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("own.key");
    std::fs::write(&file, canary::MASTER_KEY).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let named =
        [("BYTESPIKE_SECRETS__MASTER_KEY_FILE", "own.key"), ("BYTESPIKE_SERVER__LISTEN", "127.0.0.1:0")];
    let (started, said) = run(&folder, &["serve"], &named).await;
    assert!(!started && said.contains("chmod 600"), "{said}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (succeeded, said) = run(&folder, &["migrate"], &named).await;
    assert!(succeeded, "{said}");
    for arguments in [["serve", "--master-key", "x"], ["serve", "--secrets.master-key", "x"]] {
        let (started, said) = run(&folder, &arguments, &named).await;
        assert!(!started && said.contains("unexpected argument"), "{said}");
    }
}

#[tokio::test]
async fn s141_of_two_who_open_the_one_time_address_one_becomes_the_operator_and_it_is_gone() {
    let mut product = Setup::default().start().await;
    let token = super::first_operator_token(&product);
    assert!(token.len() >= 32, "190 bits are 32 letters and digits");
    let address = format!("/admin/first?token={token}");
    let kept = product.folder().join("data/first-operator.url");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&kept).unwrap().trim().ends_with(&address));
    let mut forms = Vec::new();
    for name in ["one", "two"] {
        let mut person = Person::new(&product, "unused@example.com");
        let page = person.open(&address).await.expect_status(200).text();
        let form = Form::with(&page, "password")
            .set("name", name)
            .set("email", &format!("{name}@example.com"))
            .set("password", canary::PASSWORD);
        forms.push((person, form));
    }
    let [(mut first, first_form), (mut second, second_form)] = <[_; 2]>::try_from(forms).ok().unwrap();
    let (one, two) = tokio::join!(first.submit_only(&first_form), second.submit_only(&second_form));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
    assert_eq!(first.get(&address).await.status, 404);
    let store = product.database.connect().await;
    assert_eq!(number(&store, "select count(*) from operator").await, 1);
    on_database!(&store, db => sqlx::query("update operator set state = 'disabled'").execute(db).await.map(drop)).unwrap();
    store.close().await;
    product.kill().await;
    let printed = product.log().matches("/admin/first?token=").count();
    product.start_again().await;
    assert_eq!(first.get(&address).await.status, 404);
    assert_eq!(product.log().matches("/admin/first?token=").count(), printed, "no second one is printed");
    assert!(!kept.exists(), "nor kept");
}

#[tokio::test]
async fn s142_s102_there_is_no_way_over_http_to_make_an_operator_or_to_look_as_somebody_else() {
    let product = Setup::default().start().await;
    let description = Call::get(product.at("/api/v1/openapi.json")).send().await.expect_status(200).json();
    let paths: Vec<String> = description["paths"].as_object().expect("paths").keys().cloned().collect();
    assert!(paths.len() > 5);
    let console = bytespike_console::routes::ADDRESSES.iter().map(|address| address.path.to_owned());
    for path in paths.into_iter().chain(console) {
        for word in
            ["impersonate", "view-as", "sign-in-as", "operators/new", "operator/create", "password/set"]
        {
            assert!(!path.contains(word), "{path}");
        }
    }
    for path in ["/admin", "/admin/operators", "/api/v1/operator/operators", "/admin/first"] {
        let sent = Call::new("POST", product.at(path)).header("sec-fetch-site", "same-origin");
        let sent = sent
            .header("content-type", "application/x-www-form-urlencoded")
            .body("email=a%40example.com")
            .send()
            .await;
        assert!(matches!(sent.status, 401 | 403 | 404 | 405), "{path}: {}", sent.status);
    }
    let (made, said) = product.command(&["create-operator"], &[]).await;
    assert!(made && said.contains("/admin/first?token="), "{said}");
}

/// Settings that let something in, or out, and what each is until somebody chooses.
const DEFAULTS: [(&str, &str, &str); 13] = [
    ("server", "listen", "\"127.0.0.1:8080\""),
    ("server", "insecure_http", "false"),
    ("server", "trusted_proxies", "[]"),
    ("server", "extra_hosts", "[]"),
    ("metrics", "bearer_token", "\"\""),
    ("gateway", "private_upstreams", "[]"),
    ("payments", "stripe_secret_key", "\"\""),
    ("payments", "stripe_webhook_secrets", "[]"),
    ("mail", "smtp_security", "\"starttls\""),
    ("reconciliation", "folder", "\"\""),
    ("reconciliation", "anthropic_admin_key", "\"\""),
    ("prices", "export_url", "\"\""),
    // Open, because an installation is for its customers; off this machine it starts only with a mail server (S-143).
    ("accounts", "sign_up", "true"),
];

#[tokio::test]
async fn s148_what_lets_anything_in_or_out_is_off_until_somebody_turns_it_on() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../server/config.default.toml"))
        .unwrap();
    let defaults: toml::Table = text.parse().unwrap();
    for (section, key, value) in DEFAULTS {
        assert_eq!(defaults[section][key].to_string(), value, "{section}.{key}");
    }
    let product = Setup::default().start().await;
    let metadata = Call::get(product.at("/.well-known/oauth-authorization-server"))
        .send()
        .await
        .expect_status(200)
        .json();
    assert!(metadata.get("registration_endpoint").is_none(), "programs do not register themselves");
    assert_eq!(metadata["client_id_metadata_document_supported"], false);
    let register = Call::post(
        product.at("/oauth/register"),
        &serde_json::json!({"redirect_uris": ["https://a.example/"]}),
    );
    assert!(matches!(register.send().await.status, 403..=405));
    let by_document = "/oauth/authorize?response_type=code&client_id=https%3A%2F%2Fa.example%2Fclient.json&redirect_uri=https%3A%2F%2Fa.example%2Fcb&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    assert_eq!(
        Call::get(product.at(by_document)).send().await.status,
        400,
        "no address is fetched to learn of a program"
    );
    let paid = Call::post(product.at("/webhooks/stripe"), &serde_json::json!({}));
    assert_eq!(paid.header("sec-fetch-site", "same-origin").send().await.status, 404, "nobody pays");
}
