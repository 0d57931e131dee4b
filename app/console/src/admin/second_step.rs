//! The second step of an operator's sign-in: a code of the authenticator app, or a recovery code. An operator who has no
//! second factor is led to set one up; there is no way around it.
use super::sign_in::step;
use super::who::{Half, with_cookie};
use crate::forms::{Form, VisitorPost};
use crate::next;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::FactorError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden};
use leptos::prelude::*;

const PATH: &str = "/admin/sign-in/second-step";

/// `GET /admin/sign-in/second-step`
pub(super) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    Half(half): Half,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let next = Query::of(&visit).get("next").unwrap_or_default().to_owned();
    if state.accounts.operators.lacks_factor(&half).await? {
        return Ok(see_other(&step("/admin/sign-in/set-up", &visit, &next)));
    }
    Ok(show((&visit, &visitor), &Form::filled([("next", next)])).await)
}

/// `POST /admin/sign-in/second-step`
pub(super) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    Half(half): Half,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    match state.accounts.operators.second_step(&visitor.origin, &half, form.value("code")).await {
        Ok(cookie) => {
            let home = visit.link("/admin");
            let place = next::after_operator_sign_in(Some(form.value("next")), &home);
            Ok(with_cookie(&state, &cookie, see_other(&place)))
        }
        Err(FactorError::Unavailable(error)) => Err(error.into()),
        Err(_) => {
            form.refuse("code", visit.t().security.second_step.wrong);
            Ok(show((&visit, &visitor), &form).await)
        }
    }
}

async fn show((visit, visitor): (&Visit, &Visitor), form: &Form) -> Response {
    let t = &visit.t().security.second_step;
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link(PATH)>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="next" value=form.value("next")/>
            <Field
                id="code" label=t.code hint=t.code_hint.to_owned() nostrip:fault=form.fault("code")
                autocomplete="one-time-code"
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
        <p><a href=visit.link("/admin/sign-in")>{t.start_over}</a></p>
    };
    shell::narrow((visit, visitor), Titled::of(visit, t.title, form), content).await
}
