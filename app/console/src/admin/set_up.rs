//! Setting up the second factor that operators must have: nothing else opens before. The secret that is offered waits in the
//! half-made session, sealed, until a code of it is right; then the operator is signed in.
use super::shell::unreferred;
use super::sign_in::step;
use super::who::{Half, with_cookie};
use crate::forms::{Form, VisitorPost};
use crate::problem::Problem;
use crate::qr::qr;
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::{FactorError, Offer};
use bytespike_accounts::operators::HalfSignedIn;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, CopyField, Field, Hidden};
use leptos::prelude::*;

const PATH: &str = "/admin/sign-in/set-up";
const CODES: &str = "/admin/account/codes";

/// `GET /admin/sign-in/set-up`
pub(super) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    Half(half): Half,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let next = Query::of(&visit).get("next").unwrap_or_default().to_owned();
    let form = Form::filled([("next", next)]);
    show(&state, (&visit, &visitor), &half, &form).await
}

/// `POST /admin/sign-in/set-up`
pub(super) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    Half(half): Half,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    match state.accounts.operators.set_up(&visitor.origin, &half, form.value("code")).await {
        Ok(cookie) => {
            let shown = step(CODES, &visit, form.value("next"));
            Ok(with_cookie(&state, &cookie, see_other(&shown)))
        }
        Err(FactorError::Refused) => {
            form.refuse("code", visit.t().security.app.wrong);
            show(&state, (&visit, &visitor), &half, &form).await
        }
        Err(FactorError::AlreadyOn | FactorError::Lapsed) => Ok(see_other(&visit.link("/admin/sign-in"))),
        Err(FactorError::Unavailable(error)) => Err(error.into()),
    }
}

async fn show(
    state: &ConsoleState,
    (visit, visitor): (&Visit, &Visitor),
    half: &HalfSignedIn,
    form: &Form,
) -> Result<Response, Problem> {
    let operators = &state.accounts.operators;
    if !operators.lacks_factor(half).await? {
        return Ok(see_other(&visit.link("/admin/sign-in/second-step")));
    }
    let offer = operators.offer(half).await?.ok_or(Problem::Unavailable)?;
    let title = visit.t().security.app.title;
    let titled = Titled::of(visit, title, form);
    let mut response = shell::narrow((visit, visitor), titled, content((visit, visitor), &offer, form)).await;
    unreferred(&mut response);
    Ok(response)
}

fn content((visit, visitor): (&Visit, &Visitor), offer: &Offer, form: &Form) -> AnyView {
    let (t, why) = (&visit.t().security.app, visit.t().admin.set_up.why);
    view! {
        <h1>{t.title}</h1>
        <p>{why}</p>
        {form.summary(visit.locale)}
        <h2>{t.scan_title}</h2>
        <p>{t.scan}</p>
        {qr(offer.address.expose(), t.qr)}
        <p class="narrow-only"><a href=offer.address.expose().to_owned()>{t.open}</a></p>
        <CopyField locale=visit.locale id="secret" label=t.typed value=offer.typed.expose()/>
        <h2>{t.code_title}</h2>
        <form method="post" action=visit.link(PATH)>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="next" value=form.value("next")/>
            <Field
                id="code" label=t.code hint=t.code_hint.to_owned() nostrip:fault=form.fault("code")
                autocomplete="one-time-code"
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
    }
    .into_any()
}
