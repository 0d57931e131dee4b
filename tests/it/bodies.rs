//! What calls are asked and answered: kept only where an org turned it on, shown to its own people, sealed, and gone when its
//! time is over or somebody says so.

use bytespike_store::{Store, on_database, sqlx};
use bytespike_tests::canary;
use bytespike_tests::database::{BOTH, Kind, number, rows};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::operator::Operator;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{CLAUDE, GPT, Setup};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::until;
use bytespike_tests::upstream::{Upstream, scenes};
use serde_json::{Value, json};

const SETTING: &str = "/console/settings/bodies";
const COUNT: &str = "select count(*) from call_body";
/// Markup, and what a model answers with.
const PROMPT: &str = "scene:text <script>alert('kept')</script> & \u{7} \"quoted\" 秘密";

async fn run(store: &Store, sql: &'static str) {
    on_database!(store, db => sqlx::query(sql).execute(db).await.map(drop)).unwrap();
}

async fn turn_on(person: &mut Person, days: &str) {
    let page = person.open(SETTING).await.expect_status(200).text();
    let form = Form::posting_at(&page, "/bodies/on").expect("a form").set("days", days);
    let answer = person.submit_only(&form).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}

async fn turn_off(person: &mut Person) {
    let page = person.open(SETTING).await.expect_status(200).text();
    let form = Form::posting_at(&page, "/bodies/off").expect("a form");
    assert_eq!(person.submit_only(&form).await.status, 303);
}

/// Waits until what so many calls said is kept.
async fn kept(store: &Store, count: i64) {
    until("what the calls said is kept", async || number(store, COUNT).await == count).await;
}

fn ask(model: &str, stream: bool, prompt: &str) -> Value {
    json!({"model": model, "max_tokens": 64, "stream": stream, "messages": [{"role": "user", "content": prompt}]})
}

fn page_of(receipt_id: &str) -> String {
    format!("/console/receipts/{receipt_id}")
}

async fn take(person: &mut Person, receipt_id: &str, side: &str) -> Answer {
    person.get(&format!("{}/{side}.txt", page_of(receipt_id))).await
}

fn id_of(answer: &Answer) -> String {
    answer.header("x-receipt-id").to_owned()
}

#[tokio::test]
async fn nothing_is_kept_until_it_is_turned_on_and_then_whole_and_streamed_calls_are() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let store = stage.product.database.connect().await;
        let before = stage.ask(Speaker::Anthropic, &ask(CLAUDE, false, PROMPT)).await.expect_status(200);
        let page = stage.person.open(SETTING).await.text();
        assert!(page.contains("Nothing is kept.") && Form::posting_at(&page, "/bodies/off").is_none());
        assert!(
            stage.person.open("/console/calls").await.text().contains("Prompts and answers are not kept.")
        );
        let receipt = stage.person.open(&page_of(&id_of(&before))).await.text();
        assert!(receipt.contains("keeps no prompts and answers") && !receipt.contains("秘密"), "{receipt}");

        turn_on(&mut stage.person, "7").await;
        assert!(stage.person.open("/zh/console/calls").await.text().contains("提示词和回答保留 7 天"));
        let mut count = 0;
        for speaker in SPEAKERS {
            for stream in [false, true] {
                for model in [CLAUDE, GPT] {
                    let body = ask(model, stream, PROMPT);
                    let answer = stage.ask(speaker, &body).await.expect_status(200);
                    count += 1;
                    kept(&store, count).await;
                    let id = id_of(&answer);
                    let request = take(&mut stage.person, &id, "request").await.expect_status(200);
                    assert_eq!(request.body, body.to_string().as_bytes(), "as it came");
                    let response = take(&mut stage.person, &id, "response").await.expect_status(200);
                    assert_eq!(
                        response.text(),
                        answer.text(),
                        "as it was sent: {speaker:?} {stream} {model}"
                    );
                    assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
                    assert!(response.header("content-disposition").contains("attachment"));
                }
            }
        }
        let last = rows(
            &store,
            "select receipt_id from call_body order by kept_at_ms desc, receipt_id desc limit 1",
        )
        .await;
        let page = stage.person.open(&page_of(&last[0][0])).await.expect_status(200).text();
        assert!(page.contains("&lt;script") && !page.contains("<script>alert("), "{page}");
        assert!(page.contains("秘密") && page.contains("Kept until") && !page.contains('\u{7}'), "{page}");
        let receipt = stage.person.open(&page_of(&id_of(&before))).await.text();
        assert!(receipt.contains("Nothing is kept of this call"), "a call from before it was turned on");
        store.close().await;
    }
}

