//! Asking for a link to choose a new password.
use crate::forms::{Form, VisitorPost};
use crate::problem::Problem;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::ResetError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `GET /console/forgot`
pub(crate) async fn form(visit: Visit, visitor: Visitor) -> Response {
    show((&visit, &visitor), &Form::default()).await
}

/// `POST /console/forgot`: the same answer for every address.
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    match state.accounts.people.request_reset(&visitor.origin, form.value("email")).await {
        Ok(mail) => {
            state.mail.deliver(&state.urls, &visitor.id, mail);
            Ok(see_other(&visit.link("/console/check-mail")))
        }
        Err(ResetError::TooMany) => Err(Problem::TooMany),
        Err(ResetError::Busy(busy)) => Err(busy.into()),
        Err(ResetError::Unavailable(error)) => Err(error.into()),
        Err(ResetError::Email(_) | ResetError::Dead | ResetError::Password(_)) => {
            form.refuse("email", visit.t().auth.error.email_invalid);
            Ok(show((&visit, &visitor), &form).await)
        }
    }
}

async fn show((visit, visitor): (&Visit, &Visitor), form: &Form) -> Response {
    let t = &visit.t().auth;
    let title = t.reset_request.title;
    let titled = if form.has_faults() { Titled::faulty(visit, title) } else { Titled::ok(title) };
    let content = view! {
        <h1>{title}</h1>
        <p>{t.reset_request.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/forgot")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Field
                id="email" label=t.field.email kind=InputKind::Email value=form.value("email")
                nostrip:fault=form.fault("email") autocomplete="email"
            />
            <Button kind=ButtonKind::Primary>{t.reset_request.submit}</Button>
        </form>
        <p><a href=visit.link("/console/sign-in")>{t.check_mail.back}</a></p>
    };
    shell::narrow((visit, visitor), titled, content).await
}
