use super::*;
use crate::csrf::Binding;
use crate::people::{ChangePasswordError, PasswordChange};
use crate::testing::{Bench, EMAIL, PASSWORD, on_each, origin, token};
use bytespike_store::{on_database, sqlx};
use http::{Request, Response, header};
use std::convert::Infallible;
use std::sync::Arc;
use tower::{Layer as _, ServiceExt as _};

const HOUR_MS: i64 = 3_600_000;

/// What a page does with the session.
#[derive(Clone, Copy)]
enum Page {
    /// Looks who is signed in.
    Read,
    SignIn,
    SignOut,
    /// Remembers something for a visitor who is not signed in.
    Note,
}

/// One request through the session layer: the cookie sent, the `Set-Cookie` received, and who the page saw.
async fn visit(bench: &Bench, page: Page, cookie: Option<&str>) -> (Option<String>, Option<CurrentSession>) {
    let sessions = bench.accounts.sessions.clone();
    let person =
        bytespike_store::person::find_by_email(&bench.store, EMAIL).await.expect("read").expect("signed up");
    let seen: Arc<std::sync::Mutex<Option<CurrentSession>>> = Arc::default();
    let service = {
        let (sessions, seen) = (sessions.clone(), seen.clone());
        tower::service_fn(move |request: Request<()>| {
            let (sessions, seen, person_id) = (sessions.clone(), seen.clone(), person.id.clone());
            async move {
                let session = request.extensions().get::<Session>().expect("the layer ran").clone();
                match page {
                    Page::Read => {}
                    Page::SignIn => sessions.start(&session, &origin(), &person_id).await.expect("started"),
                    Page::SignOut => sessions.end(&session).await.expect("ended"),
                    Page::Note => session.insert("note", "sent").await.expect("noted"),
                }
                *seen.lock().expect("not poisoned") = sessions.current(&session).await.expect("read");
                Ok::<_, Infallible>(Response::new(String::new()))
            }
        })
    };
    let mut request = Request::builder().uri("/");
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let answered =
        sessions.layer(Transport::Https).layer(service).oneshot(request.body(()).expect("valid")).await;
    let set = answered
        .expect("answered")
        .headers()
        .get(header::SET_COOKIE)
        .map(|v| v.to_str().expect("text").to_owned());
    let seen = seen.lock().expect("not poisoned").take();
    (set, seen)
}

fn cookie_of(set: &Option<String>) -> String {
    set.as_deref().and_then(|set| set.split(';').next()).expect("a cookie was set").to_owned()
}

async fn rows(bench: &Bench) -> i64 {
    let (count,): (i64,) =
        on_database!(read &bench.store, db => sqlx::query_as("select count(*) from session").fetch_one(db).await)
            .expect("counted");
    count
}

#[tokio::test]
async fn s02_the_cookie_is_host_only_secure_and_unreadable_to_scripts() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let (set, _) = visit(&bench, Page::SignIn, None).await;
        let set = set.expect("a cookie");
        assert!(set.starts_with("__Host-bs_sid="), "{set}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(set.contains(attribute), "{attribute} is missing: {set}");
        }
        assert!(!set.contains("Domain") && set.len() < 4_096, "{set}");
        assert_eq!(Transport::LoopbackHttp.cookie_name(SESSION_COOKIE), "bs_sid");
    })
    .await;
}

#[tokio::test]
async fn s01_signing_in_changes_the_id_and_the_old_one_is_dead() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let before = cookie_of(&visit(&bench, Page::Note, None).await.0);
        let (set, seen) = visit(&bench, Page::SignIn, Some(&before)).await;
        let after = cookie_of(&set);
        assert_ne!(before, after);
        assert!(seen.is_none(), "the new id exists once the answer is written");
        let current = visit(&bench, Page::Read, Some(&after)).await.1.expect("signed in");
        assert_eq!(current.person_id, owner.person_id());
        assert!(visit(&bench, Page::Read, Some(&before)).await.1.is_none());
        let token = bench.accounts.csrf.token(Binding::Session(&current.csrf_binding));
        assert!(bench.accounts.csrf.verify(Binding::Session(&current.csrf_binding), &token));
    })
    .await;
}