#[tokio::test]
async fn a_call_that_fails_is_kept_with_its_error_and_one_that_is_hung_up_on_as_far_as_it_came() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let store = stage.product.database.connect().await;
        turn_on(&mut stage.person, "1").await;
        let failed = stage.ask(Speaker::OpenAi, &ask(GPT, false, "scene:status-500")).await;
        assert!(failed.status >= 500, "{}", failed.status);
        let broken = stage.ask(Speaker::Anthropic, &ask(CLAUDE, true, "scene:break")).await;
        kept(&store, 2).await;
        for (answer, status) in [(&failed, failed.status), (&broken, 200)] {
            let id = id_of(answer);
            let response = take(&mut stage.person, &id, "response").await.expect_status(200);
            assert_eq!(response.text(), answer.text());
            let page = stage.person.open(&page_of(&id)).await.text();
            assert!(page.contains(&format!("status {status}")), "{page}");
        }
        let mut slow = stage.stream(Speaker::Anthropic, &ask(CLAUDE, true, "scene:slow")).await;
        let id = slow.headers.get("x-receipt-id").expect("an id").to_str().expect("text").to_owned();
        let _ = slow.until(|event| event.data.contains("Hello ")).await;
        drop(slow);
        kept(&store, 3).await;
        let response = take(&mut stage.person, &id, "response").await.expect_status(200).text();
        assert!(response.contains("Hello ") && !response.contains("message_stop"), "{response}");
        // What was refused before it held anything has no receipt to stand on.
        let refused = stage.ask(Speaker::Anthropic, &ask("no-such-model", false, PROMPT)).await;
        assert!(refused.status == 404 && refused.maybe("x-receipt-id").is_none());
        let _ = stage.ask(Speaker::Anthropic, &ask(CLAUDE, false, PROMPT)).await.expect_status(200);
        kept(&store, 4).await;
        store.close().await;
    }
}

#[tokio::test]
async fn what_is_long_is_cut_and_media_are_left_out() {
    let mut stage = Stage::new().await;
    let store = stage.product.database.connect().await;
    turn_on(&mut stage.person, "1").await;
    let long = format!("scene:text {}", "word ".repeat(60_000));
    let cut = id_of(&stage.ask(Speaker::Anthropic, &ask(CLAUDE, false, &long)).await);
    let media = "iVBORw0KGgo/".repeat(50_000);
    let image =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": media}});
    let mut body = ask(CLAUDE, false, "");
    body["messages"][0]["content"] = json!([image, {"type": "text", "text": "scene:text after the picture"}]);
    let pictured = id_of(&stage.ask(Speaker::Anthropic, &body).await.expect_status(200));
    kept(&store, 2).await;
    let text = take(&mut stage.person, &cut, "request").await.expect_status(200).text();
    assert!(text.len() < (256 << 10) + 100 && text.len() > 250 << 10, "{}", text.len());
    assert!(
        text.ends_with("bytes is kept]\n") && text.contains("[cut: only the first part of 300,"),
        "{}",
        &text[text.len() - 90..]
    );
    assert!(stage.person.open(&page_of(&cut)).await.text().contains("Only the first part is kept."));
    let text = take(&mut stage.person, &pictured, "request").await.expect_status(200).text();
    assert!(
        text.contains("iVBORw0KGgo") && text.contains("after the picture") && text.len() < 1_000,
        "{text}"
    );
    assert_eq!(number(&store, "select max(length(request_sealed)) / 1024 from call_body_text").await, 341);
    store.close().await;
}

#[tokio::test]
async fn s119_what_is_kept_is_sealed_in_the_database_and_in_no_log() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let store = stage.product.database.connect().await;
        turn_on(&mut stage.person, "30").await;
        for stream in [false, true] {
            let _ = stage.ask(Speaker::Anthropic, &ask(CLAUDE, stream, PROMPT)).await.expect_status(200);
        }
        kept(&store, 2).await;
        let all = [
            rows(&store, "select * from call_body").await,
            rows(&store, "select * from call_body_text").await,
            rows(&store, "select * from body_period").await,
            rows(&store, "select * from receipt").await,
            rows(&store, "select * from audit_event").await,
        ];
        let all: Vec<&String> = all.iter().flatten().flatten().collect();
        assert!(all.len() > 30);
        for text in all {
            canary::check("the database", text.as_bytes());
            assert!(!text.contains("秘密") && !text.contains("scripted provider"), "{text}");
        }
        if database == Kind::Sqlite {
            let path = stage.product.database.url().strip_prefix("sqlite:").expect("a file").to_owned();
            for file in [path.clone(), format!("{path}-wal")] {
                let bytes = std::fs::read(&file).unwrap_or_default();
                assert!(!bytes.windows(6).any(|six| six == "秘密".as_bytes()), "{file}");
            }
        }
        assert!(!stage.product.log().contains("秘密"));
        store.close().await;
    }
}

