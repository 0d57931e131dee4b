//! Signing in with another provider, and linking an account of theirs: the form that sends people there, and where they
//! come back to. The form ends on a page that leads onward, not in a redirect, because `form-action` would hold that to us.
use crate::flash::{self, Notice};
use crate::forms::VisitorPost;
use crate::outbox::{language_of, locale_of};
use crate::pages::auth::{land::land, second_step, verify};
use crate::pages::oauth::interstitial;
use crate::problem::Problem;
use crate::providers::{Answer, Provider, ProviderError};
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::switched_off;
use crate::who::{SignedIn, Visitor};
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::identities::{Arrival, ArrivalError, Errand, LinkError, Purpose, Verified};
use bytespike_accounts::people::FirstStep;
use bytespike_accounts::sessions::Session;
use bytespike_accounts::switches::{Feature, NotAdmitted};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, Callout, CalloutKind, Hidden};
use http::StatusCode;
use leptos::prelude::*;

/// Why nobody came in. What exactly was wrong is in the log.
#[derive(Clone, Copy)]
enum Refusal {
    /// The errand is not this browser's, was run already, or took too long.
    Lapsed,
    /// They said no over there.
    Denied,
    Unreachable,
    Invalid,
    NoVerifiedMail,
    MailHasAccount,
    SignUpClosed,
    NotInvited,
    Domain,
    /// An operator has to let the account in.
    Waits,
    Inactive,
    Taken,
}

/// `POST /console/auth/{provider}`
pub(crate) async fn begin(
    State(state): State<ConsoleState>,
    Path(provider): Path<String>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::Providers).await {
        return Ok(off);
    }
    let purpose = Purpose::SignIn { next: post.form.value("next").to_owned() };
    let sent = send(&state, &visit, (&provider, &post.visitor.id), purpose).await?;
    match sent {
        Ok(page) => Ok(post.visitor.remember(page)),
        Err(refusal) => Ok(refuse(&visit, &post.visitor, refusal).await),
    }
}

/// Puts the errand aside and answers the page that leads to the provider.
async fn send(
    state: &ConsoleState,
    visit: &Visit,
    (provider, browser): (&str, &str),
    purpose: Purpose,
) -> Result<Result<Response, Refusal>, Problem> {
    let provider = state.providers.find(provider).ok_or(Problem::NotFound)?;
    let errand = (purpose, language_of(visit.locale));
    let sent = state.accounts.identities.send((&provider.id, browser), errand).await?;
    let address = match provider.address(&sent, state.world.now_ms()).await {
        Ok(address) => address,
        Err(error) => return Ok(Err(refused(provider, &error))),
    };
    let t = &visit.t().security.provider;
    let words = (t.going_title(&provider.name), t.going_link, t.going_lead);
    Ok(Ok(interstitial::onward(visit, words, &address).await))
}

/// The page that leads to a provider to link an account there. For a form behind sign-in.
pub(crate) async fn send_to_link(
    state: &ConsoleState,
    (visit, visitor, who): (&Visit, &Visitor, &SignedIn),
    provider: &str,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(state, visit, Feature::Providers).await {
        return Ok(off);
    }
    let purpose = Purpose::Link { person_id: who.member.person_id().to_owned() };
    match send(state, visit, (provider, &visitor.id), purpose).await? {
        Ok(page) => Ok(page),
        Err(refusal) => Ok(refuse(visit, visitor, refusal).await),
    }
}

/// `GET /console/auth/{provider}/callback?code=…&state=…`
pub(crate) async fn callback(
    State(state): State<ConsoleState>,
    Path(provider): Path<String>,
    visit: Visit,
    session: Session,
    (who, visitor): (Option<SignedIn>, Visitor),
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::Providers).await {
        return Ok(off);
    }
    let provider = state.providers.find(&provider).ok_or(Problem::NotFound)?;
    let query = Query::of(&visit);
    let state_value = query.get("state").unwrap_or_default();
    let identities = &state.accounts.identities;
    let Some(errand) = identities.take(&provider.id, &visitor.id, state_value).await? else {
        return Ok(refuse(&visit, &visitor, Refusal::Lapsed).await);
    };
    let visit = Visit { locale: locale_of(errand.language), ..visit.clone() };
    let verified = match verify_answer(&state, provider, &query, &errand).await {
        Ok(verified) => verified,
        Err(refusal) => return Ok(refuse(&visit, &visitor, refusal).await),
    };
    match &errand.purpose {
        Purpose::SignIn { next } => {
            sign_in(&state, (&visit, &visitor, &session), (&verified, &errand, next)).await
        }
        Purpose::Link { person_id } => match who.filter(|who| who.member.person_id() == person_id) {
            Some(who) => link(&state, (&visit, &visitor), (&who, &verified, provider)).await,
            None => Ok(refuse(&visit, &visitor, Refusal::Lapsed).await),
        },
    }
}

async fn verify_answer(
    state: &ConsoleState,
    provider: &Provider,
    query: &Query,
    errand: &Errand,
) -> Result<Verified, Refusal> {
    let code = match (query.get("error"), query.get("code")) {
        (None, Some(code)) => code,
        (Some("access_denied"), _) => return Err(Refusal::Denied),
        _ => return Err(Refusal::Invalid),
    };
    let answer = Answer {
        code,
        issuer: query.get("iss"),
        nonce: &errand.nonce,
        verifier: &errand.verifier,
        now_ms: state.world.now_ms(),
    };
    provider.verify(&answer).await.map_err(|error| refused(provider, &error))
}

