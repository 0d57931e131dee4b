//! The organisation's name, and the time zone its months are counted in.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost, words};
use crate::pages::settings::{self, Faulty};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::OrgError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, Field, Hidden};
use leptos::prelude::*;
use serde_json::json;

/// `POST /console/settings/organisation`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let zone = form.value("org_time_zone").trim().to_owned();
    if bytespike_ledger::time_zone(&zone).is_none() {
        form.refuse("org_time_zone", visit.t().settings.error.time_zone_unknown);
        return again(&state, &visit, &who, form).await;
    }
    match state.accounts.people.rename_org(&who.origin, &who.member, form.value("org_name")).await {
        Ok(()) => {
            let after = json!({ "time_zone": zone });
            let event = who.member.did("org.time_zone_changed").changed(json!(null), after);
            let entry = state.accounts.audit.entry(&who.origin, event);
            state.ledger.change_time_zone(who.member.org_id(), &zone, &entry).await?;
            Ok(see_other(&flash::with(&settings::home(&visit), Notice::ProfileSaved)))
        }
        Err(OrgError::Name(problem)) => {
            form.refuse("org_name", words::name(visit.locale, problem));
            again(&state, &visit, &who, form).await
        }
        Err(error) => Err(problem_of(error)),
    }
}

pub(super) fn problem_of(error: OrgError) -> Problem {
    match error {
        OrgError::Unavailable(error) => error.into(),
        _ => Problem::Forbidden,
    }
}

async fn again(state: &ConsoleState, visit: &Visit, who: &SignedIn, form: Form) -> Result<Response, Problem> {
    settings::show(state, (visit, who), Faulty { organisation: Some(form), ..Faulty::default() }).await
}

pub(super) fn part((visit, who): (&Visit, &SignedIn), zone: &str, faulty: Option<Form>) -> AnyView {
    let t = &visit.t().settings.organisation;
    let form = faulty.unwrap_or_else(|| {
        Form::filled([("org_name", who.member.org_name().to_owned()), ("org_time_zone", zone.to_owned())])
    });
    view! {
        <section class="stack">
            <h2>{t.title}</h2>
            <form method="post" action=format!("{}/organisation", settings::home(visit)) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="org_name" label=t.name value=form.value("org_name") nostrip:fault=form.fault("org_name")
                    max_length=64 autocomplete="organization"
                />
                <Field
                    id="org_time_zone" label=t.time_zone value=form.value("org_time_zone") hint=t.time_zone_hint
                    nostrip:fault=form.fault("org_time_zone") autocomplete="off"
                />
                <Button>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}