#[tokio::test]
async fn s89_only_owners_admins_and_whoever_holds_the_key_read_and_delete_it() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let store = stage.product.database.connect().await;
        turn_on(&mut stage.person, "30").await;
        let mut members = crate::idor::members(&mut stage).await;
        let owners = id_of(&stage.ask(Speaker::Anthropic, &ask(CLAUDE, false, PROMPT)).await);
        let (_, developer) = members.iter_mut().find(|(role, _)| role.as_str() == "developer").expect("one");
        let key = developer.create_key("own", &[]).await;
        let body = ask(CLAUDE, false, PROMPT);
        let developers =
            id_of(&Speaker::Anthropic.call(&stage.product.url, &key, &body).send().await.expect_status(200));
        kept(&store, 2).await;
        for (role, person) in &mut members {
            let role = role.as_str();
            for (id, may) in
                [(&owners, role == "admin"), (&developers, matches!(role, "admin" | "developer"))]
            {
                for side in ["request", "response"] {
                    let status = take(person, id, side).await.status;
                    let wanted = if may {
                        200
                    } else if role == "billing" {
                        403
                    } else {
                        404
                    };
                    assert_eq!(status, wanted, "{role} {side}");
                }
                let page = person.get(&page_of(id)).await;
                assert_eq!(page.text().contains("秘密"), may, "{role}");
                if !may {
                    let forget = person.post(&format!("{}/forget", page_of(id)), &[]).await.status;
                    assert!(matches!(forget, 403 | 404), "{role} {forget}");
                }
            }
            let page = person.open(SETTING).await.expect_status(200).text();
            assert!(page.contains("is kept for 30 days"), "every member is told");
            assert_eq!(Form::posting_at(&page, "/bodies/off").is_some(), role == "admin", "{role}");
            if role != "admin" {
                assert_eq!(person.post(&format!("{SETTING}/off"), &[]).await.status, 403);
                assert_eq!(person.post(&format!("{SETTING}/on"), &[("days", "3")]).await.status, 403);
            }
        }
        let mut stranger = Person::new(&stage.product, "stranger@example.com");
        stranger.sign_up().await;
        assert_eq!(take(&mut stranger, &owners, "request").await.status, 404);
        assert_eq!(stranger.post(&format!("{}/forget", page_of(&owners)), &[]).await.status, 404);
        assert_eq!(number(&store, COUNT).await, 2);

        // Of one's own, deleting is one press; it is in the log.
        let (_, developer) = members.iter_mut().find(|(role, _)| role.as_str() == "developer").expect("one");
        let page = developer.open(&page_of(&developers)).await.text();
        let form = Form::posting_at(&page, "/forget").expect("a form");
        let page = developer.submit(&form).await.expect_status(200).text();
        assert!(page.contains("Deleted. The receipt stays.") && !page.contains("秘密"), "{page}");
        assert_eq!(take(developer, &developers, "request").await.status, 404);
        assert_eq!(number(&store, COUNT).await, 1);
        let told =
            rows(&store, "select event, target from audit_event where event like 'org.bodies%' order by seq")
                .await;
        assert_eq!(told.len(), 2);
        assert_eq!(told[1], ["org.bodies_deleted".to_owned(), developers]);
        let log = stage.person.open("/console/audit").await.text();
        assert!(
            log.contains("Prompt and answer of a call deleted")
                && log.contains("Keeping of prompts and answers changed")
        );
        store.close().await;
    }
}

#[tokio::test]
async fn operators_read_nothing_anywhere() {
    let mut stage = Stage::new().await;
    let store = stage.product.database.connect().await;
    turn_on(&mut stage.person, "30").await;
    let id = id_of(&stage.ask(Speaker::Anthropic, &ask(CLAUDE, false, PROMPT)).await);
    kept(&store, 1).await;
    let mut operator = Operator::new(&stage.product).await;
    // Their browser is nobody in the console.
    for path in [page_of(&id), format!("{}/request.txt", page_of(&id))] {
        assert!(operator.browser.get(&path).await.header("location").contains("/console/sign-in"));
    }
    let org = rows(&store, "select id from org").await[0][0].clone();
    for path in ["/admin/orgs", "/admin/audit", "/admin/retention", &format!("/admin/orgs/{org}")] {
        let page = operator.page(path).await;
        assert!(!page.contains("秘密") && !page.contains("scripted provider"), "{path}");
    }
    let read = Call::get(stage.product.at(&format!("/v1/receipts/{id}"))).header("x-api-key", &*stage.key);
    assert!(!read.send().await.expect_status(200).text().contains("秘密"), "a receipt says nothing of it");
    let description = Call::get(stage.product.at("/api/v1/openapi.json")).send().await.text();
    assert!(!description.contains("bodies"), "no API knows of it");
    store.close().await;
}

