//! Keys: shown once, recognised afterwards, refused from the moment they are revoked.

use bytespike_tests::http::Call;
use bytespike_tests::person::{Form, Person, key_in, link_containing};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, nano};

#[tokio::test]
async fn s119_s120_a_key_is_shown_once_and_stored_nowhere() {
    let mut stage = Stage::new().await;
    let keys = stage.person.open("/console/keys").await.expect_status(200).text();
    assert!(keys.contains("test"), "the key's name is listed");
    assert!(key_in(&keys).is_none() && !keys.contains(&stage.key[20..]), "the key itself is not");
    assert!(!stage.product.log().contains(&stage.key));
    let store = stage.product.database.connect().await;
    let stored = bytespike_tests::database::rows(&store, "select * from api_key_credential").await;
    assert!(!stored.is_empty());
    assert!(
        !stored.iter().flatten().any(|field| field.contains(&stage.key[21..53])),
        "the secret part is not stored"
    );
    store.close().await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_its_running_stream_is_cut_and_charged_for_what_was_delivered() {
    let mut stage = Stage::new().await;
    let speaker = Speaker::Anthropic;
    let mut body = speaker.ask(CLAUDE, true);
    body["messages"][0]["content"] = "scene:slow".into();
    let mut stream = stage.stream(speaker, &body).await;
    let receipt_id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
    stream.until(|event| speaker.text_in(event).contains("Hello")).await;

    revoke(&mut stage.person, "test").await;
    for speaker in SPEAKERS {
        let answer = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(401);
        speaker.error(&answer);
    }
    let (rest, _) = stream.rest_or_cut().await;
    assert!(!speaker.ended_well(&rest.events()), "the stream was cut: {}", rest.text());
    let receipt = stage.stored_receipt(&receipt_id).await;
    assert_eq!(receipt["outcome"], "settled", "{receipt}");
    assert!(nano(&receipt["charged"]["credits"]) > 0, "{receipt}");
}

pub(crate) async fn revoke(person: &mut Person, name: &str) {
    let keys = person.open("/console/keys").await.expect_status(200).text();
    let row = keys.split("<tr").find(|row| row.contains(&format!(">{name}<"))).expect("the key's row");
    let link = row
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .find(|link| link.contains("/console/keys/"));
    let detail = person.open(link.expect("a link to the key")).await.expect_status(200).text();
    let confirm = match link_to_revoke(&detail) {
        Some(page) => person.open(&page).await.expect_status(200).text(),
        None => detail,
    };
    let form = Form::posting_to(&confirm, "revoke").expect("a form that revokes").set("confirm", name);
    let _ = person.submit(&form).await.expect_status(200);
}

fn link_to_revoke(page: &str) -> Option<String> {
    link_containing(page, "/revoke").or_else(|| {
        page.split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .find(|link| link.ends_with("/revoke"))
            .map(str::to_owned)
    })
}

#[tokio::test]
async fn s101_a_key_of_one_organisation_reads_no_receipt_of_another() {
    let stage = Stage::new().await;
    let answer =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    let mut stranger = Person::new(&stage.product, "stranger@example.com");
    stranger.sign_up().await;
    let key = stranger.create_key("other", &[]).await;
    let url = stage.product.at(&format!("/v1/receipts/{}", answer.header("x-receipt-id")));
    assert_eq!(Call::get(url).header("x-api-key", key).send().await.status, 404);
}

#[tokio::test]
async fn s34_signing_up_needs_a_confirmed_address_and_a_wrong_password_tells_nothing() {
    let stage = Stage::new().await;
    let mut stranger = Person::new(&stage.product, "nobody@example.com");
    let unknown = wrong_sign_in(&mut stranger).await;
    let mut known = Person::new(&stage.product, &stage.person.email);
    let wrong = wrong_sign_in(&mut known).await;
    assert_eq!(unknown.0, wrong.0);
    let plain = |text: &str, email: &str| {
        text.replace(email, "EMAIL")
            .lines()
            .filter(|l| !l.contains("csrf") && !l.contains("nonce"))
            .collect::<String>()
    };
    assert_eq!(plain(&unknown.1, "nobody@example.com").len(), plain(&wrong.1, &known.email).len());
}

async fn wrong_sign_in(person: &mut Person) -> (u16, String) {
    let page = person.open("/console/sign-in").await.expect_status(200);
    let form = Form::with(&page.text(), "password")
        .set("email", &person.email.clone())
        .set("password", "not the password at all");
    let answer = person.submit(&form).await;
    (answer.status, answer.text())
}

#[tokio::test]
async fn s15_a_form_from_another_site_is_refused() {
    let mut stage = Stage::new().await;
    let page = stage.person.open("/console/keys/new").await.expect_status(200);
    let form = Form::with(&page.text(), "name").set("name", "stolen");
    let call = Call::new("POST", stage.product.at(&form.action))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .body("name=stolen");
    assert_eq!(call.send().await.status, 403);
    assert!(!stage.person.open("/console/keys").await.text().contains("stolen"));
}
