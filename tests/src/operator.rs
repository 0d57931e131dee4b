//! Somebody who runs the installation, at the operators' pages.

use bytespike_store::{on_database, sqlx};

use crate::authenticator::App;
use crate::canary;
use crate::http::Answer;
use crate::person::{Form, Person};
use crate::product::Product;

/// An operator with a browser and an authenticator app.
pub struct Operator {
    pub browser: Person,
    pub app: App,
    /// The code that turned the second factor on.
    pub spent_code: String,
    /// As they were shown, once.
    pub recovery_codes: Vec<String>,
}

impl Operator {
    /// Makes one on the host, and signs in for the first time.
    pub async fn new(product: &Product) -> Self {
        Self::named(product, "operator@example.com").await
    }

    /// As [`Self::new`], with an address of their own.
    pub async fn named(product: &Product, email: &str) -> Self {
        let made = product.run(&["operator", "create", email, "--name", "Olga"], canary::PASSWORD).await;
        assert!(made.success, "{}", made.output);
        let mut browser = Person::new(product, email);
        let page = first_step(&mut browser).await.expect_status(200).text();
        let app = App::typed(&page);
        let spent_code = app.code(-1);
        let form = Form::posting_to(&page, "sign-in/set-up").expect("a form").set("code", &spent_code);
        let shown = browser.submit(&form).await.expect_status(200).text();
        let codes = shown.split("<code translate=\"no\">").skip(1);
        let codes = codes.filter_map(|rest| rest.split('<').next().map(str::to_owned));
        Self { browser, app, spent_code, recovery_codes: codes.collect() }
    }

    /// Opens a page that has to be there.
    pub async fn page(&mut self, path: &str) -> String {
        self.browser.open(path).await.expect_status(200).text()
    }

    /// Fills in the form of a page that posts to an address ending with `part`, and shows the answer itself.
    pub async fn send(&mut self, page: &str, part: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.page(page).await;
        let mut form =
            Form::posting_at(&page, part).unwrap_or_else(|| panic!("no form to {part} on:\n{page}"));
        for (name, value) in fields {
            form = form.set(name, value);
        }
        self.browser.submit_only(&form).await
    }
}

/// The password, and whatever follows it.
pub async fn first_step(browser: &mut Person) -> Answer {
    let page = browser.open("/admin/sign-in").await.expect_status(200).text();
    let form = Form::posting_to(&page, "/admin/sign-in").expect("a form");
    let form = form.set("email", &browser.email).set("password", canary::PASSWORD);
    browser.submit(&form).await
}

/// As if every operator had proven themselves long ago.
pub async fn age_every_session(product: &Product) {
    let store = product.database.connect().await;
    let changed = on_database!(&store, db => sqlx::query("update operator_session set confirmed_at_ms = 0")
        .execute(db).await.map(|done| done.rows_affected()));
    assert!(changed.expect("changed") > 0);
    store.close().await;
}
