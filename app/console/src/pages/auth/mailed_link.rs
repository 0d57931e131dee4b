//! Asking for a link by mail: to confirm an address again, or to choose a new password. The same answer for every
//! address, so that nobody learns which ones are known.
use crate::forms::{Form, VisitorPost};
use crate::problem::Problem;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::mail::Mail;
use bytespike_accounts::people::{ResendError, ResetError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use leptos::prelude::*;

/// Which link is asked for.
#[derive(Clone, Copy)]
enum Link {
    Confirmation,
    NewPassword,
}

/// Why no link goes out.
enum Refused {
    Email,
    Problem(Problem),
}

/// `GET /console/resend`
pub(crate) async fn confirmation_form(visit: Visit, visitor: Visitor) -> Response {
    show((&visit, &visitor), Link::Confirmation, &Form::default()).await
}

/// `POST /console/resend`
pub(crate) async fn send_confirmation(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let asked =
        state.accounts.people.resend_verification(&post.visitor.origin, post.form.value("email")).await;
    answer((&state, &visit), Link::Confirmation, post, asked.map_err(Refused::from)).await
}

/// `GET /console/forgot`
pub(crate) async fn reset_form(visit: Visit, visitor: Visitor) -> Response {
    show((&visit, &visitor), Link::NewPassword, &Form::default()).await
}

/// `POST /console/forgot`
pub(crate) async fn send_reset(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let asked = state.accounts.people.request_reset(&post.visitor.origin, post.form.value("email")).await;
    answer((&state, &visit), Link::NewPassword, post, asked.map_err(Refused::from)).await
}

async fn answer(
    (state, visit): (&ConsoleState, &Visit),
    link: Link,
    post: VisitorPost,
    asked: Result<Option<Mail>, Refused>,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    match asked {
        Ok(mail) => {
            state.mail.deliver(&state.urls, &visitor.id, mail).await;
            Ok(see_other(&visit.link("/console/check-mail")))
        }
        Err(Refused::Email) => {
            form.refuse("email", visit.t().auth.error.email_invalid);
            Ok(show((visit, &visitor), link, &form).await)
        }
        Err(Refused::Problem(problem)) => Err(problem),
    }
}

impl From<ResendError> for Refused {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Email(_) => Self::Email,
            ResendError::TooMany => Self::Problem(Problem::TooMany),
            ResendError::Unavailable(error) => Self::Problem(error.into()),
        }
    }
}

impl From<ResetError> for Refused {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Email(_) | ResetError::Dead | ResetError::Password(_) => Self::Email,
            ResetError::TooMany => Self::Problem(Problem::TooMany),
            ResetError::Busy(busy) => Self::Problem(busy.into()),
            ResetError::Unavailable(error) => Self::Problem(error.into()),
        }
    }
}

async fn show((visit, visitor): (&Visit, &Visitor), link: Link, form: &Form) -> Response {
    let t = &visit.t().auth;
    let (path, title, lead, submit) = match link {
        Link::Confirmation => ("/console/resend", t.resend.title, t.resend.lead, t.resend.submit),
        Link::NewPassword => {
            ("/console/forgot", t.reset_request.title, t.reset_request.lead, t.reset_request.submit)
        }
    };
    let content = view! {
        <h1>{title}</h1>
        <p>{lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link(path)>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Field
                id="email" label=t.field.email kind=InputKind::Email value=form.value("email")
                nostrip:fault=form.fault("email") autocomplete="email"
            />
            <Button kind=ButtonKind::Primary>{submit}</Button>
        </form>
        <p><a href=visit.link("/console/sign-in")>{t.check_mail.back}</a></p>
    };
    shell::narrow((visit, visitor), Titled::of(visit, title, form), content).await
}
