//! Settings: one page, one form for each thing that can be changed.
pub(crate) mod bodies;
pub(crate) mod copy;
pub(crate) mod data;
pub(crate) mod organisation;
pub(crate) mod password;
pub(crate) mod preset;
pub(crate) mod profile;
pub(crate) mod sessions;

use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{Tab, Tabs};
use leptos::prelude::*;

const PATH: &str = "/console/settings";

/// The forms of the page that came back with faults.
#[derive(Default)]
struct Faulty {
    profile: Option<Form>,
    organisation: Option<Form>,
    password: Option<Form>,
}

/// `GET /console/settings`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    show(&state, (&visit, &who), Faulty::default()).await
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    faulty: Faulty,
) -> Result<Response, Problem> {
    let t = &visit.t().settings;
    let sessions = state.accounts.sessions.list(&who.session).await?;
    let apps = state.accounts.oauth.count_apps(who.member.person_id()).await?;
    let wallet = state.ledger.wallet(who.member.org_id()).await?;
    let org_zone = wallet.map_or_else(|| "UTC".to_owned(), |wallet| wallet.time_zone);
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let wrong =
        [&faulty.profile, &faulty.organisation, &faulty.password].into_iter().flatten().next().cloned();
    let titled = if wrong.is_some() { Titled::faulty(visit, t.page.title) } else { Titled::ok(t.page.title) };
    let may_change_org = who.member.role().may(Permission::ManageOrg);
    let content = view! {
        <div class="page-head"><h1>{t.page.title}</h1></div>
        {tabs(visit, Part::General)}
        {wrong.map(|form| form.summary(visit.locale))}
        {profile::part(visit, who, faulty.profile)}
        {may_change_org.then(|| organisation::part((visit, who), &org_zone, faulty.organisation))}
        {may_change_org.then(|| preset::part(visit, who))}
        {password::part((visit, who), apps, faulty.password)}
        {sessions::part((visit, who), &moments, sessions)}
    };
    Ok(shell::signed_in((visit, who), Section::Settings, titled, content).await)
}

/// The pages of the settings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    General,
    Security,
    Bodies,
    Data,
}

/// The way from one page of the settings to the others.
pub(crate) fn tabs(visit: &Visit, current: Part) -> AnyView {
    let t = &visit.t().security.page;
    let all = [
        (Part::General, PATH, t.general),
        (Part::Security, "/console/settings/security", t.title),
        (Part::Bodies, bodies::PATH, visit.t().bodies.setting.title),
        (Part::Data, "/console/settings/data", t.data),
    ];
    let tab = |(part, path, label): (Part, &str, &'static str)| Tab {
        href: visit.link(path),
        label: label.to_owned(),
        is_current: part == current,
    };
    view! { <Tabs label=t.tabs tabs=all.map(tab).into()/> }.into_any()
}

/// The address of the page in the language it was read in.
fn home(visit: &Visit) -> String {
    visit.link(PATH)
}