#[tokio::test]
async fn it_is_deleted_by_the_clock_and_at_once_when_it_is_turned_off() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let store = stage.product.database.connect().await;
        for wrong in ["0", "31", "many", ""] {
            let answer = stage.person.post(&format!("{SETTING}/on"), &[("days", wrong)]).await;
            assert_eq!(answer.status, 422, "{wrong}");
            assert!(answer.text().contains("from 1 to 30"), "{}", answer.text());
        }
        stage.product.age_every_session().await;
        let asked =
            stage.person.post(&format!("{SETTING}/on"), &[("days", "2")]).await.expect_status(422).text();
        assert_eq!(number(&store, "select count(*) from body_period").await, 0, "it wants a fresh proof");
        let proof = Form::with(&asked, "confirm_proof").set("confirm_proof", canary::PASSWORD);
        assert_eq!(stage.person.submit_only(&proof).await.status, 303);
        let body = ask(CLAUDE, false, PROMPT);
        let first = id_of(&stage.ask(Speaker::Anthropic, &body).await);
        let second = id_of(&stage.ask(Speaker::Anthropic, &body).await);
        kept(&store, 2).await;
        let span = "select max(expires_at_ms - kept_at_ms) from call_body";
        assert_eq!(number(&store, span).await, 2 * 86_400_000);

        run(&store, "update call_body set expires_at_ms = 1 where receipt_id = (select min(receipt_id) from call_body)").await;
        let over = if first < second { &first } else { &second };
        assert_eq!(
            take(&mut stage.person, over, "request").await.status,
            404,
            "its time is over, swept or not"
        );
        // A process that starts looks at once, the others every minute.
        run(&store, "update job set begun_at_ms = 0 where name = 'bodies'").await;
        stage.product.kill().await;
        stage.product.start_again().await;
        kept(&store, 1).await;
        until("what went is noted", async || {
            number(&store, "select coalesce(max(removed_in_all), 0) from retention_run where kind = 'bodies'")
                .await
                == 1
        })
        .await;

        turn_off(&mut stage.person).await;
        assert_eq!(number(&store, COUNT).await, 0, "it is gone before the page answers");
        assert_eq!(number(&store, "select count(*) from call_body_text").await, 0);
        let _ = stage.ask(Speaker::Anthropic, &body).await.expect_status(200);
        turn_on(&mut stage.person, "1").await;
        let last = id_of(&stage.ask(Speaker::Anthropic, &body).await);
        kept(&store, 1).await;
        assert_eq!(rows(&store, "select receipt_id from call_body").await[0][0], last, "only from then on");
        let days = rows(
            &store,
            "select detail_json from audit_event where event = 'org.bodies_changed' order by seq",
        )
        .await;
        let days: Vec<Value> = days.iter().map(|row| serde_json::from_str(&row[0]).expect("JSON")).collect();
        assert_eq!(days[1], json!({"before": {"body_days": 2}, "after": {"body_days": null}}));
        store.close().await;
    }
}

#[tokio::test]
async fn a_second_gateway_follows_within_two_seconds() {
    let upstream = Upstream::start(scenes::play).await;
    let setup = Setup::scripted(&upstream.url()).on(Kind::Postgres);
    let first = setup.start().await;
    let second = setup.start_beside(&first).await;
    let store = first.database.connect().await;
    let mut person = Person::new(&first, "someone@example.com");
    person.sign_up().await;
    let key = person.create_key("test", &[]).await;
    let body = ask(CLAUDE, true, PROMPT);
    let call = async || {
        let _ = Speaker::Anthropic.call(&second.url, &key, &body).send().await.expect_status(200);
    };
    call().await;
    turn_on(&mut person, "3").await;
    let began = std::time::Instant::now();
    until("the second gateway keeps", async || {
        call().await;
        number(&store, COUNT).await > 0
    })
    .await;
    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    turn_off(&mut person).await;
    call().await;
    call().await;
    assert_eq!(number(&store, COUNT).await, 0, "not even what a cached caller still carries");
    store.close().await;
}
