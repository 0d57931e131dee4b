//! What holds on every page: no script or style in the markup, labelled fields, nobody else's data, nothing cached.
use crate::support::Bench;
use crate::support::browser::{Browser, EMAIL};
use crate::support::scene::Call;
use bytespike_ledger::Reason;
use http::StatusCode;

const HOSTILE: &str = "\"><img src=x onerror=alert(1)>{{7*7}}";
const NEIGHBOUR: &str = "neighbour-canary";

/// Every page for someone signed in, on an account whose names are hostile, beside a neighbour's account.
async fn signed_in_pages(bench: &Bench, browser: &mut Browser) -> Vec<String> {
    let mut neighbour = bench.browser();
    neighbour.join("", &format!("{NEIGHBOUR}@example.com")).await;
    let (their_key, _) = neighbour.create_key(NEIGHBOUR, &[]).await;
    let them = bench.member(&format!("{NEIGHBOUR}@example.com")).await;
    bench.settled(&them, Call::with(&their_key, NEIGHBOUR)).await;

    browser.join("", EMAIL).await;
    let (key_id, _) = browser.create_key(HOSTILE, &[("limit_month", "5")]).await;
    let fields = [("org_name", HOSTILE), ("org_time_zone", "UTC")];
    browser
        .submit("/console/settings", "/console/settings/organisation", &fields)
        .await
        .expect(StatusCode::SEE_OTHER);
    let member = bench.member(EMAIL).await;
    let paid = bench
        .settled(&member, Call { model: crate::support::scene::MODEL, ..Call::with(&key_id, HOSTILE) })
        .await;
    let free = bench.released(&member, Call::with(&key_id, HOSTILE), Reason::UpstreamError).await;
    let fixed = [
        "",
        "/keys",
        "/keys/new",
        "/keys/check",
        "/calls",
        "/calls?outcome=not-billed&model=%3Cb%3E",
        "/wallet",
        "/statements",
        "/statements/2026-11",
        "/settings",
        "/settings/security",
        "/settings/data",
        "/orgs",
        "/members",
        "/members/invite",
        "/members/leave",
        "/service-accounts",
        "/service-accounts/new",
        "/deployments",
        "/deployments/new",
        "/audit",
        "/webhooks",
        "/webhooks/new",
        "/notices",
        "/usage",
        "/usage?group=key&measure=tokens&period=24h",
        "/usage?group=%3Cb%3E&from=%3Cb%3E&to=%3Cb%3E",
        "/audit?event=key.&actor=%3Cb%3E&target=%3Cb%3E",
    ];
    let own = [
        format!("/keys/{key_id}"),
        format!("/keys/{key_id}/revoke"),
        format!("/keys/{key_id}/created"),
        format!("/receipts/{paid}"),
        format!("/receipts/{free}"),
        format!("/members/{}", member.member_id()),
        format!("/deployments/{}", member.deployment_id()),
    ];
    fixed.into_iter().map(str::to_owned).chain(own).collect()
}

#[tokio::test]
async fn s54_every_page_in_both_languages_keeps_the_rules() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    let pages = signed_in_pages(&bench, &mut browser).await;
    for (prefix, lang) in [("", "en"), ("/zh", "zh-Hans")] {
        for path in &pages {
            let page = browser.get(&format!("{prefix}/console{path}")).await.expect(StatusCode::OK);
            check(&page.body, path);
            assert!(page.body.contains(&format!("<html lang=\"{lang}\"")), "{path}");
            assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
            assert!(!page.body.contains(NEIGHBOUR), "{path} shows a neighbour's data");
        }
        for path in [
            "/sign-up",
            "/sign-in",
            "/forgot",
            "/resend",
            "/check-mail",
            "/verify?token=%3Cb%3E",
            "/reset?token=x",
            "/nothing",
        ] {
            let page = bench.browser().get(&format!("{prefix}/console{path}")).await;
            check(&page.body, path);
            assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
        }
    }
}

fn check(body: &str, path: &str) {
    let inline = body
        .match_indices("<script")
        .filter(|(at, _)| !body[*at..].starts_with("<script type=\"module\" src=\"/_a/"))
        .count();
    assert_eq!(inline, 0, "{path} has a script in its markup");
    for mark in ["<style", " style=\"", " onclick=", " onerror=alert(1)>", "<img src=x", "javascript:"] {
        assert!(!body.contains(mark), "{path} has {mark}");
    }
    for word in ["refund", "Refund", "退款"] {
        assert!(!body.contains(word), "{path} says {word}");
    }
    for field in ["<input ", "<select ", "<textarea "] {
        for (at, _) in body.match_indices(field) {
            let tag = body[at..].split('>').next().unwrap_or_default();
            let is_labelled = tag
                .split(" id=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .is_some_and(|id| body.contains(&format!("for=\"{id}\"")));
            assert!(is_labelled || tag.contains("type=\"hidden\""), "{path}: {tag} has no label");
        }
    }
    assert_eq!(body.matches("<h1").count(), 1, "{path} has one heading of the first rank");
}

#[tokio::test]
async fn s21_a_link_cannot_make_a_page_say_anything() {
    let bench = Bench::new().await;
    let page = bench
        .browser()
        .get("/console/sign-in?ok=Your+account+is+locked&__err=PGI%2B")
        .await
        .expect(StatusCode::OK);
    assert!(!page.body.contains("account is locked") && !page.body.contains("class=\"flash"));
    let known = bench.browser().get("/zh/console/sign-in?ok=signed-out").await.expect(StatusCode::OK);
    assert!(known.body.contains("你已退出登录"));
}

#[tokio::test]
async fn a_new_account_is_told_what_to_do_first_until_it_has_done_it() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let fresh = browser.get("/console").await.body;
    assert!(
        fresh.contains("First steps")
            && fresh.contains("Create your first key")
            && fresh.contains("BYTESPIKE_API_KEY")
    );
    let (key_id, key) = browser.create_key("laptop", &[]).await;
    let with_key = browser.get("/console").await.body;
    assert!(
        with_key.contains("First steps")
            && !with_key.contains("Create your first key")
            && !with_key.contains(&key)
    );
    bench.settled(&bench.member(EMAIL).await, Call::with(&key_id, "laptop")).await;
    assert!(!browser.get("/console").await.body.contains("First steps"));
}
