//! The second step of signing in: a code of the authenticator app, or a recovery code. Only the browser whose first step
//! was right is asked, and nobody is signed in before.
use crate::forms::{Form, VisitorPost};
use crate::pages::auth::land::land;
use crate::pages::auth::passkey;
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::FactorError;
use bytespike_accounts::people::SecondStepError;
use bytespike_accounts::sessions::Session;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden};
use leptos::prelude::*;

const PATH: &str = "/console/sign-in/second-step";

/// Where the first step leads when there is a second one.
pub(super) fn address(visit: &Visit, next: &str) -> String {
    match query::write(&[("next", next)]) {
        query if query.is_empty() => visit.link(PATH),
        query => format!("{}?{query}", visit.link(PATH)),
    }
}

/// `GET /console/sign-in/second-step`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    session: Session,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let Some(person_id) = state.accounts.sessions.second_step(&session).await? else {
        return Ok(see_other(&visit.link("/console/sign-in")));
    };
    let next = Query::of(&visit).get("next").unwrap_or_default().to_owned();
    show(&state, (&visit, &visitor), (&person_id, &Form::filled([("next", next)]))).await
}

/// `POST /console/sign-in/second-step`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    session: Session,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    let Some(person_id) = state.accounts.sessions.second_step(&session).await? else {
        return Ok(see_other(&visit.link("/console/sign-in")));
    };
    match state.accounts.people.second_step(&visitor.origin, &person_id, form.value("code")).await {
        Ok((member, letter)) => {
            if letter.is_some() {
                state.mail.deliver(&state.urls, &visitor.id, letter).await;
            }
            land(&state, (&visit, &visitor, &session), (&member, form.value("next"))).await
        }
        Err(SecondStepError::Inactive) => Ok(see_other(&visit.link("/console/sign-in"))),
        Err(
            SecondStepError::Unavailable(error) | SecondStepError::Factor(FactorError::Unavailable(error)),
        ) => Err(error.into()),
        Err(SecondStepError::Factor(_)) => {
            form.refuse("code", visit.t().security.second_step.wrong);
            show(&state, (&visit, &visitor), (&person_id, &form)).await
        }
    }
}

/// `POST /console/sign-in/second-step/passkey`: of the person whose first step was right, and of nobody else.
pub(crate) async fn submit_passkey(
    State(state): State<ConsoleState>,
    visit: Visit,
    session: Session,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    let Some(person_id) = state.accounts.sessions.second_step(&session).await? else {
        return Ok(see_other(&visit.link("/console/sign-in")));
    };
    let proven = passkey::prove(&state, &visitor, &form).await?.filter(|proven| *proven == person_id);
    let member = match proven {
        Some(person_id) => state.accounts.people.sign_in_with_passkey(&visitor.origin, &person_id).await?,
        None => None,
    };
    match member {
        Some(member) => land(&state, (&visit, &visitor, &session), (&member, form.value("next"))).await,
        None => {
            form.refuse("code", visit.t().security.passkey.wrong);
            show(&state, (&visit, &visitor), (&person_id, &form)).await
        }
    }
}

async fn show(
    state: &ConsoleState,
    reader: (&Visit, &Visitor),
    (person_id, form): (&str, &Form),
) -> Result<Response, Problem> {
    let has_passkeys = !state.accounts.passkeys.list(person_id).await?.is_empty();
    let action = format!("{PATH}/passkey");
    let other = has_passkeys.then(|| passkey::part(state, reader, (&action, form.value("next"))));
    Ok(question(reader, (form, other.flatten()), (PATH, "/console/sign-in")).await)
}

/// Asks for the code: of a person, and of an operator at an address of theirs. `other` is another way than a code, and
/// `start` is where the way in begins.
pub(crate) async fn question(
    (visit, visitor): (&Visit, &Visitor),
    (form, other): (&Form, Option<AnyView>),
    (action, start): (&str, &str),
) -> Response {
    let t = &visit.t().security.second_step;
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link(action)>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="next" value=form.value("next")/>
            <Field
                id="code" label=t.code hint=t.code_hint.to_owned() nostrip:fault=form.fault("code")
                autocomplete="one-time-code"
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
        {other}
        <p><a href=visit.link(start)>{t.start_over}</a></p>
    };
    shell::narrow((visit, visitor), Titled::of(visit, t.title, form), content).await
}