#[tokio::test]
async fn s03_an_unknown_or_malformed_id_is_never_adopted() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let planted = "__Host-bs_sid=AAAAAAAAAAAAAAAAAAAAAA";
        for cookie in [planted, "__Host-bs_sid=x", "__Host-bs_sid="] {
            let (set, _) = visit(&bench, Page::SignIn, Some(cookie)).await;
            assert_ne!(cookie_of(&set), cookie);
            assert!(visit(&bench, Page::Read, Some(cookie)).await.1.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn s04_the_database_holds_nothing_that_works_as_a_cookie() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let cookie = cookie_of(&visit(&bench, Page::SignIn, None).await.0);
        let row: (String, String, String) = on_database!(read &bench.store, db => sqlx::query_as(
            "select id_hash, public_id, data_json from session").fetch_one(db).await)
        .expect("one row");
        let value = cookie.split_once('=').expect("a pair").1;
        assert!(![&row.0, &row.1, &row.2].iter().any(|column| column.contains(value)));
        for column in [row.0, row.1] {
            assert!(visit(&bench, Page::Read, Some(&format!("__Host-bs_sid={column}"))).await.1.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn s13_looking_around_creates_no_rows() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        for cookie in [None, Some("__Host-bs_sid=AAAAAAAAAAAAAAAAAAAAAA")] {
            visit(&bench, Page::Read, cookie).await;
        }
        assert_eq!(rows(&bench).await, 0);
    })
    .await;
}

#[tokio::test]
async fn s05_sessions_end_when_idle_for_a_week_and_after_thirty_days_whatever_happens() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let idle = cookie_of(&visit(&bench, Page::SignIn, None).await.0);
        let busy = cookie_of(&visit(&bench, Page::SignIn, None).await.0);
        bench.clock.advance(6 * DAY_MS);
        assert!(visit(&bench, Page::Read, Some(&busy)).await.1.is_some());
        bench.clock.advance(DAY_MS);
        assert!(visit(&bench, Page::Read, Some(&idle)).await.1.is_none());
        for _ in 0..22 {
            assert!(visit(&bench, Page::Read, Some(&busy)).await.1.is_some());
            bench.clock.advance(DAY_MS);
        }
        bench.clock.advance(DAY_MS);
        assert!(visit(&bench, Page::Read, Some(&busy)).await.1.is_none());
        bench.accounts.sweep().await.expect("swept");
        assert_eq!(rows(&bench).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_new_id_does_not_prolong_a_session() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        visit(&bench, Page::SignIn, None).await;
        let (before,): (i64,) = on_database!(read &bench.store, db => sqlx::query_as(
            "select ends_at_ms from session").fetch_one(db).await)
        .expect("one row");
        assert_eq!(before, bench.world.now_ms() + 30 * DAY_MS);
        let sessions = &bench.accounts.sessions;
        let session = Session::new(None, Arc::new(sessions.clone()), None);
        sessions.start(&session, &origin(), owner.person_id()).await.expect("started");
        session.save().await.expect("saved");
        bench.clock.advance(HOUR_MS);
        sessions.renew(&session).await.expect("renewed");
        session.save().await.expect("saved");
        let (last,): (i64,) = on_database!(read &bench.store, db => sqlx::query_as(
            "select max(ends_at_ms) from session").fetch_one(db).await)
        .expect("rows");
        assert_eq!(last, before);
    })
    .await;
}

#[tokio::test]
async fn s06_signing_out_ends_the_session_and_takes_the_cookie_back() {
    on_each(async |bench| {
        bench.owner(EMAIL).await;
        let cookie = cookie_of(&visit(&bench, Page::SignIn, None).await.0);
        let (set, _) = visit(&bench, Page::SignOut, Some(&cookie)).await;
        assert!(set.expect("a removal").contains("Max-Age=0"));
        assert!(visit(&bench, Page::Read, Some(&cookie)).await.1.is_none());
        assert_eq!(rows(&bench).await, 0);
    })
    .await;
}

#[tokio::test]
async fn s09_s14_a_person_sees_and_ends_their_sessions_and_has_fifty_at_most() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let sessions = &bench.accounts.sessions;
        let mut cookies = Vec::new();
        for _ in 0..52 {
            cookies.push(cookie_of(&visit(&bench, Page::SignIn, None).await.0));
            bench.clock.advance(1_000);
        }
        assert!(visit(&bench, Page::Read, Some(&cookies[1])).await.1.is_none(), "the oldest were ended");
        let current = visit(&bench, Page::Read, Some(&cookies[51])).await.1.expect("signed in");
        let listed = sessions.list(&current).await.expect("read");
        assert_eq!((listed.len(), listed.iter().filter(|s| s.is_current).count()), (50, 1));
        assert!(listed[0].is_current && current.person_id == owner.person_id());
        assert!(sessions.end_one(&current, &listed[1].public_id).await.expect("ended"));
        assert!(visit(&bench, Page::Read, Some(&cookies[50])).await.1.is_none());
        assert!(!sessions.end_one(&current, "ses_unknown").await.expect("none"));
        sessions.end_others(&current).await.expect("ended");
        assert_eq!(rows(&bench).await, 1);
    })
    .await;
}

#[tokio::test]
async fn s07_a_changed_password_ends_the_other_sessions_and_a_reset_ends_all() {
    on_each(async |bench| {
        let owner = bench.owner(EMAIL).await;
        let people = &bench.accounts.people;
        let other = cookie_of(&visit(&bench, Page::SignIn, None).await.0);
        let mine = cookie_of(&visit(&bench, Page::SignIn, None).await.0);
        let current = visit(&bench, Page::Read, Some(&mine)).await.1.expect("signed in");
        let change =
            PasswordChange { session: &current, current: "wrong", new: "a bridge of iron, over tea" };
        let wrong = people.change_password(&origin(), &owner, change).await;
        assert!(matches!(wrong, Err(ChangePasswordError::WrongCurrent)));
        let right = PasswordChange { current: PASSWORD, ..change };
        people.change_password(&origin(), &owner, right).await.expect("changed");
        assert!(visit(&bench, Page::Read, Some(&other)).await.1.is_none());
        assert!(visit(&bench, Page::Read, Some(&mine)).await.1.is_some());
        let mail = people.request_reset(&origin(), EMAIL).await.expect("accepted").expect("a mail");
        people.reset_password(&origin(), token(&mail).expose(), PASSWORD).await.expect("reset");
        assert!(visit(&bench, Page::Read, Some(&mine)).await.1.is_none());
    })
    .await;
}
