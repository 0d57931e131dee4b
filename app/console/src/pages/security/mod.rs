//! Security settings: how the account is guarded.
pub(crate) mod app;
pub(crate) mod codes;
pub(crate) mod email;
pub(crate) mod identities;
pub(crate) mod passkeys;

use crate::cut_programs;
use crate::forms::Form;
use crate::pages::settings;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::factors::{FactorState, Subject};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Callout, CalloutKind, Hidden};
use leptos::prelude::*;

const PATH: &str = "/console/settings/security";
/// With this many recovery codes left, it is time for a new set.
const FEW_CODES: u64 = 3;

/// `GET /console/settings/security`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    show(&state, (&visit, &who), None).await
}

/// The page; with the form of the address when that came back with faults.
async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    faulty: Option<Form>,
) -> Result<Response, Problem> {
    let linked = state.accounts.identities.list(&who.member).await?;
    let factor = state.accounts.factors.state(subject(who)).await?;
    let keys = state.accounts.passkeys.list(who.member.person_id()).await?;
    let apps = state.accounts.oauth.count_apps(who.member.person_id()).await?;
    let has_password = who.member.has_password();
    // What stays when one of them goes.
    let (beside_identities, beside_keys) =
        (has_password || !keys.is_empty(), has_password || !linked.is_empty());
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let title = visit.t().security.page.title;
    let titled = if faulty.is_some() { Titled::faulty(visit, title) } else { Titled::ok(title) };
    let content = view! {
        <div class="page-head"><h1>{title}</h1></div>
        {settings::tabs(visit, settings::Part::Security)}
        {faulty.as_ref().map(|form| form.summary(visit.locale))}
        {factor_part((visit, who), (&moments, apps), factor)}
        {passkeys::part(state, (visit, who), (&moments, keys, beside_keys), faulty.as_ref())}
        {identities::part(state, (visit, who), (&moments, linked, beside_identities))}
        {email::part(visit, who, faulty)}
    };
    Ok(shell::signed_in((visit, who), Section::Settings, titled, content).await)
}

fn subject(who: &SignedIn) -> Subject<'_> {
    Subject::Person(who.member.person_id())
}

fn factor_part(
    (visit, who): (&Visit, &SignedIn),
    (moments, apps): (&Moments, usize),
    factor: Option<FactorState>,
) -> AnyView {
    let t = &visit.t().security.factor;
    let Some(factor) = factor else {
        return view! {
            <section class="stack">
                <div><h2>{t.title}</h2><p class="soft">{t.lead_off}</p></div>
                {small_form((visit, who), "/app/begin", (t.begin, ButtonKind::Primary))}
            </section>
        }
        .into_any();
    };
    let few = factor.codes_left <= FEW_CODES;
    let few = few.then(|| view! { <Callout kind=CalloutKind::Warning><p>{t.few_codes}</p></Callout> });
    view! {
        <section class="stack">
            <div>
                <h2>{t.title}</h2>
                <p class="soft">{t.lead_on(moments.date(factor.since_ms))}</p>
                <p class="soft">{t.codes_left(factor.codes_left)}</p>
            </div>
            {few}
            <ul class="choices">
                <li>
                    <div><strong>{t.renew}</strong><p class="soft">{t.renew_note}</p></div>
                    {small_form((visit, who), "/codes", (t.renew_submit, ButtonKind::Secondary))}
                </li>
                <li>
                    <div><strong>{t.turn_off}</strong><p class="soft">{t.turn_off_note}</p></div>
                    {turn_off((visit, who), apps)}
                </li>
            </ul>
        </section>
    }
    .into_any()
}

fn turn_off((visit, who): (&Visit, &SignedIn), apps: usize) -> AnyView {
    let t = &visit.t().security.factor;
    view! {
        <form method="post" class="inline" action=format!("{}/app/off", visit.link(PATH))>
            <Hidden name="csrf" value=who.token.clone()/>
            {cut_programs::offer(visit, apps)}
            <Button kind=ButtonKind::Danger>{t.turn_off_submit}</Button>
        </form>
    }
    .into_any()
}

/// A form that is one button.
fn small_form(
    (visit, who): (&Visit, &SignedIn),
    place: &str,
    (label, kind): (&'static str, ButtonKind),
) -> AnyView {
    view! {
        <form method="post" class="inline" action=format!("{}{place}", visit.link(PATH))>
            <Hidden name="csrf" value=who.token.clone()/>
            <Button kind=kind>{label}</Button>
        </form>
    }
    .into_any()
}
