//! Who may not be at the operators' pages, made from their table of addresses: nobody who is signed out, and nobody who is
//! signed in as anything else. A new address is in the matrix by being in the table.

use bytespike_console::admin::routes::ADDRESSES;
use bytespike_tests::database::number;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::operator::{Operator, age_every_session};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{Product, Setup};

/// Well formed, and nobody's.
const NOBODYS: &str = "00000000000000000000000000000000";

/// The address, naming whatever `id` is where it names something.
fn filled(path: &str, id: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/")
}

async fn post(browser: &mut Person, path: &str) -> Answer {
    // The token of a person's own pages, which is the best that a person has.
    browser.post(path, &[("reason", "because"), ("amount", "1")]).await
}

#[tokio::test]
async fn s97_whoever_is_no_operator_is_sent_to_sign_in_or_refused_at_every_address() {
    let product = Setup::default().start().await;
    let mut operator = Operator::new(&product).await;
    let mut owner = Person::new(&product, "owner@example.com");
    owner.sign_up().await;
    let mut nobody = Person::new(&product, "nobody@example.com");
    let mut half = Person::new(&product, "operator@example.com");
    let _ = bytespike_tests::operator::first_step(&mut half).await.expect_status(200);
    let store = product.database.connect().await;
    let changes =
        "select count(*) from audit_event where event not like 'person.%' and event not like 'operator.%'";
    let before = number(&store, changes).await;
    for address in ADDRESSES {
        let mut answers_anything = false;
        for path in [filled(address, NOBODYS), format!("/zh{}", filled(address, NOBODYS))] {
            for (who, browser) in
                [("a visitor", &mut nobody), ("an owner", &mut owner), ("half an operator", &mut half)]
            {
                let read = browser.get(&path).await;
                let to = read.maybe("location").unwrap_or_default().to_owned();
                let sent = to.contains("/admin/sign-in") && matches!(read.status, 303 | 307);
                assert!(sent || read.status == 405, "{who} GET {path}: {} {to}", read.status);
                let written = post(browser, &path).await;
                assert!(matches!(written.status, 403 | 405), "{who} POST {path}: {}", written.status);
                answers_anything |= read.status != 405 || written.status != 405;
            }
        }
        assert!(answers_anything, "{address} is in the table and answers nothing");
        // Without the token of the session an operator's own form is refused too.
        let form = Form {
            action: filled(address, NOBODYS),
            fields: Vec::new(),
            kinds: std::collections::BTreeMap::new(),
        };
        let forged = operator.browser.submit_only(&form).await;
        assert!(matches!(forged.status, 403 | 405), "a forged POST {address}: {}", forged.status);
    }
    assert_eq!(number(&store, changes).await, before, "what was refused changed nothing");
    store.close().await;
}

#[tokio::test]
async fn s94_nothing_is_changed_for_the_installation_without_a_fresh_code() {
    let product = Setup::default().start().await;
    let mut operator = Operator::new(&product).await;
    let page = operator.page("/admin/switches").await;
    let token =
        Form::with(&page, "csrf").fields.into_iter().find(|(name, _)| name == "csrf").expect("a token");
    age_every_session(&product).await;
    let store = product.database.connect().await;
    let before = number(&store, "select count(*) from audit_event").await;
    let mut asked = 0;
    for address in ADDRESSES {
        let form = Form {
            action: filled(address, NOBODYS),
            fields: vec![token.clone(), ("reason".to_owned(), "because".to_owned())],
            kinds: std::collections::BTreeMap::new(),
        };
        let answer = operator.browser.submit_only(&form).await;
        if answer.status != 405 {
            asked += 1;
            let waits = answer.status == 422 && answer.text().contains("confirm_proof");
            assert!(waits, "{address}: {} {}", answer.status, answer.text());
        }
    }
    assert!(asked > 30, "{asked} forms");
    assert_eq!(
        number(&store, "select count(*) from audit_event").await,
        before,
        "what waits changes nothing"
    );
    store.close().await;
}

#[tokio::test]
async fn the_operator_is_let_in_wherever_the_others_were_not() {
    let product = Setup::default().start().await;
    let mut operator = Operator::new(&product).await;
    for address in ADDRESSES {
        let path = filled(address, NOBODYS);
        let answer = operator.browser.get(&path).await;
        let is_missing = address.contains('{') && answer.status == 404;
        // Some want to be told of what: then they lead back to where that is said.
        let leads_on = answer.status == 303 && !answer.header("location").contains("sign-in");
        assert!(matches!(answer.status, 200 | 405) || is_missing || leads_on, "{path}: {}", answer.status);
    }
    let missing = operator.browser.get("/admin/no-such-page").await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn s28_no_spelling_of_an_address_gets_around_the_question_who_is_there() {
    let product = Setup::default().start().await;
    for path in [
        "//admin",
        "/%2e%2e/admin",
        "/admin/",
        "/ADMIN",
        "/admin;x",
        "/./admin",
        "/%61dmin",
        "/admin%2f",
        "/zh//admin",
        "/console/../admin",
    ] {
        let answer = at(&product, path).await;
        assert_ne!(answer.status, 200, "{path}");
        assert!(!answer.text().contains("console-main"), "{path}");
    }
}

async fn at(product: &Product, path: &str) -> Answer {
    Call::get(format!("{}{path}", product.url)).send().await
}
