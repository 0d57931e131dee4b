//! Members through the front door: invited, new or known, changed and removed; what that does to their keys, and what the
//! audit log says of it.

use bytespike_tests::PATIENCE;
use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::person::{Form, Person, link_containing};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use std::time::Instant;

/// Opens the form with this field on a page, fills it in and sends it.
async fn fill(person: &mut Person, page: &str, fields: &[(&str, &str)]) -> String {
    let shown = person.open(page).await.expect_status(200);
    let form = Form::with(&shown.text(), fields[0].0);
    let form = fields.iter().fold(form, |form, (name, value)| form.set(name, value));
    person.submit(&form).await.expect_status(200).text()
}

async fn member_id(stage: &Stage, email: &str) -> String {
    let store = stage.product.database.connect().await;
    let all = rows(
        &store,
        "select member.id, person.email from member join person on person.id = member.person_id
         where member.role <> 'owner'",
    )
    .await;
    store.close().await;
    all.into_iter().find(|row| row[1] == email).expect("a member")[0].clone()
}

#[tokio::test]
async fn somebody_new_signs_up_from_the_invitation_and_is_led_back_to_it() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let link = stage.person.invite("new@example.com", "developer").await;
        let mut person = Person::new(&stage.product, "new@example.com");
        let page = person.open(&link).await.expect_status(200).text();
        assert!(page.contains("new@example.com"), "{page}");
        let sign_up = link_containing(&page, "/console/sign-up").expect("a way to sign up");
        let form = person.open(&sign_up).await.expect_status(200);
        let form = Form::with(&form.text(), "password")
            .set("email", &person.email.clone())
            .set("password", bytespike_tests::canary::PASSWORD);
        let sent = person.submit(&form).await.expect_status(200);
        let verify = link_containing(&sent.text(), "verify").expect("the link to verify");
        let verify = person.open(&verify).await.expect_status(200);
        let confirm = Form::posting_to(&verify.text(), "verify").expect("a form");
        let sign_in = person.submit(&confirm).await.expect_status(200);
        let form = Form::with(&sign_in.text(), "password")
            .set("email", &person.email.clone())
            .set("password", bytespike_tests::canary::PASSWORD);
        let back = person.submit(&form).await.expect_status(200);
        let accept =
            Form::posting_to(&back.text(), "/console/invitation/accept").expect("back at the invitation");
        let joined = person.submit(&accept).await.expect_status(200).text();
        assert!(joined.contains("new@example.com"), "the members page of the org: {joined}");
        let again = person.open(&link).await;
        assert_eq!(again.status, 422, "a link works once");
        // Their own org is still there to switch to.
        let orgs = person.open("/console/orgs").await.expect_status(200).text();
        assert_eq!(orgs.matches("/switch\"").count(), 1, "{orgs}");
    }
}

#[tokio::test]
async fn s08_s103_s131_a_removed_members_key_stops_within_a_second_and_the_log_tells_it_all() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let link = stage.person.invite("dev@example.com", "developer").await;
        let mut developer = Person::new(&stage.product, "dev@example.com");
        developer.sign_up().await;
        developer.accept(&link).await;
        let key = developer.create_key("theirs", &[]).await;
        let ask = async || {
            let body = Speaker::Anthropic.ask(CLAUDE, false);
            Speaker::Anthropic.call(&stage.product.url, &key, &body).send().await.status
        };
        assert_eq!(ask().await, 200);
        let id = member_id(&stage, "dev@example.com").await;
        let page = format!("/console/members/{id}");
        let shown = stage.person.open(&page).await.expect_status(200).text();
        assert!(shown.contains("/limits/node/mem:"), "their page leads to their limits: {shown}");
        let node = format!("/console/limits/node/mem:{id}");
        let limited = fill(&mut stage.person, &node, &[("limit_month", "0.000001")]).await;
        assert!(limited.contains("$0.000001"), "{limited}");
        assert_eq!(ask().await, 429, "the member's limit binds their key");
        let mut owner = stage.person;
        let removed = fill(&mut owner, &format!("{page}/remove"), &[("confirm", "dev")]).await;
        assert!(!removed.contains("dev@example.com"), "{removed}");
        let patience = Instant::now();
        while ask_status(&stage.product.url, &key).await != 401 {
            assert!(patience.elapsed() < PATIENCE, "the key still works");
        }
        let seen = developer.open("/console/members").await.expect_status(200).text();
        assert!(!seen.contains("someone@example.com"), "they are back in their own org: {seen}");
        let log = owner.open("/console/audit?event=member.").await.expect_status(200).text();
        assert!(
            log.contains("Member removed") && log.contains("Joined") && !log.contains("Key created"),
            "{log}"
        );
        let log = owner.open("/zh/console/audit?event=limit.").await.expect_status(200).text();
        assert!(log.contains("设置限额") && log.contains("1.000 credits"), "{log}");
    }
}

async fn ask_status(url: &str, key: &str) -> u16 {
    Speaker::Anthropic.call(url, key, &Speaker::Anthropic.ask(CLAUDE, false)).send().await.status
}

#[tokio::test]
async fn an_org_is_made_beside_the_first_with_an_empty_wallet_and_switched_to() {
    let mut stage = Stage::new().await;
    let made = fill(&mut stage.person, "/console/orgs", &[("name", "Second engine")]).await;
    assert!(made.contains("Second engine"), "the overview of the new org: {made}");
    let key = stage.person.create_key("poor", &[]).await;
    assert_eq!(ask_status(&stage.product.url, &key).await, 402, "no trial comes with a second org");
    let orgs = stage.person.open("/console/orgs").await.expect_status(200).text();
    let back = Form::posting_to(&orgs, "/switch").expect("the first org to go back to");
    let _ = stage.person.submit(&back).await.expect_status(200);
    let keys = stage.person.open("/console/keys").await.expect_status(200).text();
    assert!(keys.contains(">test<") && !keys.contains(">poor<"), "{keys}");
}

#[tokio::test]
async fn s77_the_log_is_paged_by_its_keys_without_gaps_or_repeats() {
    let mut stage = Stage::new().await;
    for n in 0..55 {
        let name = format!("Deployment {n:02}");
        let made = stage.person.post("/console/deployments/new", &[("name", &name)]).await;
        assert_eq!(made.status, 303, "{}", made.text());
    }
    let mut seen = Vec::new();
    let mut page = "/console/audit?event=deployment.".to_owned();
    loop {
        let text = stage.person.open(&page).await.expect_status(200).text();
        let found: Vec<String> = (0..55)
            .map(|n| format!("Deployment {n:02}"))
            .filter(|name| text.contains(&format!(">{name}</a>")))
            .collect();
        seen.extend(found);
        let Some((_, older)) = text.split_once("rel=\"next\" href=\"") else { break };
        page = older.split('"').next().expect("an address").replace("&amp;", "&");
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), sorted.len()), (55, 55), "{seen:?}");

    let file =
        stage.person.open("/console/audit/audit.csv?event=deployment.").await.expect_status(200).text();
    let mut lines = file.lines();
    let header =
        "\u{feff}seq,time_utc,event,actor,actor_name,org_id,target,detail,ip,user_agent,request_id,hash";
    assert_eq!(lines.next(), Some(header));
    let lines: Vec<&str> = lines.collect();
    assert!((0..55).all(|n| lines[54 - n].contains(&format!("Deployment {n:02}"))), "{file}");
    assert!(lines.iter().all(|line| line.contains("deployment.created,person:usr_")), "{file}");
}
