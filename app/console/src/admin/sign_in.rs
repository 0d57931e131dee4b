//! The first step of an operator's sign-in, and signing out. Every reason not to is one and the same answer.
use super::who::{Operator, with_cookie, without_cookie};
use crate::flash::{self, Notice};
use crate::forms::{Form, VisitorPost, posted};
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytespike_accounts::csrf::Binding;
use bytespike_accounts::operators::OperatorSignInError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `GET /admin/sign-in`
pub(super) async fn form(operator: Option<Operator>, visit: Visit, visitor: Visitor) -> Response {
    if operator.is_some() {
        return see_other(&visit.link("/admin"));
    }
    let next = Query::of(&visit).get("next").unwrap_or_default().to_owned();
    show((&visit, &visitor), &Form::filled([("next", next)])).await
}

/// `POST /admin/sign-in`
pub(super) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    let typed = (form.value("email"), form.value("password"));
    match state.accounts.operators.sign_in(&visitor.origin, typed).await {
        Ok(cookie) => {
            let next = step("/admin/sign-in/second-step", &visit, form.value("next"));
            Ok(with_cookie(&state, &cookie, see_other(&next)))
        }
        Err(OperatorSignInError::Refused) => {
            form.refuse("email", visit.t().admin.sign_in.wrong);
            Ok(show((&visit, &visitor), &form).await)
        }
        Err(OperatorSignInError::Busy(busy)) => Err(busy.into()),
        Err(OperatorSignInError::Unavailable(error)) => Err(error.into()),
    }
}

/// `POST /admin/sign-out`: no proof is asked for; it only takes rights away.
pub(super) async fn sign_out(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
    request: Request,
) -> Result<Response, Response> {
    let form = posted::read(request, &state).await.map_err(IntoResponse::into_response)?;
    let binding = Binding::Operator(&operator.session.csrf_binding);
    posted::check(&state, binding, &form).map_err(IntoResponse::into_response)?;
    let ended = state.accounts.operators.sign_out(&operator.origin, &operator.session).await;
    ended.map_err(|error| Problem::from(error).into_response())?;
    let gone = see_other(&flash::with(&visit.link("/admin/sign-in"), Notice::SignedOut));
    Ok(without_cookie(&state, gone))
}

/// The address of a step, which remembers where the operator was going.
pub(super) fn step(path: &str, visit: &Visit, next: &str) -> String {
    match query::write(&[("next", next)]) {
        query if query.is_empty() => visit.link(path),
        query => format!("{}?{query}", visit.link(path)),
    }
}

async fn show((visit, visitor): (&Visit, &Visitor), form: &Form) -> Response {
    let (t, field) = (&visit.t().admin.sign_in, &visit.t().auth.field);
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/admin/sign-in")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="next" value=form.value("next")/>
            <Field
                id="email" label=field.email kind=InputKind::Email value=form.value("email") autocomplete="username"
            />
            <Field id="password" label=field.password kind=InputKind::Password autocomplete="current-password"/>
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
        <p class="hint">{t.lost} " " <code>"bytespike operator reset"</code></p>
        <p><a href=visit.link("/console/sign-in")>{t.not_operator}</a></p>
    };
    shell::narrow((visit, visitor), Titled::of(visit, t.title, form), content).await
}
