//! Creating an account.
use crate::forms::{Form, VisitorPost, words};
use crate::next::after_sign_in;
use crate::outbox::language_of;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::{SignedIn, Visitor};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::{SignUp, SignUpError};
use bytespike_accounts::switches::{NotAdmitted, SignUpPolicy};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Button, ButtonKind, Callout, CalloutKind, Field, Hidden, Icon, IconName, InputKind,
};
use leptos::prelude::*;

/// `GET /console/sign-up`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: Option<SignedIn>,
    visitor: Visitor,
) -> Response {
    if who.is_some() {
        return see_other(&visit.link("/console"));
    }
    let next = Query::of(&visit).get("next").unwrap_or_default().to_owned();
    show(&state, (&visit, &visitor), &Form::filled([("next", next)])).await
}

/// `POST /console/sign-up`: the same answer for a new address and a taken one; only the mail differs.
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    if state.accounts.switches.sign_up() == SignUpPolicy::Closed {
        return Err(Problem::Forbidden);
    }
    let language = language_of(visit.locale);
    // Where the reader was going is kept in the mail, which may be opened in another browser.
    let next = Some(after_sign_in(Some(form.value("next")), "")).filter(|next| !next.is_empty());
    let (email, password) = (form.value("email"), form.value("password"));
    let new = SignUp { email, password, name: None, language, next: next.as_deref() };
    match state.accounts.people.sign_up(&visitor.origin, new).await {
        Ok(mail) => {
            state.mail.deliver(&state.urls, &visitor.id, mail).await;
            Ok(see_other(&visit.link("/console/check-mail")))
        }
        Err(error) => {
            refuse(&mut form, (&visit, &state.accounts.switches.sign_up()), error)?;
            Ok(show(&state, (&visit, &visitor), &form).await)
        }
    }
}

fn refuse(
    form: &mut Form,
    (visit, policy): (&Visit, &SignUpPolicy),
    error: SignUpError,
) -> Result<(), Problem> {
    let t = &visit.t().auth.error;
    let of_policy = &visit.t().switches.sign_up;
    match error {
        SignUpError::Email(_) | SignUpError::Name(_) if form.value("email").is_empty() => {
            form.refuse("email", t.email_missing);
        }
        SignUpError::Email(_) | SignUpError::Name(_) => form.refuse("email", t.email_invalid),
        SignUpError::Password(problem) => form.refuse("password", words::password(visit.locale, &problem)),
        SignUpError::NotAdmitted(NotAdmitted::NotInvited) => form.refuse("email", of_policy.not_invited),
        SignUpError::NotAdmitted(NotAdmitted::Domain) => {
            form.refuse("email", of_policy.domain_fault(domains(visit, policy)));
        }
        SignUpError::NotAdmitted(NotAdmitted::Closed) => return Err(Problem::Forbidden),
        SignUpError::TooMany => return Err(Problem::TooMany),
        SignUpError::Busy(busy) => return Err(busy.into()),
        SignUpError::Unavailable(error) => return Err(error.into()),
    }
    Ok(())
}

async fn show(state: &ConsoleState, (visit, visitor): (&Visit, &Visitor), form: &Form) -> Response {
    let t = &visit.t().auth.sign_up;
    let titled = Titled::of(visit, t.title, form);
    let body = match state.accounts.switches.sign_up() {
        SignUpPolicy::Closed => closed(visit),
        policy => open(state, (visit, visitor), (form, &policy)),
    };
    let sign_in = visit.link("/console/sign-in");
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        {body}
        <p>{t.have_account} {visit.locale.gap()} <a href=sign_in>{visit.t().auth.sign_in.title}</a></p>
    };
    shell::narrow((visit, visitor), titled, content).await
}

/// What the policy asks of whoever signs up.
fn condition(visit: &Visit, policy: &SignUpPolicy) -> Option<AnyView> {
    let t = &visit.t().switches.sign_up;
    let text = match policy {
        SignUpPolicy::Open | SignUpPolicy::Closed => return None,
        SignUpPolicy::Approval => t.approval.to_owned(),
        SignUpPolicy::Invited => t.invited.to_owned(),
        SignUpPolicy::Domains(_) => t.domains(domains(visit, policy)),
    };
    Some(view! { <Callout kind=CalloutKind::Note><p>{text}</p></Callout> }.into_any())
}

fn domains(visit: &Visit, policy: &SignUpPolicy) -> String {
    match policy {
        SignUpPolicy::Domains(names) => names.join(visit.t().switches.sign_up.comma),
        _ => String::new(),
    }
}

fn open(
    state: &ConsoleState,
    (visit, visitor): (&Visit, &Visitor),
    (form, policy): (&Form, &SignUpPolicy),
) -> AnyView {
    let t = &visit.t().auth;
    let trial = state.options.trial_grant.0;
    let gift = (trial > 0)
        .then(|| view! { <p class="hint">{t.sign_up.trial(visit.numbers.count(whole_credits(trial)))}</p> });
    view! {
        {condition(visit, policy)}
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/sign-up")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="next" value=form.value("next")/>
            <Field
                id="email" label=t.field.email kind=InputKind::Email value=form.value("email")
                hint=t.field.email_hint nostrip:fault=form.fault("email") autocomplete="email"
            />
            <Field
                id="password" label=t.field.password kind=InputKind::Password hint=words::password_hint(visit.locale)
                nostrip:fault=form.fault("password") autocomplete="new-password"
            />
            <Button kind=ButtonKind::Primary>{t.sign_up.submit}</Button>
            {gift}
        </form>
        {promises(visit)}
    }
    .into_any()
}

/// What a card is trusted for, before it is asked for.
fn promises(visit: &Visit) -> AnyView {
    let t = &visit.t().auth.sign_up;
    let points = [t.point_hold, t.point_free, t.point_receipt];
    let points = points.map(|point| view! { <li><Icon name=IconName::Check/><span>{point}</span></li> });
    view! { <ul class="points">{points.into_iter().collect_view()}</ul> }.into_any()
}

fn whole_credits(nano_usd: i64) -> u64 {
    u64::try_from(nano_usd / 1_000).unwrap_or(0)
}

fn closed(visit: &Visit) -> AnyView {
    let text = visit.t().auth.error.sign_up_closed;
    view! { <Callout kind=CalloutKind::Note><p>{text}</p></Callout> }.into_any()
}
