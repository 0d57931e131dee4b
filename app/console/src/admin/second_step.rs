//! The second step of an operator's sign-in: a code of the authenticator app, or a recovery code. An operator who has no
//! second factor is led to set one up; there is no way around it.
use super::sign_in::step;
use super::who::{Half, with_cookie};
use crate::forms::{Form, VisitorPost};
use crate::next;
use crate::pages::auth::second_step::question;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::FactorError;
use bytespike_ui::Visit;

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

async fn show(reader: (&Visit, &Visitor), form: &Form) -> Response {
    question(reader, (form, None), (PATH, "/admin/sign-in")).await
}
