//! Setting up an authenticator app, and taking it away. The secret that is offered waits in the browser's session, sealed,
//! until a code of it is right; only then is there a second factor.
use crate::cut_programs;
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::security::{PATH, codes, subject};
use crate::problem::Problem;
use crate::qr::qr;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::{FactorError, Offer};
use bytespike_accounts::mail::{Mail, Notice as Letter};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, CopyField, Field, Hidden};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use leptos::prelude::*;

/// The entry of the session that holds the sealed offer.
const OFFER: &str = "factor_offer";

/// `POST /console/settings/security/app/begin`
pub(crate) async fn begin(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = &post.who;
    if state.accounts.factors.is_on(subject(who)).await? {
        return Ok(see_other(&visit.link(PATH)));
    }
    let offer = state.accounts.factors.offer(subject(who), who.member.email()).ok_or(Problem::NotFound)?;
    who.cookie.insert(OFFER, offer.sealed).await?;
    Ok(see_other(&address(&visit)))
}

/// `GET /console/settings/security/app`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    match offered(&state, &who).await? {
        Some(offer) => show(&state, (&visit, &who), &offer, &Form::default()).await,
        None => Ok(see_other(&visit.link(PATH))),
    }
}

/// `POST /console/settings/security/app`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let Some(offer) = offered(&state, &who).await? else { return Ok(see_other(&visit.link(PATH))) };
    let (factors, keep) = (&state.accounts.factors, (subject(&who), Some(&who.session)));
    match factors.turn_on(&who.origin, keep, (&offer.sealed, form.value("code"))).await {
        Ok(made) => {
            who.cookie.remove::<String>(OFFER).await?;
            codes::keep(&state, &who, &made).await?;
            tell(&state, &who, Letter::FactorOn).await;
            state.accounts.sessions.renew(&who.cookie).await?;
            cut_programs::after(&state, (&who.origin, who.member.person_id()), &form).await?;
            Ok(see_other(&flash::with(&codes::address(&visit), Notice::FactorOn)))
        }
        Err(FactorError::Refused) => {
            form.refuse("code", visit.t().security.app.wrong);
            show(&state, (&visit, &who), &offer, &form).await
        }
        Err(FactorError::AlreadyOn | FactorError::Lapsed) => Ok(see_other(&visit.link(PATH))),
        Err(FactorError::Unavailable(error)) => Err(error.into()),
    }
}

/// `POST /console/settings/security/app/off`
pub(crate) async fn turn_off(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = &post;
    if state.accounts.factors.turn_off(&who.origin, subject(who), &who.session).await? {
        tell(&state, who, Letter::FactorOff).await;
        state.accounts.sessions.renew(&who.cookie).await?;
        cut_programs::after(&state, (&who.origin, who.member.person_id()), form).await?;
    }
    Ok(see_other(&flash::with(&visit.link(PATH), Notice::FactorOff)))
}

/// Sends the person a letter about a change.
pub(super) async fn tell(state: &ConsoleState, who: &SignedIn, letter: Letter) {
    state.mail.deliver(&state.urls, &who.anonymous, Mail::notice(&who.member, letter)).await;
}

fn address(visit: &Visit) -> String {
    visit.link(&format!("{PATH}/app"))
}

async fn offered(state: &ConsoleState, who: &SignedIn) -> Result<Option<Offer>, Problem> {
    let Some(sealed) = who.cookie.get::<String>(OFFER).await? else { return Ok(None) };
    Ok(state.accounts.factors.offered(subject(who), who.member.email(), &sealed))
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    offer: &Offer,
    form: &Form,
) -> Result<Response, Problem> {
    let t = &visit.t().security;
    let apps = state.accounts.oauth.count_apps(who.member.person_id()).await?;
    let above = vec![
        (visit.link("/console/settings"), t.page.tabs.to_owned()),
        (visit.link(PATH), t.page.title.to_owned()),
    ];
    let content = view! {
        <div><Breadcrumbs locale=visit.locale above=above here=t.app.title/><h1>{t.app.title}</h1></div>
        {form.summary(visit.locale)}
        <section class="stack">
            <div><h2>{t.app.scan_title}</h2><p class="soft">{t.app.scan}</p></div>
            {qr(offer.address.expose(), t.app.qr)}
            <p class="narrow-only"><a href=offer.address.expose().to_owned()>{t.app.open}</a></p>
            <div class="sheet">
                <CopyField locale=visit.locale id="secret" label=t.app.typed value=offer.typed.expose()/>
            </div>
        </section>
        <section class="stack">
            <h2>{t.app.code_title}</h2>
            <form method="post" action=address(visit) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="code" label=t.app.code hint=t.app.code_hint.to_owned() nostrip:fault=form.fault("code")
                    autocomplete="one-time-code"
                />
                {cut_programs::offer(visit, apps)}
                <p class="actions">
                    <Button kind=ButtonKind::Primary>{t.app.submit}</Button>
                    <ButtonLink kind=ButtonKind::Quiet href=visit.link(PATH)>{t.app.cancel}</ButtonLink>
                </p>
            </form>
        </section>
    };
    let titled = Titled::of(visit, t.app.title, form);
    let mut response = shell::signed_in((visit, who), Section::Settings, titled, content).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}