fn refused(provider: &Provider, error: &ProviderError) -> Refusal {
    tracing::warn!(%error, provider = %provider.id, "a sign-in with another provider failed");
    match error {
        ProviderError::Unreachable(_) => Refusal::Unreachable,
        ProviderError::Invalid(_) => Refusal::Invalid,
    }
}

async fn sign_in(
    state: &ConsoleState,
    (visit, visitor, session): (&Visit, &Visitor, &Session),
    (verified, errand, next): (&Verified, &Errand, &str),
) -> Result<Response, Problem> {
    let arrived = state.accounts.identities.arrive(&visitor.origin, verified, errand.language).await;
    let Arrival { step, trial } = match arrived {
        Ok(arrival) => arrival,
        Err(error) => return Ok(refuse(visit, visitor, refusal_of(error)?).await),
    };
    if let Some(due) = &trial {
        verify::welcome(state, due).await;
    }
    match step {
        FirstStep::Done(member) => land(state, (visit, visitor, session), (&member, next)).await,
        FirstStep::SecondFactor { person_id } => {
            state.accounts.sessions.begin_second_step(session, &person_id).await?;
            Ok(see_other(&second_step::address(visit, next)))
        }
    }
}

fn refusal_of(error: ArrivalError) -> Result<Refusal, Problem> {
    Ok(match error {
        ArrivalError::NoVerifiedMail => Refusal::NoVerifiedMail,
        ArrivalError::MailHasAccount => Refusal::MailHasAccount,
        ArrivalError::NotAdmitted(NotAdmitted::Closed) => Refusal::SignUpClosed,
        ArrivalError::NotAdmitted(NotAdmitted::NotInvited) => Refusal::NotInvited,
        ArrivalError::NotAdmitted(NotAdmitted::Domain) => Refusal::Domain,
        ArrivalError::Waits => Refusal::Waits,
        ArrivalError::Inactive => Refusal::Inactive,
        ArrivalError::Unavailable(error) => return Err(error.into()),
    })
}

async fn link(
    state: &ConsoleState,
    (visit, visitor): (&Visit, &Visitor),
    (who, verified, provider): (&SignedIn, &Verified, &Provider),
) -> Result<Response, Problem> {
    let identities = &state.accounts.identities;
    match identities.link(&who.origin, &who.member, (verified, &provider.name)).await {
        Ok(letter) => {
            state.mail.deliver(&state.urls, &visitor.id, letter).await;
            let home = visit.link("/console/settings/security");
            Ok(see_other(&flash::with(&home, Notice::IdentityLinked)))
        }
        Err(LinkError::Taken) => Ok(refuse(visit, visitor, Refusal::Taken).await),
        Err(LinkError::Unavailable(error)) => Err(error.into()),
    }
}

/// One of a few texts: nothing the provider said stands on the page.
async fn refuse(visit: &Visit, visitor: &Visitor, refusal: Refusal) -> Response {
    let visit = &Visit { query: String::new(), ..visit.clone() };
    let t = &visit.t().security.provider;
    let text = match refusal {
        Refusal::Lapsed => t.lapsed,
        Refusal::Denied => t.denied,
        Refusal::Unreachable => t.unreachable,
        Refusal::Invalid => t.invalid,
        Refusal::NoVerifiedMail => t.no_verified_mail,
        Refusal::MailHasAccount => t.mail_has_account,
        Refusal::SignUpClosed => t.sign_up_closed,
        Refusal::NotInvited => visit.t().switches.sign_up.not_invited,
        Refusal::Domain => visit.t().switches.sign_up.other_domain,
        Refusal::Waits => visit.t().switches.sign_up.waits,
        Refusal::Inactive => t.inactive,
        Refusal::Taken => t.taken,
    };
    let href = visit.link("/console/sign-in");
    let content = view! {
        <h1>{t.refused_title}</h1>
        <Callout kind=CalloutKind::Warning><p>{text}</p></Callout>
        <p><ButtonLink kind=ButtonKind::Primary href=href>{t.to_sign_in}</ButtonLink></p>
    };
    let mut response = shell::narrow((visit, visitor), Titled::ok(t.refused_title), content).await;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// The buttons under the forms of signing in and up; nothing where no provider is configured.
pub(super) fn buttons(
    state: &ConsoleState,
    (visit, visitor): (&Visit, &Visitor),
    next: &str,
) -> Vec<AnyView> {
    let t = &visit.t().security.provider;
    let button = |provider: &Provider| {
        let action = visit.link(&format!("/console/auth/{}", provider.id));
        let label = t.go_on_with(&provider.name);
        view! {
            <form method="post" action=action>
                <Hidden name="csrf" value=visitor.token.clone()/>
                <Hidden name="next" value=next/>
                <Button>{label}</Button>
            </form>
        }
        .into_any()
    };
    let offered = state.providers.all().iter().filter(|_| state.accounts.switches.is_on(Feature::Providers));
    offered.map(button).collect()
}
