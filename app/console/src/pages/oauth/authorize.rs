//! `/oauth/authorize`: where a program sends its person's browser. The request is checked, put aside, and shown on a page
//! whose address says nothing but which request it is.
use crate::client_documents::{self, DocumentRefusal};
use crate::pages::oauth::issuer;
use crate::problem::Problem;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::switched_off;
use crate::who::{SignedIn, Visitor};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::oauth::authorize::{Back, Checked, PageProblem, Prompt, Refused};
use bytespike_accounts::oauth::{TRANSACTION_MS, resources};
use bytespike_accounts::switches::Feature;
use bytespike_ui::components::{Callout, CalloutKind};
use bytespike_ui::{Locale, Surface, Visit};
use http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use leptos::prelude::*;

/// Carries the secret that ties a request to this browser.
pub(super) const REQUEST_COOKIE: &str = "bs_txn";

/// `GET /oauth/authorize`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: Option<SignedIn>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(visit.query.as_bytes()).into_owned().collect();
    let visit = in_language(visit, &pairs, &headers);
    if let Some(off) = switched_off::page(&state, &visit, Feature::Programs).await {
        return Ok(off);
    }
    let resources = resources(state.urls.base(Surface::Gateway));
    let id = pairs.iter().find(|(name, _)| name == "client_id").map_or("", |(_, value)| value.as_str());
    let documents = state.client_documents.as_ref();
    match client_documents::refresh(documents, (&state.accounts, &visitor.origin), id).await {
        Ok(()) => {}
        Err(DocumentRefusal::Unavailable(error)) => return Err(error.into()),
        Err(DocumentRefusal::TooMany) => return Err(Problem::TooMany),
        Err(refusal) => return Ok(refuse_document(&visit, &visitor, &refusal).await),
    }
    match state.accounts.oauth.check(&pairs, &resources).await? {
        Err(Refused::Page(problem)) => Ok(refuse(&visit, &visitor, problem).await),
        Err(Refused::Redirect(back)) => Ok(see_other(&back.address(issuer(&state)))),
        Ok(checked) if checked.prompt == Prompt::Nothing => {
            let back = Back::unattended(&checked, who.is_some());
            Ok(see_other(&back.address(issuer(&state))))
        }
        Ok(checked) => begin(&state, &visit, &checked).await,
    }
}

async fn begin(state: &ConsoleState, visit: &Visit, checked: &Checked) -> Result<Response, Problem> {
    let begun = state.accounts.oauth.begin(checked).await?;
    let transport = state.options.transport;
    let (name, secure) =
        (transport.cookie_name(REQUEST_COOKIE), if transport.is_secure() { "; Secure" } else { "" });
    let cookie = format!(
        "{name}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        begun.browser_secret.expose(),
        TRANSACTION_MS / 1_000
    );
    let mut response = see_other(&visit.link(&format!("/oauth/consent?request={}", begun.id)));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Programs do not know the language in our addresses: it is the one they name, else the browser's.
fn in_language(visit: Visit, pairs: &[(String, String)], headers: &HeaderMap) -> Visit {
    let asked = pairs.iter().find(|(name, _)| name == "ui_locales").map(|(_, value)| value.as_str());
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let first = asked.or(accepted).unwrap_or_default().trim_start().to_ascii_lowercase();
    let locale = if visit.locale == Locale::Zh || first.starts_with("zh") { Locale::Zh } else { Locale::En };
    Visit { locale, ..visit }
}

async fn refuse(visit: &Visit, visitor: &Visitor, problem: PageProblem) -> Response {
    let t = &visit.t().oauth.refused;
    match problem {
        PageProblem::Repeated => say(visit, visitor, t.repeated, None).await,
        PageProblem::TooLong => say(visit, visitor, t.too_long, None).await,
        PageProblem::UnknownClient => say(visit, visitor, t.unknown_client, None).await,
        PageProblem::RedirectUri => say(visit, visitor, t.redirect_uri, None).await,
        PageProblem::Faulty(what) => say(visit, visitor, t.faulty, Some(what.to_owned())).await,
    }
}

async fn refuse_document(visit: &Visit, visitor: &Visitor, refusal: &DocumentRefusal) -> Response {
    say(visit, visitor, visit.t().oauth.refused.document, Some(refusal.to_string())).await
}

/// Nothing of the request stands on the page, not even in a form that leads back to it. `what` is for whoever makes the program.
async fn say(visit: &Visit, visitor: &Visitor, text: &'static str, what: Option<String>) -> Response {
    let visit = &Visit { query: String::new(), ..visit.clone() };
    let t = &visit.t().oauth.refused;
    let what = what.map(|what| view! { <p lang="en"><code>{what}</code></p> });
    let content = view! {
        <h1>{t.title}</h1>
        <Callout kind=CalloutKind::Warning><p>{text}</p>{what}</Callout>
        <p>{t.advice}</p>
    };
    let mut response = shell::narrow((visit, visitor), Titled::ok(t.title), content).await;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
