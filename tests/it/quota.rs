//! Limits in the console: what a member sees, asking for more and being answered, and many limits at once.

use bytespike_store::{on_database, sqlx};
use bytespike_tests::PATIENCE;
use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::limits::{admin, node, set};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use serde_json::json;

/// Someone who is a developer in the stage's organisation.
async fn developer(stage: &Stage) -> Person {
    let mut person = Person::new(&stage.product, "developer@example.com");
    person.sign_up().await;
    let store = stage.product.database.connect().await;
    let join = "insert into member (id, org_id, person_id, role, created_at_ms)
        select 'mem_developer', owner.org_id, joining.id, 'developer', 0
        from member owner join person on person.id = owner.person_id and person.email_key = 'someone@example.com',
             person joining where joining.email_key = 'developer@example.com'";
    on_database!(&store, db => sqlx::query(join).execute(db).await.map(drop)).unwrap();
    store.close().await;
    // The organisation joined first is the one they see after signing in.
    let mut again = Person::new(&stage.product, "developer@example.com");
    again.sign_in().await;
    again
}

async fn limit_nano(stage: &Stage, node: &str) -> String {
    let store = stage.product.database.connect().await;
    let all = rows(&store, "select node_id, limit_nano from spend_limit where window_kind = '1d'").await;
    store.close().await;
    all.iter().find(|row| row[0] == node).map_or_else(String::new, |row| row[1].clone())
}

