//! Whether what calls are asked and answered is kept, for how long and for whom: read by every member, decided by whoever
//! manages the organisation.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::settings;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::bodies::{KeepError, Keeping};
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Callout, CalloutKind, Field, Hidden, InputKind};
use leptos::prelude::*;

pub(crate) const PATH: &str = "/console/settings/bodies";
/// What the form offers first.
const USUAL_DAYS: u32 = 7;

/// `GET /console/settings/bodies`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    show(&state, (&visit, &who), Form::default()).await
}

/// `POST /console/settings/bodies/on`
pub(crate) async fn keep(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    // What is no number is no number of days.
    let days = form.value("days").trim().parse().unwrap_or(0);
    match state.accounts.bodies.keep_for(&who.origin, &who.member, days).await {
        Ok(()) => Ok(see_other(&flash::with(&visit.link(PATH), Notice::BodiesOn))),
        Err(KeepError::Days { most }) => {
            form.refuse("days", visit.t().bodies.setting.days_fault(u64::from(most)));
            show(&state, (&visit, &who), form).await
        }
        Err(error) => Err(problem_of(error)),
    }
}

/// `POST /console/settings/bodies/off`
pub(crate) async fn stop(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    state.accounts.bodies.stop(&post.who.origin, &post.who.member).await.map_err(problem_of)?;
    Ok(see_other(&flash::with(&visit.link(PATH), Notice::BodiesOff)))
}

fn problem_of(error: KeepError) -> Problem {
    match error {
        KeepError::Unavailable(error) => error.into(),
        KeepError::Forbidden | KeepError::Days { .. } => Problem::Forbidden,
    }
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: Form,
) -> Result<Response, Problem> {
    let t = &visit.t().bodies.setting;
    let keeping = state.accounts.bodies.keeping(&who.member).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let decides = who.member.role().may(Permission::ManageOrg);
    let decide = match decides {
        true => {
            let most = state.accounts.bodies.most_days();
            view! {
                {days_form((visit, who), (keeping, most), &form)}
                {keeping.map(|_| off_form(visit, who))}
            }
            .into_any()
        }
        false => view! { <p class="soft">{t.only_managers}</p> }.into_any(),
    };
    let titled = Titled::of(visit, t.title, &form);
    let content = view! {
        <div class="page-head"><h1>{t.title}</h1></div>
        {settings::tabs(visit, settings::Part::Bodies)}
        {form.summary(visit.locale)}
        {state_of(visit, &moments, keeping)}
        {meaning(visit)}
        {decide}
    };
    Ok(shell::signed_in((visit, who), Section::Settings, titled, content).await)
}

fn state_of(visit: &Visit, moments: &Moments, keeping: Option<Keeping>) -> AnyView {
    let t = &visit.t().bodies.setting;
    let (kind, text) = match keeping {
        None => (CalloutKind::Note, t.off.to_owned()),
        Some(keeping) => {
            (CalloutKind::Warning, t.on(u64::from(keeping.days), moments.written(keeping.since_ms)))
        }
    };
    view! { <Callout kind=kind><p>{text}</p></Callout> }.into_any()
}

fn meaning(visit: &Visit) -> AnyView {
    let t = &visit.t().bodies.setting;
    let points = [t.what, t.how_much, t.who, t.operators, t.fewer, t.off_means, t.backups];
    let points = points.map(|point| view! { <li>{point}</li> }).into_iter().collect_view();
    let docs = visit.link("/docs/privacy#content");
    view! {
        <section class="stack">
            <h2>{t.meaning}</h2>
            <ul class="bullets">{points}</ul>
            <p><a href=docs>{t.docs}</a></p>
        </section>
    }
    .into_any()
}

fn days_form(
    (visit, who): (&Visit, &SignedIn),
    (keeping, most): (Option<Keeping>, u32),
    form: &Form,
) -> AnyView {
    let t = &visit.t().bodies.setting;
    let days = match form.has_faults() {
        true => form.value("days").to_owned(),
        false => keeping.map_or(USUAL_DAYS.min(most), |keeping| keeping.days).to_string(),
    };
    let submit = if keeping.is_some() { t.change } else { t.turn_on };
    view! {
        <section class="stack">
            <h2>{t.form}</h2>
            <form method="post" action=format!("{}/on", visit.link(PATH)) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="days" label=t.days(u64::from(most)) kind=InputKind::Number value=days
                    nostrip:fault=form.fault("days") autocomplete="off" max_length=3
                />
                <Button kind=ButtonKind::Primary>{submit}</Button>
            </form>
        </section>
    }
    .into_any()
}

fn off_form(visit: &Visit, who: &SignedIn) -> AnyView {
    let t = &visit.t().bodies.setting;
    view! {
        <section class="stack">
            <div><h2>{t.off_title}</h2><p class="soft">{t.off_means}</p></div>
            <form method="post" action=format!("{}/off", visit.link(PATH))>
                <Hidden name="csrf" value=who.token.clone()/>
                <Button kind=ButtonKind::Danger>{t.turn_off}</Button>
            </form>
        </section>
    }
    .into_any()
}
