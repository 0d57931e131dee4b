//! Invoices of payments: numbered without a gap, frozen, and made for whoever paid and nobody else.

use bytespike_tests::database::{BOTH, Kind, rows};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::Setup;
use bytespike_tests::stripe::{self, Stripe};
use bytespike_tests::upstream::nobody;

use crate::payments::{Shop, paid_in};

/// Says who pays; the answer.
pub(crate) async fn say(person: &mut Person, fields: &[(&str, &str)]) -> (u16, String) {
    let page = person.open("/console/wallet/billing").await.expect_status(200);
    let mut form = Form::with(&page.text(), "legal_name");
    for (name, value) in fields {
        form = form.set(name, value);
    }
    let answer = person.submit_only(&form).await;
    (answer.status, answer.text())
}

/// The page of the newest document.
async fn newest(shop: &mut Shop) -> String {
    let wallet = shop.person.open("/console/wallet").await.expect_status(200).text();
    let listed = wallet.split("href=\"").find(|rest| rest.starts_with("/console/wallet/invoices/inv_"));
    let link = listed.and_then(|rest| rest.split('"').next()).expect("an invoice is listed").to_owned();
    shop.person.open(&link).await.expect_status(200).text()
}

async fn numbers(shop: &Shop) -> Vec<String> {
    let store = shop.product.database.connect().await;
    let found = rows(&store, "select series || number from invoice order by series, number").await;
    store.close().await;
    found.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_payment_has_an_invoice_that_never_changes_and_what_is_undone_has_a_credit_note() {
    for database in BOTH {
        let mut shop = Shop::on(database).await;
        let details = [
            ("legal_name", "Acme <Berlin> GmbH"),
            ("address", "  Straße 5 \r\n\r\n10115 Berlin"),
            ("country", "de"),
            ("tax_kind", "eu_vat"),
            ("tax_number", "de 136 695 976"),
            ("email", "accounts@example.com"),
        ];
        assert_eq!(say(&mut shop.person, &details).await.0, 303);
        let (session, place) = paid_in(&mut shop, "60.50").await;
        let page = newest(&mut shop).await;
        for said in [
            "Invoice INV-000001",
            "Tokens &amp; Söhne GmbH",
            "80331 München",
            "VAT DE136695976",
            "Acme &lt;Berlin&gt; GmbH",
            "Straße 5",
            "DE136695976",
            "$60.50",
            "60,500,000.000",
            "1,815,000.000",
            "reverse charge",
            "Nothing is left to pay",
        ] {
            assert!(page.contains(said), "{said}");
        }
        // What was printed stays, whatever is said later.
        assert_eq!(say(&mut shop.person, &[("legal_name", "Other Ltd"), ("tax_number", "")]).await.0, 303);
        assert!(newest(&mut shop).await.contains("Acme &lt;Berlin&gt; GmbH"));

        shop.tell("refund.created", &stripe::given_back("re_1", &session, (3_025, "succeeded"))).await;
        shop.tell("refund.created", &stripe::given_back("re_1", &session, (3_025, "succeeded"))).await;
        let page = newest(&mut shop).await;
        for said in ["Credit note CN-000001", "INV-000001", "−$30.25", "Other Ltd", "Given back at Stripe"]
        {
            assert!(page.contains(said), "{said}");
        }
        assert!(!page.contains("Nothing is left to pay"));
        shop.tell("refund.failed", &stripe::given_back("re_1", &session, (3_025, "failed"))).await;
        let page = newest(&mut shop).await;
        assert!(
            page.contains("Invoice INV-000002")
                && page.contains("CN-000001")
                && page.contains("Came in again")
        );
        let order = shop.person.open(&place).await.expect_status(200).text();
        assert_eq!(order.matches("/wallet/invoices/inv_").count(), 3, "its page lists all of them");
        assert_eq!(numbers(&shop).await, ["CN-1", "INV-1", "INV-2"]);
        let told = shop.read("select count(*) from outbox where kind = 'invoice_issued' and payload_json like '%accounts@example.com%'");
        assert_eq!(told.await, 3);
        let store = shop.product.database.connect().await;
        for sql in ["update invoice set amount_minor = 1", "delete from invoice"] {
            let refused = bytespike_store::on_database!(&store, db => bytespike_store::sqlx::query(sql).execute(db).await.map(drop));
            assert!(refused.is_err(), "{sql}");
        }
        store.close().await;
        shop.rules_hold().await;
    }
}

#[tokio::test]
async fn numbers_have_no_gap_however_many_pay_and_whichever_process_hears_of_it() {
    let stripe = Stripe::start().await;
    let setup = stripe.wire(Setup::scripted(&nobody().await).on(Kind::Postgres).trial_grant(0));
    let mut shop = Shop::open(stripe, &setup).await;
    let second = setup.start_beside(&shop.product).await;
    let mut events = Vec::new();
    for _ in 0..12 {
        let (session, _) = shop.order(&[("amount", "20"), ("currency", "usd")]).await;
        let session = shop.stripe.pay(session["id"].as_str().expect("an id"));
        for kind in ["completed", "async_payment_succeeded"] {
            events.push(shop.stripe.event(&format!("checkout.session.{kind}"), &session));
        }
    }
    let mut sent = tokio::task::JoinSet::new();
    for (n, event) in events.into_iter().enumerate() {
        let url = if n % 2 == 0 { shop.product.url.clone() } else { second.url.clone() };
        sent.spawn(async move { stripe::send_to(&url, &event).await.status });
    }
    assert!(sent.join_all().await.iter().all(|status| *status == 200));
    let mut expected: Vec<String> = (1..=12).map(|n| format!("INV-{n}")).collect();
    let mut found = numbers(&shop).await;
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(shop.read("select max(last_number) from invoice_series").await, 12, "no number was lost");
}

#[tokio::test]
async fn without_a_seller_nothing_is_issued_and_everything_follows_when_there_is_one() {
    let stripe = Stripe::start().await;
    let setup = stripe.wire_without_seller(Setup::scripted(&nobody().await).trial_grant(0));
    let mut shop = Shop::open(stripe, &setup).await;
    let (session, _) = paid_in(&mut shop, "20").await;
    shop.tell("refund.created", &stripe::given_back("re_1", &session, (500, "succeeded"))).await;
    let wallet = shop.person.open("/console/wallet").await.expect_status(200).text();
    assert!(wallet.contains("has not said who sells") && !wallet.contains("/wallet/invoices/"));
    let zh = shop.person.open("/zh/console/wallet").await.expect_status(200).text();
    assert!(zh.contains("暂不开具付款凭证"));
    shop.product.terminate().await;
    let _ = shop.product.ended().await;
    let settings = [
        ("BYTESPIKE_SECRETS__MASTER_KEY", bytespike_tests::canary::MASTER_KEY),
        ("BYTESPIKE_PAYMENTS__SELLER__NAME", "Latecomer Ltd"),
        ("BYTESPIKE_PAYMENTS__SELLER__ADDRESS", "[\"High Street 1\"]"),
    ];
    shop.product.start_again_with(&settings).await;
    // The job that finishes payments runs as soon as the process does.
    bytespike_tests::until("both are issued", async || numbers(&shop).await.len() >= 2).await;
    assert_eq!(numbers(&shop).await, ["CN-1", "INV-1"]);
    assert!(newest(&mut shop).await.contains("Latecomer Ltd"));
}

#[tokio::test]
async fn what_is_wrong_with_billing_details_is_said_at_its_field() {
    let mut shop = Shop::on(Kind::Sqlite).await;
    for (field, value, words) in [
        ("legal_name", "x".repeat(161), "At most 160 characters"),
        ("address", "a\nb\nc\nd\ne\nf\ng".to_owned(), "At most six lines"),
        ("country", "EU".to_owned(), "two-letter code"),
        ("email", "nobody".to_owned(), "accounts@example.com"),
        ("tax_number", "12-3456789".to_owned(), "Choose the type of tax number"),
    ] {
        let (status, page) = say(&mut shop.person, &[(field, &value)]).await;
        assert!(status == 422 && page.contains(words), "{field}");
    }
    for (kind, number, words) in [
        ("cn_uscc", "91350100M000100Y34", "check digit does not fit"),
        ("gb_vat", "GB980780685", "check digit does not fit"),
        ("eu_vat", "DE12", "does not look like"),
        ("us_ein", "00-1234567", "does not look like"),
    ] {
        let (status, page) = say(&mut shop.person, &[("tax_kind", kind), ("tax_number", number)]).await;
        assert!(status == 422 && page.contains(words), "{number}");
    }
    assert_eq!(shop.read("select count(*) from billing_details").await, 0);
    let both = [
        ("tax_kind", "cn_uscc"),
        ("tax_number", "91350100m000100y43"),
        ("tax_second_kind", "us_ein"),
        ("tax_second_number", "123456789"),
    ];
    assert_eq!(say(&mut shop.person, &both).await.0, 303);
    let page = shop.person.open("/console/wallet/billing").await.expect_status(200).text();
    assert!(page.contains("91350100M000100Y43") && page.contains("12-3456789"));
    let audit = shop.person.open("/console/audit").await.expect_status(200).text();
    assert!(audit.contains("Billing details changed") && audit.contains("12-3456789"));
}
