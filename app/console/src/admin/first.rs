//! The one-time address at which the first operator signs up. Once there was one, it is a page that never existed.
use crate::forms::{Form, VisitorPost, words};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::operators::{NewOperator, OperatorError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `GET /admin/first?token=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let token = Query::of(&visit).get("token").unwrap_or_default().to_owned();
    if !state.accounts.operators.first_run_open(&token).await? {
        return Err(Problem::NotFound);
    }
    Ok(show((&visit, &visitor), &Form::filled([("token", token)])).await)
}

/// `POST /admin/first`: of two at once, one becomes the operator.
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    let (email, name) = (form.value("email"), form.value("name"));
    let new = NewOperator { email, name, password: form.value("password") };
    match state.accounts.operators.create_first(&visitor.origin, form.value("token"), new).await {
        Ok(_) => Ok(done(&visit, &visitor).await),
        Err(error) => {
            refuse(&mut form, &visit, error)?;
            Ok(show((&visit, &visitor), &form).await)
        }
    }
}

fn refuse(form: &mut Form, visit: &Visit, error: OperatorError) -> Result<(), Problem> {
    let (t, auth) = (&visit.t().operator, &visit.t().auth.error);
    match error {
        OperatorError::Email(_) => form.refuse("email", auth.email_invalid),
        OperatorError::Name(_) => form.refuse("name", t.name_fault),
        OperatorError::Password(problem) => form.refuse("password", words::password(visit.locale, &problem)),
        OperatorError::Dead | OperatorError::Exists | OperatorError::Unknown => {
            return Err(Problem::NotFound);
        }
        OperatorError::Busy(busy) => return Err(busy.into()),
        OperatorError::Unavailable(error) => return Err(error.into()),
    }
    Ok(())
}

async fn show((visit, visitor): (&Visit, &Visitor), form: &Form) -> Response {
    let (t, field) = (&visit.t().operator, &visit.t().auth.field);
    let titled = Titled::of(visit, t.title, form);
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/admin/first")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="token" value=form.value("token")/>
            <Field
                id="name" label=t.name value=form.value("name") nostrip:fault=form.fault("name")
                autocomplete="name"
            />
            <Field
                id="email" label=field.email kind=InputKind::Email value=form.value("email")
                nostrip:fault=form.fault("email") autocomplete="email"
            />
            <Field
                id="password" label=field.password kind=InputKind::Password hint=words::password_hint(visit.locale)
                nostrip:fault=form.fault("password") autocomplete="new-password"
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
    };
    shell::narrow((visit, visitor), titled, content).await
}

async fn done(visit: &Visit, visitor: &Visitor) -> Response {
    let t = &visit.t().operator;
    let content = view! {
        <h1>{t.done_title}</h1>
        <p>{t.done}</p>
        <p class="actions">
            <ButtonLink kind=ButtonKind::Primary href=visit.link("/admin/sign-in")>{t.sign_in}</ButtonLink>
        </p>
        <p><a href=visit.link("/docs/self-hosting")>{t.done_link}</a></p>
    };
    shell::narrow((visit, visitor), Titled::ok(t.done_title), content).await
}
