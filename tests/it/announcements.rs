//! What operators announce: seen above the pages it is meant for, in both languages, put away without a script, gone when it
//! ends; and public as JSON.

use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::http::Call;
use bytespike_tests::operator::Operator;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{Product, Setup};

const ENGLISH: &str = "Claude models answer slowly <b>today</b>.";
const CHINESE: &str = "今天 Claude 模型响应较慢。";

async fn page(product: &Product, path: &str) -> (String, String) {
    let answer = Call::get(product.at(path)).send().await.expect_status(200);
    (answer.header("cache-control").to_owned(), answer.text())
}

/// Waits until the page says, or no longer says, what is announced.
async fn until(product: &Product, path: &str, (text, is_there): (&str, bool)) {
    let what = format!("{path}: {text} is there: {is_there}");
    bytespike_tests::until(&what, async || page(product, path).await.1.contains(text) == is_there).await;
}

async fn announce(operator: &mut Operator, changes: &[(&str, &str)]) {
    let mut fields =
        vec![("step", "announce"), ("text_en", ENGLISH), ("text_zh", CHINESE), ("level", "incident")];
    fields.extend_from_slice(changes);
    let kept = operator.send("/admin/announcements/new", "announcements/new", &fields).await;
    assert_eq!(kept.status, 303, "{}", kept.text());
}

#[tokio::test]
async fn an_announcement_is_previewed_shown_changed_put_away_and_ended() {
    for database in BOTH {
        let product = Setup::default().on(database).start().await;
        let mut operator = Operator::new(&product).await;
        let mut person = Person::new(&product, "ada@example.com");
        person.sign_up().await;
        let (before, _) = page(&product, "/docs").await;
        assert!(before.contains("s-maxage=300"), "{before}");

        let looks =
            [("step", "preview"), ("text_en", ENGLISH), ("text_zh", CHINESE), ("link", "/docs/errors")];
        let preview = operator.send("/admin/announcements/new", "announcements/new", &looks).await;
        assert_eq!(preview.status, 422, "nothing is kept yet");
        assert!(preview.text().contains("How it will look") && preview.text().contains(CHINESE));
        assert!(!page(&product, "/").await.1.contains("Claude models answer slowly"));
        for (field, wrong) in [
            ("text_zh", " "),
            ("link", "javascript:alert(1)"),
            ("until", "2020-01-01 00:00"),
            ("from", "soon"),
        ] {
            let mut fields = looks.to_vec();
            fields[0].1 = "announce";
            fields.retain(|(name, _)| *name != field);
            fields.push((field, wrong));
            let refused = operator.send("/admin/announcements/new", "announcements/new", &fields).await;
            assert!(refused.status == 422 && refused.text().contains(&format!("{field}-error")), "{field}");
        }

        announce(&mut operator, &[("link", "/docs/errors")]).await;
        let escaped = "Claude models answer slowly &lt;b&gt;today&lt;/b&gt;.";
        for (path, text) in [
            ("/", escaped),
            ("/pricing", escaped),
            ("/docs", escaped),
            ("/console/sign-in", escaped),
            ("/zh/docs", CHINESE),
        ] {
            until(&product, path, (text, true)).await;
        }
        let (policy, shown) = page(&product, "/docs").await;
        assert_eq!(policy, "public, max-age=0, s-maxage=60", "a shared cache loses it within a minute");
        assert!(
            shown.contains("Incident")
                && !shown.contains("<b>today")
                && shown.contains("href=\"/docs/errors\"")
        );
        assert!(!operator.page("/admin").await.contains("answer slowly"), "operators wrote it");
        let listed = Call::get(product.at("/v1/status/announcements")).send().await.expect_status(200).json();
        assert_eq!(
            (&listed["data"][0]["level"], &listed["data"][0]["text"]["zh"]),
            (&"incident".into(), &CHINESE.into())
        );

        let keys = person.open("/console/keys").await.expect_status(200).text();
        assert!(keys.contains(escaped));
        let form = Form::posting_to(&keys, "/dismiss").expect("a form that puts it away");
        let away = person.submit_only(&form).await;
        assert_eq!((away.status, away.header("location")), (303, "/console/keys"), "back where it stood");
        assert!(!person.open("/console").await.text().contains("answer slowly"), "put away on every page");
    }
}

#[tokio::test]
async fn it_is_changed_and_ended_and_only_its_surface_carries_it() {
    let product = Setup::default().on(Kind::Sqlite).start().await;
    let mut operator = Operator::new(&product).await;
    announce(&mut operator, &[("place", "docs"), ("level", "warning")]).await;
    until(&product, "/docs", ("answer slowly", true)).await;
    assert!(!page(&product, "/").await.1.contains("answer slowly"), "the site does not");
    announce(&mut operator, &[("text_en", "Later."), ("text_zh", "以后。"), ("from", "2099-01-01 00:00")])
        .await;
    let list = operator.page("/admin/announcements").await;
    assert!(list.contains("Coming") && list.contains("Shown"));
    assert!(!page(&product, "/docs").await.1.contains("Later."), "its time has not come");
    let shown = list
        .split("/admin/announcements/ann_")
        .nth(2)
        .expect("the older one")
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let path = format!("/admin/announcements/ann_{shown}");
    let fields = [("step", "announce"), ("text_en", "All is well again.")];
    let changed = operator.send(&path, &path, &fields).await;
    assert_eq!(changed.status, 303, "{}", changed.text());
    until(&product, "/docs", ("All is well again.", true)).await;
    let ended = operator.send(&path, &format!("{path}/end"), &[]).await;
    assert_eq!(ended.status, 303);
    until(&product, "/docs", ("All is well again.", false)).await;
    assert!(page(&product, "/docs").await.0.contains("s-maxage=300"), "kept as long as before");
    assert_eq!(operator.browser.get(&path).await.status, 404, "what is over is not changed");
    let log = operator.page("/admin/audit?event=announcement.").await;
    assert!(log.contains("An announcement was ended") && log.contains("All is well again."), "{log}");
}
