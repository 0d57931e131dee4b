//! Programs that nobody registered: their id is the address of a document about them, which we fetch.

use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::http::Call;
use bytespike_tests::person::Form;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, Upstream};
use serde_json::{Value, json};

use crate::oauth::{REDIRECT, VERIFIER, answer_in, authorize, checked, post};

/// What a host makes of the address that is asked for.
type Says = Box<dyn Fn(&str) -> Reply + Send>;

/// A host of one document, whose answer a test changes.
struct Host(Upstream);

impl Host {
    async fn start() -> Self {
        let host = Self(Upstream::start(|_| Reply::silence()).await);
        host.says(Box::new(|id| Reply::json(200, &document(id))));
        host
    }

    fn id(&self) -> String {
        format!("{}/client.json", self.0.url())
    }

    /// As a person reads it.
    fn place(&self) -> String {
        self.0.url().replace("http://", "")
    }

    fn says(&self, answer: Says) {
        let id = self.id();
        self.0.answer_with(move |_| answer(&id));
    }
}

fn document(id: &str) -> Value {
    json!({
        "client_id": id, "client_name": "Scribe\u{202E}", "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
        "scope": "profile keys:provision offline_access",
    })
}

async fn stage(kind: Kind) -> Stage {
    Stage::with(|setup| setup.on(kind).settings("[oauth]\nclient_documents = \"any\"\n")).await
}

#[tokio::test]
async fn a_program_with_a_document_is_shown_with_its_host_and_gets_tokens_and_its_document_is_kept() {
    for kind in BOTH {
        let (mut stage, host) = (stage(kind).await, Host::start().await);
        let id = host.id();
        let metadata =
            Call::get(stage.product.at("/.well-known/oauth-authorization-server")).send().await.json();
        assert_eq!(metadata["client_id_metadata_document_supported"], true);
        let asked = authorize(&[("client_id", &id), ("scope", "profile keys:provision offline_access")]);
        let page = stage.person.open(&asked).await.expect_status(200).text();
        let place = host.place();
        assert!(
            page.contains("Scribe<") && page.contains(&place),
            "its name is the word of its host: {page}"
        );
        assert!(page.contains("Nobody has checked this program"), "{page}");

        let form = Form::with(&page, "decision_token").set("decision", "allow");
        let back = stage.person.submit_only(&checked(form)).await.expect_status(200).text();
        let code = answer_in(&back)["code"].clone();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
            ("client_id", &id),
            ("redirect_uri", REDIRECT),
        ];
        let tokens = post(&stage, "/oauth/token", &pairs).await.expect_status(200).json();
        let refresh = tokens["refresh_token"].as_str().expect("it stays connected");
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", id.as_str())];
        let _ = post(&stage, "/oauth/token", &pairs).await.expect_status(200);
        let apps = stage.person.open("/console/apps").await.expect_status(200).text();
        assert!(apps.contains("Scribe"), "{apps}");

        let _ = stage.person.open(&asked).await.expect_status(200);
        assert_eq!(host.0.requests().len(), 1, "a document that is fresh is not fetched again");
        let device = [("client_id", id.as_str()), ("scope", "profile")];
        let device = post(&stage, "/oauth/device_authorization", &device).await;
        assert_eq!(device.expect_status(400).json()["error"], "unauthorized_client");
    }
}

#[tokio::test]
async fn n40_a_document_that_cannot_be_used_is_said_on_a_page_and_never_kept() {
    let (mut stage, host) = (stage(Kind::Sqlite).await, Host::start().await);
    let id = host.id();
    let changed = |field: &'static str, value: Value| {
        move |id: &str| {
            let mut document = document(id);
            document[field] = value.clone();
            Reply::json(200, &document)
        }
    };
    let answers: Vec<(&str, Says)> = vec![
        ("not be fetched", Box::new(|_| Reply::json(302, &json!({})).header("location", "/elsewhere.json"))),
        ("not be fetched", Box::new(|_| Reply::json(404, &json!({})))),
        ("is not JSON", Box::new(|id| Reply::whole(200, "text/html", document(id).to_string().into_bytes()))),
        ("is not JSON", Box::new(|_| Reply::json(200, &json!("text")))),
        ("5 KiB", Box::new(changed("client_uri", json!("x".repeat(6 * 1024))))),
        ("another client_id", Box::new(changed("client_id", json!("https://app.example.com/client.json")))),
        ("holds a secret", Box::new(changed("client_secret", json!("s")))),
        ("redirect addresses", Box::new(changed("redirect_uris", json!(["javascript:alert(1)"])))),
        ("its name", Box::new(changed("client_name", json!("\u{202E}")))),
    ];
    let asked = authorize(&[("client_id", &id), ("scope", "profile")]);
    let many = answers.len();
    for (words, answer) in answers {
        host.says(answer);
        let page = stage.person.open(&asked).await.expect_status(400).text();
        assert!(page.contains(words) && !page.contains("51004"), "{words}: {page}");
    }
    assert_eq!(host.0.requests().len(), many, "no answer was kept, and no redirect followed");
    host.says(Box::new(|id| Reply::json(200, &document(id))));
    let _ = stage.person.open(&asked).await.expect_status(200);
}

#[tokio::test]
async fn n40_an_id_that_is_no_public_https_address_is_never_fetched() {
    let mut stage = stage(Kind::Sqlite).await;
    for id in [
        "http://app.example.com/client.json",
        "https://10.0.0.7/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/client.json",
        "https://app.example.com:22/client.json",
        "https://user@app.example.com/client.json",
        "https://app.example.com/a/../client.json",
        "https://app.example.com",
    ] {
        let page = stage.person.open(&authorize(&[("client_id", id)])).await.expect_status(400).text();
        assert!(page.contains("its id must be"), "{id}: {page}");
    }
}

#[tokio::test]
async fn a_browser_is_not_sent_on_to_a_program_that_nobody_vouches_for_before_its_person_saw_it() {
    let (stage, host) = (stage(Kind::Sqlite).await, Host::start().await);
    let id = host.id();
    for fault in [("prompt", "none"), ("response_type", "token"), ("code_challenge_method", "plain")] {
        let asked = authorize(&[("client_id", &id), ("scope", "profile"), fault]);
        let answer = Call::get(stage.product.at(&asked)).send().await;
        assert_eq!((answer.status, answer.maybe("location")), (400, None), "{fault:?}");
    }
}

#[tokio::test]
async fn documents_count_where_the_operator_lets_them() {
    let host = Host::start().await;
    let (id, place) = (host.id(), host.place());
    let listed = |hosts: &str| {
        format!("[oauth]\nclient_documents = \"listed\"\nclient_document_hosts = [\"{hosts}\"]\n")
    };
    for (settings, status) in [(String::new(), 400), (listed("app.example.com"), 400), (listed(&place), 200)]
    {
        let mut stage = Stage::with(|setup| setup.settings(&settings)).await;
        let page = stage.person.open(&authorize(&[("client_id", &id), ("scope", "profile")])).await;
        assert_eq!(page.status, status, "{settings}");
    }
    assert_eq!(host.0.requests().len(), 1);
}
