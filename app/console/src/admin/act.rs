//! A form of an operator's: only with the token of this session, and only with a second factor that was checked in the last
//! ten minutes. A form that comes later waits, with all that was typed, on a page that asks for a code.
use super::shell;
use super::who::{Operator, with_cookie};
use crate::forms::{Form, posted};
use crate::problem::Problem;
use crate::shell::Titled;
use crate::state::ConsoleState;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use bytespike_accounts::csrf::Binding;
use bytespike_accounts::factors::FactorError;
use bytespike_accounts::secrets::SecretText;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden};
use leptos::prelude::*;

/// The field that carries the proof.
const PROOF: &str = "confirm_proof";

/// What an operator asked to be done, once it is certain that they did.
pub(crate) struct Act {
    /// On the heap, so that futures stay small.
    pub state: Box<ConsoleState>,
    pub visit: Visit,
    pub operator: Operator,
    pub form: Form,
    /// What the address names; empty when it names nothing.
    pub id: String,
}

/// A form posted by an operator who may act on it.
struct Checked {
    operator: Operator,
    form: Form,
    /// The session's new cookie, where the form carried a proof.
    renewed: Option<SecretText>,
}

/// The way every form of an operator's is taken. A handler gets nothing that was not checked.
pub(super) fn act<F>(handler: impl Fn(Act) -> F + Clone + Send + Sync + 'static) -> MethodRouter<ConsoleState>
where
    F: Future<Output = Result<Response, Problem>> + Send,
{
    let take = move |State(state): State<ConsoleState>,
                     visit: Visit,
                     names: RawPathParams,
                     checked: Checked| async move {
        let Checked { operator, form, renewed } = checked;
        let id = names.iter().last().map(|(_, id)| id.to_owned()).unwrap_or_default();
        let state = Box::new(state);
        let asked = Act { state: state.clone(), visit, operator, form, id };
        let done = Box::pin(handler(asked)).await.into_response();
        match renewed {
            Some(cookie) => with_cookie(&state, &cookie, done),
            None => done,
        }
    };
    post(take)
}

impl FromRequest<ConsoleState> for Checked {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ConsoleState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_parts(&parts, state.urls.clone());
        let operator = <Operator as FromRequestParts<_>>::from_request_parts(&mut parts, state).await?;
        let form = posted::read(Request::from_parts(parts, body), state).await;
        let form = form.map_err(IntoResponse::into_response)?;
        let binding = Binding::Operator(&operator.session.csrf_binding);
        posted::check(state, binding, &form).map_err(IntoResponse::into_response)?;
        if operator.session.is_confirmed(state.world.now_ms()) {
            return Ok(Self { operator, form, renewed: None });
        }
        confirmed(state, &visit, operator, form).await
    }
}

/// The form goes on if it carries a right proof; the session then has a new id.
async fn confirmed(
    state: &ConsoleState,
    visit: &Visit,
    operator: Operator,
    form: Form,
) -> Result<Checked, Response> {
    let typed = form.value(PROOF);
    if typed.is_empty() {
        return Err(ask(visit, &operator, &form, None).await);
    }
    let operators = &state.accounts.operators;
    let cookie = match operators.confirm(&operator.origin, &operator.session, typed).await {
        Ok(cookie) => cookie,
        Err(FactorError::Unavailable(error)) => return Err(Problem::from(error).into_response()),
        Err(_) => {
            let wrong = visit.t().security.confirm.wrong;
            return Err(ask(visit, &operator, &form, Some(wrong)).await);
        }
    };
    let found = operators.sessions.current(cookie.expose()).await;
    let session = found.map_err(|error| Problem::from(error).into_response())?;
    let Some(session) = session else { return Err(Problem::Forbidden.into_response()) };
    let token = state.accounts.csrf.token(Binding::Operator(&session.csrf_binding));
    let operator = Operator { session, token, origin: operator.origin };
    Ok(Checked { operator, form, renewed: Some(cookie) })
}

async fn ask(visit: &Visit, operator: &Operator, waiting: &Form, wrong: Option<&'static str>) -> Response {
    let t = &visit.t().security.confirm;
    let kept = waiting.fields().filter(|(name, _)| *name != "csrf" && *name != PROOF);
    let kept: Vec<AnyView> = kept
        .map(|(name, value)| {
            view! { <input type="hidden" name=name.to_owned() value=value.to_owned()/> }.into_any()
        })
        .collect();
    let mut faults = Form::default();
    if let Some(wrong) = wrong {
        faults.refuse(PROOF, wrong);
    }
    let content = view! {
        <h1>{t.title}</h1>
        {faults.summary(visit.locale)}
        <p>{t.lead}</p>
        <form method="post" action=visit.here()>
            <Hidden name="csrf" value=operator.token.clone()/>
            {kept}
            <Field
                id=PROOF label=t.code hint=t.code_hint.to_owned() nostrip:fault=faults.fault(PROOF)
                autocomplete="one-time-code"
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
        <p><a href=visit.link("/admin")>{t.cancel}</a></p>
    };
    let titled = if wrong.is_some() { Titled::faulty(visit, t.title) } else { Titled::unprocessed(t.title) };
    shell::card(visit, titled, content).await
}
