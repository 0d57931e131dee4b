//! `/oauth/consent`: one program's request, and the person's decision about it. The answer is a page that takes the browser
//! back to the program, because a form may not redirect to another site.
use crate::forms::{Form, SignedPost};
use crate::pages::oauth::authorize::REQUEST_COOKIE;
use crate::pages::oauth::decision::{self, Asked, Question};
use crate::pages::oauth::{interstitial, is_fresh, issuer, sign_in_again};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled};
use crate::state::ConsoleState;
use crate::switched_off;
use crate::who::{SignedIn, cookie_value};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::csrf::Binding;
use bytespike_accounts::oauth::consent::{DecideError, Waiting};
use bytespike_accounts::secrets::SecretText;
use bytespike_accounts::switches::Feature;
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, Hidden};
use http::{HeaderMap, StatusCode};
use leptos::prelude::*;

/// `GET /oauth/consent?request=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = Query::of(&visit).get("request").unwrap_or_default().to_owned();
    let Some(waiting) = waiting(&state, &headers, &id).await? else { return Ok(over(&visit).await) };
    if !is_fresh(&state, &who, waiting.must_sign_in_after_ms) {
        return Ok(sign_in_again(&visit));
    }
    let question = question(&state, (&visit, &who), &waiting).await?;
    let form = decision::opening(&question, &who);
    Ok(show(&state, (&visit, &who), (&waiting, &question), &form).await)
}

/// `POST /oauth/consent`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    headers: HeaderMap,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let id = form.value("request").to_owned();
    let about = Binding::Decision { session: &who.session.csrf_binding, about: &id };
    if !state.accounts.csrf.verify(about, form.value("decision_token")) {
        return Err(Problem::Forbidden);
    }
    let Some(waiting) = waiting(&state, &headers, &id).await? else { return Ok(over(&visit).await) };
    if !is_fresh(&state, &who, waiting.must_sign_in_after_ms) {
        return Err(Problem::Forbidden);
    }
    let from = (&who.origin, issuer(&state));
    if form.value("decision") != "allow" {
        let decided = state.accounts.oauth.deny(from, &waiting, &who.member).await;
        return answered(&visit, &waiting, decided).await;
    }
    if let Some(off) = switched_off::page(&state, &visit, Feature::Programs).await {
        return Ok(off);
    }
    let question = question(&state, (&visit, &who), &waiting).await?;
    let Some((member, allowed)) = decision::read(&mut form, &visit, &question) else {
        return Ok(show(&state, (&visit, &who), (&waiting, &question), &form).await);
    };
    let decided = state.accounts.oauth.allow(from, &waiting, member, &allowed).await;
    answered(&visit, &waiting, decided).await
}

async fn answered(
    visit: &Visit,
    waiting: &Waiting,
    decided: Result<SecretText, DecideError>,
) -> Result<Response, Problem> {
    match decided {
        Ok(address) => Ok(interstitial::page(visit, &waiting.client.name, address.expose()).await),
        Err(DecideError::Over) => Ok(over(visit).await),
        Err(DecideError::Forbidden | DecideError::TooWide) => Err(Problem::Forbidden),
        Err(DecideError::Unavailable(error)) => Err(error.into()),
    }
}

async fn question<'a>(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    waiting: &'a Waiting,
) -> Result<Question<'a>, Problem> {
    let Waiting { client, scopes, key_request, .. } = waiting;
    let place = client.place(&waiting.redirect_uri);
    let here = visit.link(&format!("/oauth/consent?request={}", waiting.id));
    Question::of((state, who), Asked { client, scopes, key_request }, (Some(place), here)).await
}

async fn waiting(state: &ConsoleState, headers: &HeaderMap, id: &str) -> Result<Option<Waiting>, Problem> {
    let name = state.options.transport.cookie_name(REQUEST_COOKIE);
    let Some(secret) = cookie_value(headers, &name) else { return Ok(None) };
    Ok(state.accounts.oauth.waiting(id, &secret).await?)
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (waiting, question): (&Waiting, &Question<'_>),
    form: &Form,
) -> Response {
    let title = visit.t().oauth.consent.title(&waiting.client.name);
    let titled = if form.has_faults() { Titled::faulty(visit, &title) } else { Titled::ok(title.as_str()) };
    let about = Binding::Decision { session: &who.session.csrf_binding, about: &waiting.id };
    let decision_token = state.accounts.csrf.token(about);
    let content = view! {
        <h1>{title}</h1>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/oauth/consent")>
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name="request" value=waiting.id.clone()/>
            <Hidden name="decision_token" value=decision_token/>
            {decision::view(visit, who, form, question)}
        </form>
    };
    shell::narrow_signed_in(visit, titled, content).await
}

/// Decided already, too old, or another browser's: there is nothing to decide here.
async fn over(visit: &Visit) -> Response {
    let t = &visit.t().oauth.over;
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        <p class="actions"><ButtonLink kind=ButtonKind::Primary href=visit.link("/console")>{t.home}</ButtonLink></p>
    };
    let mut response = shell::narrow_signed_in(visit, Titled::ok(t.title), content).await;
    *response.status_mut() = StatusCode::CONFLICT;
    response
}
