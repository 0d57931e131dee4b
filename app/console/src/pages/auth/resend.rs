//! Asking for the confirmation link again.
use crate::forms::{Form, VisitorPost};
use crate::problem::Problem;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::ResendError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `GET /console/resend`
pub(crate) async fn form(visit: Visit, visitor: Visitor) -> Response {
    show((&visit, &visitor), &Form::default()).await
}

/// `POST /console/resend`: the same answer for every address.
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    match state.accounts.people.resend_verification(&visitor.origin, form.value("email")).await {
        Ok(mail) => {
            state.mail.deliver(&state.urls, &visitor.id, mail);
            Ok(see_other(&visit.link("/console/check-mail")))
        }
        Err(ResendError::Email(_)) => {
            form.refuse("email", visit.t().auth.error.email_invalid);
            Ok(show((&visit, &visitor), &form).await)
        }
        Err(ResendError::TooMany) => Err(Problem::TooMany),
        Err(ResendError::Unavailable(error)) => Err(error.into()),
    }
}

async fn show((visit, visitor): (&Visit, &Visitor), form: &Form) -> Response {
    let t = &visit.t().auth;
    let titled =
        if form.has_faults() { Titled::faulty(visit, t.resend.title) } else { Titled::ok(t.resend.title) };
    let content = view! {
        <h1>{t.resend.title}</h1>
        <p>{t.resend.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/resend")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Field
                id="email" label=t.field.email kind=InputKind::Email value=form.value("email")
                nostrip:fault=form.fault("email") autocomplete="email"
            />
            <Button kind=ButtonKind::Primary>{t.resend.submit}</Button>
        </form>
    };
    shell::narrow((visit, visitor), titled, content).await
}
