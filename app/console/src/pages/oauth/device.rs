//! `/device`: a code that another screen shows is typed here, and decided here.
use crate::forms::{Form, SignedPost};
use crate::outbox::locale_of;
use crate::pages::oauth::decision::{self, Asked, Question};
use crate::pages::oauth::{is_fresh, sign_in_again};
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::{self, Titled};
use crate::state::ConsoleState;
use crate::switched_off;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::csrf::Binding;
use bytespike_accounts::oauth::consent::DecideError;
use bytespike_accounts::oauth::device::{UserCodeError, WaitingDevice};
use bytespike_accounts::switches::Feature;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, Callout, CalloutKind, Field, Hidden};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// `GET /device`; a code in the address only fills the field. Devices do not know the language in our addresses: it is the
/// account's.
pub(crate) async fn form(State(state): State<ConsoleState>, visit: Visit, who: SignedIn) -> Response {
    let own = locale_of(who.member.language());
    let locale = if visit.locale == Locale::Zh { Locale::Zh } else { own };
    let visit = Visit { locale, ..visit };
    if !is_fresh(&state, &who, None) {
        return sign_in_again(&visit);
    }
    let code = Query::of(&visit).get("code").unwrap_or_default().to_owned();
    enter(&visit, &who, &Form::filled([("code", code)])).await
}

/// `POST /device`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let Some(device) = typed(&state, (&visit, &who), &mut form).await? else {
        return Ok(enter(&visit, &who, &form).await);
    };
    let question = question(&state, (&visit, &who), (&device, form.value("code"))).await?;
    let opening = decision::opening(&question, &who);
    Ok(show(&state, (&visit, &who), (&device, &question), &opening).await)
}

/// `POST /device/decide`
pub(crate) async fn decide(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::Programs).await {
        return Ok(off);
    }
    let SignedPost { who, mut form } = post;
    let Some(device) = typed(&state, (&visit, &who), &mut form).await? else {
        return Ok(enter(&visit, &who, &form).await);
    };
    let about = Binding::Decision { session: &who.session.csrf_binding, about: &device.id };
    if !state.accounts.csrf.verify(about, form.value("decision_token")) {
        return Err(Problem::Forbidden);
    }
    let question = question(&state, (&visit, &who), (&device, form.value("code"))).await?;
    let is_allowed = form.value("decision") == "allow";
    let read = if is_allowed { decision::read(&mut form, &visit, &question) } else { None };
    if is_allowed && read.is_none() {
        return Ok(show(&state, (&visit, &who), (&device, &question), &form).await);
    }
    let (member, allowed) = read.map_or((&who.member, None), |(member, allowed)| (member, Some(allowed)));
    match state.accounts.oauth.decide_device(&who.origin, &device, member, allowed.as_ref()).await {
        Ok(()) => Ok(done(&visit, &device, is_allowed).await),
        Err(DecideError::Over) => {
            form.refuse("code", visit.t().oauth.device.unknown);
            Ok(enter(&visit, &who, &form).await)
        }
        Err(DecideError::Forbidden | DecideError::TooWide) => Err(Problem::Forbidden),
        Err(DecideError::Unavailable(error)) => Err(error.into()),
    }
}

/// The device of the code in the form; a wrong code is noted there.
async fn typed(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: &mut Form,
) -> Result<Option<WaitingDevice>, Problem> {
    if !is_fresh(state, who, None) {
        return Err(Problem::Forbidden);
    }
    match state.accounts.oauth.typed(&who.origin, form.value("code")).await {
        Ok(device) => Ok(Some(device)),
        Err(UserCodeError::Unknown) => {
            form.refuse("code", visit.t().oauth.device.unknown);
            Ok(None)
        }
        Err(UserCodeError::TooMany) => Err(Problem::TooMany),
        Err(UserCodeError::Unavailable(error)) => Err(error.into()),
    }
}

async fn question<'a>(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (device, code): (&'a WaitingDevice, &str),
) -> Result<Question<'a>, Problem> {
    let WaitingDevice { client, scopes, key_request, .. } = device;
    let here = visit.link(&format!("/device?{}", query::write(&[("code", code)])));
    Question::of((state, who), Asked { client, scopes, key_request }, (None, here)).await
}

async fn enter(visit: &Visit, who: &SignedIn, form: &Form) -> Response {
    let t = &visit.t().oauth.device;
    let titled = if form.has_faults() { Titled::faulty(visit, t.title) } else { Titled::ok(t.title) };
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/device")>
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="code" label=t.code hint=t.code_hint value=form.value("code") nostrip:fault=form.fault("code")
                autocomplete="off" max_length=16
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
    };
    shell::narrow_signed_in(visit, titled, content).await
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (device, question): (&WaitingDevice, &Question<'_>),
    form: &Form,
) -> Response {
    let t = &visit.t().oauth;
    let title = t.consent.title(&device.client.name);
    let titled = if form.has_faults() { Titled::faulty(visit, &title) } else { Titled::ok(title.as_str()) };
    let about = Binding::Decision { session: &who.session.csrf_binding, about: &device.id };
    let decision_token = state.accounts.csrf.token(about);
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let code = device.user_code.clone();
    let warning =
        (t.device.in_front(&code), t.device.asked(moments.distance(device.asked_at_ms), &device.ip));
    let content = view! {
        <h1>{title}</h1>
        {form.summary(visit.locale)}
        <Callout kind=CalloutKind::Warning><p>{warning.0}</p><p>{warning.1}</p></Callout>
        <form method="post" action=visit.link("/device/decide")>
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name="code" value=code/>
            <Hidden name="decision_token" value=decision_token/>
            {decision::view(visit, who, form, question)}
        </form>
    };
    shell::narrow_signed_in(visit, titled, content).await
}

async fn done(visit: &Visit, device: &WaitingDevice, is_allowed: bool) -> Response {
    let t = &visit.t().oauth.device;
    let (title, lead) = if is_allowed {
        (t.allowed_title, t.allowed(&device.client.name))
    } else {
        (t.denied_title, t.denied(&device.client.name))
    };
    let content = view! {
        <h1>{title}</h1>
        <p>{lead}</p>
        <p class="actions"><ButtonLink kind=ButtonKind::Primary href=visit.link("/console/apps")>{t.to_apps}</ButtonLink></p>
    };
    shell::narrow_signed_in(visit, Titled::ok(title), content).await
}
