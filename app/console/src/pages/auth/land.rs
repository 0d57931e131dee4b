//! The moment somebody is signed in, however they proved it: the session starts, a new browser is told of by mail, and
//! they arrive where they wanted to go.
use crate::next::after_sign_in;
use crate::outbox::locale_of;
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::response::Response;
use bytespike_accounts::people::Membership;
use bytespike_accounts::sessions::{BROWSER_COOKIE, Session};
use bytespike_ui::Visit;
use http::HeaderValue;
use http::header::SET_COOKIE;

/// Browsers shorten a longer life to this anyway.
const COOKIE_SECONDS: i64 = 400 * 24 * 3_600;

/// Signs the member in. `next` is where they were going, as the browser says.
pub(super) async fn land(
    state: &ConsoleState,
    (visit, visitor, session): (&Visit, &Visitor, &Session),
    (member, next): (&Membership, &str),
) -> Result<Response, Problem> {
    let accounts = &state.accounts;
    accounts.sessions.start(session, &visitor.origin, member.person_id()).await?;
    let new_name = || accounts.csrf.anonymous_value().expose().to_owned();
    let browser = visitor.browser.clone().unwrap_or_else(new_name);
    if let Some(letter) = accounts.people.seen_with(&visitor.origin, member, &browser).await? {
        state.mail.deliver(&state.urls, &visitor.id, Some(letter)).await;
    }
    // The page that was asked for, or the overview in the language the account is kept in.
    let home = visit.link_in(locale_of(member.language()), "/console");
    let mut response = see_other(&after_sign_in(Some(next), &home));
    if let Ok(cookie) = HeaderValue::try_from(cookie(state, &browser)) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

fn cookie(state: &ConsoleState, browser: &str) -> String {
    let transport = state.options.transport;
    let (name, secure) =
        (transport.cookie_name(BROWSER_COOKIE), if transport.is_secure() { "; Secure" } else { "" });
    format!("{name}={browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}{secure}")
}
