//! Signing in. Every reason not to is one and the same answer.
use crate::forms::{Form, VisitorPost};
use crate::pages::auth::land::land;
use crate::pages::auth::{passkey, provider, second_step};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::{SignedIn, Visitor};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::{FirstStep, SignInError};
use bytespike_accounts::sessions::Session;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `GET /console/sign-in`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: Option<SignedIn>,
    visitor: Visitor,
) -> Response {
    let query = Query::of(&visit);
    // A page that wants to know anew who is there says so.
    if who.is_some() && query.get("again").is_none() {
        return see_other(&visit.link("/console"));
    }
    let next = query.get("next").unwrap_or_default().to_owned();
    show(&state, (&visit, &visitor), &Form::filled([("next", next)])).await
}

/// `POST /console/sign-in`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    session: Session,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    let people = &state.accounts.people;
    match people.sign_in(&visitor.origin, form.value("email"), form.value("password")).await {
        Ok(FirstStep::Done(member)) => {
            land(&state, (&visit, &visitor, &session), (&member, form.value("next"))).await
        }
        Ok(FirstStep::SecondFactor { person_id }) => {
            state.accounts.sessions.begin_second_step(&session, &person_id).await?;
            Ok(see_other(&second_step::address(&visit, form.value("next"))))
        }
        Err(SignInError::Refused { mail }) => {
            state.mail.deliver(&state.urls, &visitor.id, mail).await;
            form.refuse("email", visit.t().auth.sign_in.wrong);
            Ok(show(&state, (&visit, &visitor), &form).await)
        }
        Err(SignInError::Busy(busy)) => Err(busy.into()),
        Err(SignInError::Unavailable(error)) => Err(error.into()),
    }
}

pub(super) async fn show(
    state: &ConsoleState,
    (visit, visitor): (&Visit, &Visitor),
    form: &Form,
) -> Response {
    let t = &visit.t().auth;
    let titled = Titled::of(visit, t.sign_in.title, form);
    let content = view! {
        <h1>{t.sign_in.title}</h1>
        <p>{t.sign_in.lead}</p>
        {form.summary(visit.locale)}
        {form.has_faults().then(|| view! { <p class="hint">{t.sign_in.wrong_hint}</p> })}
        <form method="post" action=visit.link("/console/sign-in")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="next" value=form.value("next")/>
            <Field
                id="email" label=t.field.email kind=InputKind::Email value=form.value("email") autocomplete="username"
            />
            <Field id="password" label=t.field.password kind=InputKind::Password autocomplete="current-password"/>
            <p class="forgot"><a href=visit.link("/console/forgot")>{t.sign_in.forgot}</a></p>
            <Button kind=ButtonKind::Primary>{t.sign_in.submit}</Button>
        </form>
        <div class="other-ways">
            <p class="hint">{visit.t().security.provider.or}</p>
            {passkey::part(state, (visit, visitor), ("/console/sign-in/passkey", form.value("next")))}
            {provider::buttons(state, (visit, visitor), form.value("next"))}
        </div>
        <p>{t.sign_in.no_account} {visit.locale.gap()} <a href=visit.link("/console/sign-up")>{t.sign_in.create_account}</a></p>
    };
    shell::narrow((visit, visitor), titled, content).await
}
