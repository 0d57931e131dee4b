//! Signing in. Every reason not to is one and the same answer.
use crate::forms::{Form, VisitorPost};
use crate::next::after_sign_in;
use crate::outbox::locale_of;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::{SignedIn, Visitor};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::{Membership, SignInError};
use bytespike_accounts::sessions::Session;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `GET /console/sign-in`
pub(crate) async fn form(visit: Visit, who: Option<SignedIn>, visitor: Visitor) -> Response {
    let query = Query::of(&visit);
    // A page that wants to know anew who is there says so.
    if who.is_some() && query.get("again").is_none() {
        return see_other(&visit.link("/console"));
    }
    let next = query.get("next").unwrap_or_default().to_owned();
    show((&visit, &visitor), &Form::filled([("next", next)])).await
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
        Ok(member) => {
            state.accounts.sessions.start(&session, &visitor.origin, member.person_id()).await?;
            Ok(see_other(&landing(&visit, &member, form.value("next"))))
        }
        Err(SignInError::Refused { mail }) => {
            state.mail.deliver(&state.urls, &visitor.id, mail).await;
            form.refuse("email", visit.t().auth.sign_in.wrong);
            Ok(show((&visit, &visitor), &form).await)
        }
        Err(SignInError::Busy(busy)) => Err(busy.into()),
        Err(SignInError::Unavailable(error)) => Err(error.into()),
    }
}

/// The page that was asked for, or the overview in the language the account is kept in.
fn landing(visit: &Visit, member: &Membership, next: &str) -> String {
    let home = visit.link_in(locale_of(member.language()), "/console");
    after_sign_in(Some(next), &home)
}

async fn show((visit, visitor): (&Visit, &Visitor), form: &Form) -> Response {
    let t = &visit.t().auth;
    let titled = Titled::of(visit, t.sign_in.title, form);
    let content = view! {
        <h1>{t.sign_in.title}</h1>
        <p>{t.sign_in.lead}</p>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/sign-in")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="next" value=form.value("next")/>
            <Field
                id="email" label=t.field.email kind=InputKind::Email value=form.value("email") autocomplete="username"
            />
            <Field id="password" label=t.field.password kind=InputKind::Password autocomplete="current-password"/>
            <Button kind=ButtonKind::Primary>{t.sign_in.submit}</Button>
        </form>
        <p><a href=visit.link("/console/forgot")>{t.sign_in.forgot}</a></p>
        <p>{t.sign_in.no_account} " " <a href=visit.link("/console/sign-up")>{t.sign_in.create_account}</a></p>
    };
    shell::narrow((visit, visitor), titled, content).await
}
