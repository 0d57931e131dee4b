//! What the console tells its reader: the end of a key, and calls as they come.

use bytespike_store::{on_database, sqlx};
use bytespike_tests::database::{BOTH, number};
use bytespike_tests::http::Call;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;

#[tokio::test]
async fn a_key_that_ends_tomorrow_is_told_of_once_to_its_holder() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let link = stage.person.invite("dev@example.com", "developer").await;
        let mut developer = Person::new(&stage.product, "dev@example.com");
        developer.sign_up().await;
        developer.accept(&link).await;
        let _ = developer.create_key("nightly", &[("expiry", "7")]).await;
        let store = stage.product.database.connect().await;
        // As if the key had been made long ago, and ended tomorrow; a start looks at once.
        let sql = "update api_key set created_at_ms = created_at_ms - 2592000000, expires_at_ms = created_at_ms + 43200000
                   where name = 'nightly'";
        on_database!(&store, db => sqlx::query(sql).execute(db).await.map(drop)).unwrap();
        for _ in 0..2 {
            stage.product.terminate().await;
            stage.product.ended().await;
            stage.product.start_again().await;
        }
        let started = std::time::Instant::now();
        while number(&store, "select count(*) from outbox where kind = 'key_expiring'").await == 0 {
            assert!(started.elapsed() < bytespike_tests::PATIENCE, "nobody was told");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(number(&store, "select count(*) from outbox where kind = 'key_expiring'").await, 1);
        store.close().await;

        let page = developer.open("/console/notices").await.expect_status(200).text();
        assert!(page.contains("nightly") && page.contains("1 unread"), "{page}");
        let owners = stage.person.open("/console/notices").await.expect_status(200).text();
        assert!(!owners.contains("nightly"), "a person's key is that person's to mind");
        let form = Form::posting_to(&page, "/dismiss").expect("a form");
        let _ = developer.submit(&form).await.expect_status(200);
        let page = developer.open("/console/notices").await.expect_status(200).text();
        assert!(!page.contains("nightly"));
    }
}

#[tokio::test]
async fn calls_are_shown_as_they_come_and_the_page_does_without() {
    let mut stage = Stage::new().await;
    let plain = stage.person.get("/console/calls/live").await.expect_status(303);
    assert_eq!(plain.header("location"), "/console/calls", "who asks for a page gets one");
    let cookies: Vec<String> =
        stage.person.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let watch = Call::get(stage.product.at("/console/calls/live"))
        .header("accept", "text/event-stream")
        .header("cookie", cookies.join("; "));
    let mut stream = watch.stream().await;
    assert_eq!(stream.status, 200);
    let first = stream.next_event().await.expect("the list as it is");
    assert!(!first.data.contains("/console/receipts/"), "{}", first.data);
    let _ = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    let _ = stream.until(|event| event.data.contains("/console/receipts/")).await;
    let nobody = Call::get(stage.product.at("/console/calls/live")).header("accept", "text/event-stream");
    assert_eq!(nobody.send().await.status, 303, "to sign in");
}
