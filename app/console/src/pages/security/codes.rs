//! The one page that shows recovery codes. Between the form and this page they wait in the session, sealed, and reading
//! them takes them away.
use crate::forms::SignedPost;
use crate::pages::security::app::tell;
use crate::pages::security::{PATH, subject};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::FactorError;
use bytespike_accounts::mail::Notice as Letter;
use bytespike_accounts::secrets::{Place, SecretText};
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, Callout, CalloutKind};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use leptos::prelude::*;

/// The entry of the session that holds the newest codes, sealed.
const ENTRY: &str = "recovery_codes";

/// `POST /console/settings/security/codes`
pub(crate) async fn renew(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = &post.who;
    match state.accounts.factors.renew_codes(&who.origin, subject(who), &who.session).await {
        Ok(made) => {
            keep(&state, who, &made).await?;
            tell(&state, who, Letter::RecoveryCodesRenewed).await;
            state.accounts.sessions.renew(&who.cookie).await?;
            Ok(see_other(&address(&visit)))
        }
        Err(FactorError::Unavailable(error)) => Err(error.into()),
        Err(_) => Ok(see_other(&visit.link(PATH))),
    }
}

/// Puts new codes where only the next page of this session finds them.
pub(super) async fn keep(state: &ConsoleState, who: &SignedIn, codes: &[SecretText]) -> Result<(), Problem> {
    let text = SecretText::new(codes.iter().map(SecretText::expose).collect::<Vec<_>>().join("\n"));
    let sealed = state.shown_key.seal(&state.world, place(who), text.expose().as_bytes());
    Ok(who.cookie.insert(ENTRY, sealed).await?)
}

pub(super) fn address(visit: &Visit) -> String {
    visit.link(&format!("{PATH}/codes"))
}

async fn take(state: &ConsoleState, who: &SignedIn) -> Result<Option<SecretText>, Problem> {
    let Some(sealed) = who.cookie.remove::<String>(ENTRY).await? else { return Ok(None) };
    Ok(state.shown_key.open_text(place(who), &sealed).ok())
}

fn place(who: &SignedIn) -> Place<'_> {
    Place { table: "session", row: who.member.person_id(), column: ENTRY }
}

/// `GET /console/settings/security/codes`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let t = &visit.t().security.codes;
    let (title, content) = match take(&state, &who).await? {
        Some(codes) => {
            let note = Some(visit.t().security.factor.other_sessions);
            (t.title, shown(&visit, &codes, note, visit.link(PATH)))
        }
        None => {
            let back = (visit.link(PATH), visit.t().security.page.back);
            (t.gone_title, gone(&visit, t.gone, back))
        }
    };
    let mut response = shell::signed_in((&visit, &who), Section::Settings, Titled::ok(title), content).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// The codes, what else there is to say, and the way on.
pub(crate) fn shown(visit: &Visit, codes: &SecretText, note: Option<&'static str>, on: String) -> AnyView {
    let (t, copied) = (&visit.t().security, visit.t().common.copy.copied);
    let file = format!("data:text/plain;charset=utf-8,{}", codes.expose().replace('\n', "%0A"));
    let codes: Vec<AnyView> = codes
        .expose()
        .lines()
        .map(|code| view! { <li><code translate="no">{code.to_owned()}</code></li> }.into_any())
        .collect();
    view! {
        <div class="page-head"><h1>{t.codes.title}</h1></div>
        <Callout kind=CalloutKind::Warning><p>{t.codes.lead}</p></Callout>
        <ol id="codes" class="recovery-codes sheet" aria-label=t.codes.label>{codes}</ol>
        {note.map(|note| view! { <p class="soft">{note}</p> })}
        <p class="actions" data-copy=t.codes.copy data-copied=copied data-copy-of="codes">
            <ButtonLink kind=ButtonKind::Primary href=on>{t.codes.done}</ButtonLink>
            <a class="button" href=file download="bytespike-recovery-codes.txt">{t.codes.download}</a>
        </p>
    }
    .into_any()
}

/// What is shown where there are none any more.
pub(crate) fn gone(visit: &Visit, why: &'static str, (on, label): (String, &'static str)) -> AnyView {
    let t = &visit.t().security;
    view! {
        <div class="page-head"><div><h1>{t.codes.gone_title}</h1><p>{why}</p></div></div>
        <p class="actions">
            <ButtonLink kind=ButtonKind::Primary href=on>{label}</ButtonLink>
        </p>
    }
    .into_any()
}