#[tokio::test]
async fn a_member_asks_for_more_an_admin_grants_it_for_a_time_and_it_ends() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let admin = admin(&mut stage).await;
        let mut developer = developer(&stage).await;
        let key = developer.create_key("mine", &[]).await;
        let member = "mem:mem_developer";
        set(&stage, &admin, &format!("{member}/1d"), &json!({"limit_credits": "10"})).await;
        // What refuses the call is what the page says, and where to ask.
        let refused =
            Speaker::OpenAi.call(&stage.product.url, &key, &Speaker::OpenAi.ask(CLAUDE, false)).send().await;
        assert_eq!(refused.status, 429, "{}", refused.text());
        let page = developer.open("/console/limits").await.expect_status(200).text();
        assert!(page.contains("$0.00001") && page.contains("/console/limits/ask?node=mem"), "{page}");
        assert!(!page.contains("/console/limits/several"), "a developer sets no limits");

        let form =
            developer.open(&format!("/console/limits/ask?node={member}&limit=1d")).await.expect_status(200);
        let form = Form::with(&form.text(), "wanted").set("wanted", "0.00001").set("reason", "  a launch ");
        let too_little = developer.submit(&form).await;
        assert_eq!(too_little.status, 422, "no more than it is now");
        let _ = developer.submit(&form.clone().set("wanted", "0.005")).await.expect_status(200);
        let page = developer.open("/console/limits").await.expect_status(200).text();
        assert!(page.contains("a launch") && page.contains("/withdraw"));

        // The admin finds it, and whoever asked may not answer it.
        let page = stage.person.open("/console/limits").await.expect_status(200).text();
        let at = page.find("/console/limits/requests/").expect("a request that waits");
        let path = page[at..].split('"').next().unwrap().to_owned();
        assert_eq!(developer.open(&path).await.status, 403);
        let form = stage.person.open(&path).await.expect_status(200).text();
        assert!(form.contains("a launch"));
        let form =
            Form::with(&form, "granted").set("granted", "0.004").set("until", "7").set("decision", "grant");
        let _ = stage.person.submit(&form).await.expect_status(200);
        assert_eq!(limit_nano(&stage, member).await, "4000000");
        assert_eq!(stage.person.submit_only(&form).await.status, 404, "answered once");
        let _ = Speaker::OpenAi
            .call(&stage.product.url, &key, &Speaker::OpenAi.ask(CLAUDE, false))
            .send()
            .await
            .expect_status(200);
        let page = developer.open("/console/limits").await.expect_status(200).text();
        assert!(page.contains("$0.004"), "{page}");

        let store = stage.product.database.connect().await;
        let told =
            rows(&store, "select kind, subject from outbox where kind like 'quota_%' order by kind desc")
                .await;
        let both = [["quota_requested", member], ["quota_decided", member]];
        assert_eq!(told, both.map(|one| one.map(str::to_owned).to_vec()));
        let events =
            rows(&store, "select event from audit_event where event like 'quota.%' order by seq").await;
        assert_eq!(events, [["quota.requested".to_owned()], ["quota.granted".to_owned()]]);
        // Its time passes, and the very next call finds the limit as it was: no job has to come by for that.
        let pass = "update spend_limit set grant_ends_at_ms = 1 where grant_ends_at_ms is not null";
        let passed =
            on_database!(&store, db => sqlx::query(pass).execute(db).await.map(|done| done.rows_affected()));
        assert_eq!(passed.unwrap(), 1, "the grant stands in the limit");
        let refused =
            Speaker::OpenAi.call(&stage.product.url, &key, &Speaker::OpenAi.ask(CLAUDE, false)).send().await;
        assert_eq!(refused.status, 429, "{}", refused.text());
        assert_eq!(limit_nano(&stage, member).await, "4000000", "which nothing has written down yet");
        let page = developer.open("/console/limits").await.expect_status(200).text();
        assert!(page.contains("$0.00001"), "and pages say so: {page}");
        on_database!(&store, db => sqlx::query("update quota_request set ends_at_ms = 1").execute(db).await.map(drop)).unwrap();
        store.close().await;
        let started = std::time::Instant::now();
        while limit_nano(&stage, member).await != "10000" {
            assert!(started.elapsed() < PATIENCE, "the grant does not end");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let store = stage.product.database.connect().await;
        while rows(&store, "select seq from audit_event where event = 'quota.ended'").await.is_empty() {
            assert!(started.elapsed() < PATIENCE, "the end is not written down");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_request_is_declined_or_taken_back_and_nothing_changes() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let mut developer = developer(&stage).await;
    let org = node(&stage, &admin, "org:", "").await;
    set(&stage, &admin, &format!("{org}/1d"), &json!({"limit_credits": "900"})).await;
    let ask = async |developer: &mut Person| {
        let form =
            developer.open(&format!("/console/limits/ask?node={org}&limit=1d")).await.expect_status(200);
        let form = Form::with(&form.text(), "wanted").set("wanted", "9").set("reason", "more");
        developer.submit(&form).await.expect_status(200).text()
    };
    let page = ask(&mut developer).await;
    let back = Form::posting_to(&page, "/withdraw").expect("a way to take it back");
    let _ = developer.submit(&back).await.expect_status(200);
    assert!(!stage.person.open("/console/limits").await.text().contains("/console/limits/requests/"));
    ask(&mut developer).await;
    let page = stage.person.open("/console/limits").await.expect_status(200).text();
    let at = page.find("/console/limits/requests/").expect("a request that waits");
    let path = page[at..].split('"').next().unwrap().to_owned();
    let form = Form::with(&stage.person.open(&path).await.text(), "granted");
    let form = form.set("decision", "decline").set("answer", "next month");
    let _ = stage.person.submit(&form).await.expect_status(200);
    assert_eq!(limit_nano(&stage, &org).await, "900000");
    let page = developer.open("/console/limits").await.expect_status(200).text();
    assert!(page.contains("next month"), "{page}");
    // What is not on one's way is not asked about.
    let foreign = developer.open("/console/limits/ask?node=mem:mem_other&limit=1d").await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn many_limits_are_set_at_once_or_none_of_them() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let (org, member) = (node(&stage, &admin, "org:", "").await, node(&stage, &admin, "mem:", "").await);
    let key = node(&stage, &admin, "key:", "test").await;
    set(&stage, &admin, &format!("{org}/1d"), &json!({"limit_credits": "5000"})).await;
    let page = stage.person.open("/console/limits").await.expect_status(200).text();
    let form = |value: &str| {
        let mut form = Form::with(&page, "which").set("which", "1d").set("value", value);
        form.fields.extend([("node".to_owned(), member.clone()), ("node".to_owned(), key.clone())]);
        form
    };
    let refused = stage.person.submit(&form("1")).await;
    assert_eq!(refused.status, 422, "a dollar is more than the organisation has");
    assert_eq!(limit_nano(&stage, &member).await + &limit_nano(&stage, &key).await, "");
    let _ = stage.person.submit(&form("0.004")).await.expect_status(200);
    assert_eq!(
        (limit_nano(&stage, &member).await, limit_nano(&stage, &key).await),
        ("4000000".to_owned(), "4000000".to_owned())
    );
    let _ = stage.person.submit(&form("")).await.expect_status(200);
    assert_eq!(limit_nano(&stage, &member).await, "", "empty removes");
    let mut none = Form::with(&page, "which").set("which", "1d").set("value", "1");
    assert_eq!(stage.person.submit(&none).await.status, 422);
    none.fields.push(("node".to_owned(), "mem:mem_other".to_owned()));
    assert_eq!(stage.person.submit(&none).await.status, 422, "nothing of another organisation is set");
    let mut developer = developer(&stage).await;
    none.fields.retain(|(name, _)| name != "csrf");
    let token = Form::with(&developer.open("/console/keys/new").await.text(), "name");
    let token = token.fields.into_iter().find(|(name, _)| name == "csrf").unwrap();
    none.fields.push(token);
    assert_eq!(developer.submit_only(&none).await.status, 403);
    assert_eq!(developer.open(&format!("/console/limits/node/{org}")).await.status, 403);
}

#[tokio::test]
async fn what_a_member_or_the_organisation_allows_binds_every_key_below() {
    let mut stage = Stage::new().await;
    let admin = admin(&mut stage).await;
    let (org, member) = (node(&stage, &admin, "org:", "").await, node(&stage, &admin, "mem:", "").await);
    let call = async |stage: &Stage| {
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.status
    };
    let rule = async |stage: &mut Stage, node: &str, field: &str, value: &str| {
        let page = stage.person.open(&format!("/console/limits/node/{node}")).await.expect_status(200);
        let form = Form::with(&page.text(), "models").set(field, value);
        stage.person.submit(&form).await.status
    };
    assert_eq!((rule(&mut stage, &member, "models", GPT).await, call(&stage).await), (200, 403));
    assert_eq!((rule(&mut stage, &member, "models", "").await, call(&stage).await), (200, 200));
    assert_eq!((rule(&mut stage, &org, "ips", "203.0.113.0/24").await, call(&stage).await), (200, 403));
    assert_eq!(rule(&mut stage, &org, "ips", "elsewhere").await, 422);
    assert_eq!((rule(&mut stage, &org, "ips", "").await, call(&stage).await), (200, 200));
    assert_eq!((rule(&mut stage, &org, "inference", "").await, call(&stage).await), (200, 403));
    let store = stage.product.database.connect().await;
    let events = rows(&store, "select target from audit_event where event = 'rule.set'").await;
    assert_eq!(events.len(), 5, "{events:?}");
    store.close().await;
}
