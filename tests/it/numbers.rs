//! Who chose how numbers are written reads them so on every page of the console; files, programs and other people do not.

use std::collections::{BTreeSet, VecDeque};

use bytespike_tests::database::BOTH;
use bytespike_tests::http::Call;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use serde_json::json;

use crate::operator::Operator;

/// One operator books any amount alone.
const ALONE: &str = "[operators]\nsecond_above_usd = 0";

async fn choose(person: &mut Person, numbers: &str) {
    let page = person.open("/console/settings").await.expect_status(200).text();
    let form = Form::with(&page, "numbers").set("numbers", numbers);
    let saved = person.submit(&form).await.expect_status(200).text();
    assert!(saved.contains(&format!("value=\"{numbers}\" selected")), "the form shows what was chosen");
}

/// Amounts on a page that have a point before their decimals: behind `$`, digits whose last point has no three behind it.
fn with_points(page: &str) -> Vec<String> {
    let amounts = page.match_indices('$').map(|(at, _)| {
        page[at + 1..]
            .chars()
            .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
            .collect::<String>()
    });
    let has_point = |amount: &String| {
        let amount = amount.trim_end_matches(['.', ',']);
        amount.rsplit_once('.').is_some_and(|(_, behind)| behind.len() != 3 && !behind.contains(','))
    };
    amounts.filter(has_point).collect()
}

/// Every page of the console that links lead to.
async fn every_page(person: &mut Person) -> Vec<(String, String)> {
    let mut waiting = VecDeque::from(["/console".to_owned()]);
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut pages = Vec::new();
    while let Some(path) = waiting.pop_front() {
        let answer = person.open(&path).await;
        if answer.status != 200 || !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let page = answer.text();
        for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = link.split(['?', '#']).next().unwrap_or_default().to_owned();
            if path.starts_with("/console") && !path.contains('.') && seen.insert(path.clone()) {
                waiting.push_back(path);
            }
        }
        pages.push((path, page));
    }
    pages
}

#[tokio::test]
async fn every_page_of_the_console_writes_numbers_as_its_reader_chose() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database).trial_grant(0).settings(ALONE)).await;
        let program = Operator::of(&stage).await;
        let org = program.org_id().await;
        let credit = json!({"amount_credits": "1234567000.000", "kind": "top_up", "reason": "Invoice 7"});
        let call = program.call("POST", &format!("/wallets/{org}/credits")).header("idempotency-key", "one");
        let call = call.header("content-type", "application/json").body(credit.to_string());
        let _ = call.send().await.expect_status(200);
        let limited = [("limit_month", "1500"), ("limit_call", "2.50")];
        let key = stage.person.create_key("limited", &limited).await;
        let speaker = Speaker::Anthropic;
        let asked = speaker.call(&stage.product.url, &key, &speaker.ask(CLAUDE, false)).send().await;
        let _ = asked.expect_status(200);

        let wallet = stage.person.open("/console/wallet").await.expect_status(200).text();
        assert!(wallet.contains("1,234,567,000.000"), "as both languages write it, until somebody chooses");
        choose(&mut stage.person, "point_comma").await;
        let pages = every_page(&mut stage.person).await;
        assert!(pages.len() > 25, "{}", pages.len());
        let wrong = pages.iter().map(|(path, page)| (path, with_points(page)));
        let wrong: Vec<_> = wrong.filter(|(_, amounts)| !amounts.is_empty()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let of = |path: &str| &pages.iter().find(|(one, _)| one == path).expect("a page").1;
        assert!(of("/console/wallet").contains("1.234.567.000,000"));
        assert!(of("/console").contains("$1.234,5"), "{}", of("/console"));
        assert!(of("/console/limits").contains("$1.500,00"));
        let zh = stage.person.open("/zh/console/limits").await.expect_status(200).text();
        assert!(zh.contains("$1.500,00"));

        choose(&mut stage.person, "space_comma").await;
        let limits = stage.person.open("/console/limits").await.expect_status(200).text();
        assert!(limits.contains("$1\u{a0}500,00"), "with a space that does not break");
        // A form that comes back is written in the same way.
        let page = stage.person.open("/console/wallet").await.expect_status(200).text();
        let wrong = stage.person.submit(&Form::with(&page, "voucher").set("voucher", "no")).await;
        assert!(wrong.status == 422 && wrong.text().contains("1\u{a0}234\u{a0}567\u{a0}000,000"));

        let csv = stage.person.open("/console/calls/calls.csv").await.expect_status(200).text();
        assert!(!csv.contains('\u{a0}'), "files are for programs: {csv}");
        let balance = Call::get(stage.product.at("/v1/balance")).header("x-api-key", &*key).send().await;
        assert!(!balance.expect_status(200).text().contains('\u{a0}'));
        let mut other = Person::new(&stage.product, "other@example.com");
        other.sign_up().await;
        let theirs = other.open("/console").await.expect_status(200).text();
        assert!(theirs.contains("$0.00"), "it is each person's own");
    }
}
