//! Choosing a new password with the link from a mail. Does not sign in.
use crate::cut_programs;
use crate::flash::{self, Notice};
use crate::forms::{Form, VisitorPost, words};
use crate::pages::auth::dead_link;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::ResetError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `GET /console/reset?token=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let token = Query::of(&visit).get("token").unwrap_or_default().to_owned();
    show(&state, (&visit, &visitor), &Form::filled([("token", token)])).await
}

/// `POST /console/reset`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    let people = &state.accounts.people;
    match people.reset_password(&visitor.origin, form.value("token"), form.value("password")).await {
        Ok(reset) => {
            state.mail.deliver(&state.urls, &visitor.id, reset.letter).await;
            cut_programs::after(&state, (&visitor.origin, &reset.person_id), &form).await?;
            Ok(see_other(&flash::with(&visit.link("/console/sign-in"), Notice::PasswordReset)))
        }
        Err(ResetError::Password(problem)) => {
            form.refuse("password", words::password(visit.locale, &problem));
            show(&state, (&visit, &visitor), &form).await
        }
        Err(ResetError::Dead | ResetError::Email(_)) => {
            Ok(dead_link((&visit, &visitor), "/console/forgot").await)
        }
        Err(ResetError::TooMany) => Err(Problem::TooMany),
        Err(ResetError::Busy(busy)) => Err(busy.into()),
        Err(ResetError::Unavailable(error)) => Err(error.into()),
    }
}

async fn show(
    state: &ConsoleState,
    (visit, visitor): (&Visit, &Visitor),
    form: &Form,
) -> Result<Response, Problem> {
    let Some(person_id) = state.accounts.people.reset_is_for(form.value("token")).await? else {
        return Ok(dead_link((visit, visitor), "/console/forgot").await);
    };
    let apps = state.accounts.oauth.count_apps(&person_id).await?;
    let t = &visit.t().auth;
    let titled = Titled::of(visit, t.reset.title, form);
    let content = view! {
        <h1>{t.reset.title}</h1>
        <p>{t.reset.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/reset")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="token" value=form.value("token")/>
            <Field
                id="password" label=t.field.new_password kind=InputKind::Password hint=words::password_hint(visit.locale)
                nostrip:fault=form.fault("password") autocomplete="new-password"
            />
            {cut_programs::offer(visit, apps)}
            <Button kind=ButtonKind::Primary>{t.reset.submit}</Button>
        </form>
    };
    Ok(shell::narrow((visit, visitor), titled, content).await)
}
