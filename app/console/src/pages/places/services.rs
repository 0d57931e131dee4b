//! Service accounts: holders of keys that are no people, so that what runs stays when somebody leaves.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::members::{self, tabs, words};
use crate::pages::places::new::{self, NewPlace};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::Member;
use bytespike_accounts::role::{Permission, Role};
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, EmptyState, Select};
use leptos::prelude::*;
use tabs::OrgTab;

const PATH: &str = "/console/service-accounts";

/// `GET /console/service-accounts`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let mut people = members::list(&state, &who).await?;
    people.members.retain(|one| !Member::is_person(one));
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let t = &visit.t().people.services;
    let new = new_button(&visit, &who);
    let (above, body) = match people.members.is_empty() {
        true => {
            (None, view! { <EmptyState title=t.empty_title><p>{t.empty}</p>{new}</EmptyState> }.into_any())
        }
        false => (new, members::table((&visit, &who), &moments, &people)),
    };
    let content = view! {
        <div class="page-head">
            <div><h1>{t.title}</h1><p>{t.lead}</p></div>
            <div class="actions">{above}</div>
        </div>
        {tabs::of((&visit, &who), OrgTab::Services)}
        {body}
    };
    Ok(shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(t.title), content).await)
}

fn new_button(visit: &Visit, who: &SignedIn) -> Option<AnyView> {
    let t = &visit.t().people.services;
    let href = visit.link("/console/service-accounts/new");
    let may = who.member.role().may(Permission::ManageDeployments);
    may.then(|| view! { <ButtonLink kind=ButtonKind::Primary href=href>{t.new}</ButtonLink> }.into_any())
}

/// `GET /console/service-accounts/new`
pub(crate) async fn form(visit: Visit, who: SignedIn) -> Response {
    let visit = who.reads(visit);
    let form = Form::filled([("role", Role::Developer.as_str().to_owned())]);
    show((&visit, &who), &form).await
}

/// `POST /console/service-accounts/new`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let role = Role::parse(form.value("role")).ok_or(Problem::NotFound)?;
    let new = (form.value("name"), role);
    match state.accounts.people.create_service_account(&who.origin, &who.member, new).await {
        Ok(id) => {
            let page = visit.link(&format!("/console/members/{id}"));
            Ok(see_other(&flash::with(&page, Notice::ServiceAccountCreated)))
        }
        Err(error) => {
            new::refuse(&mut form, &visit, error)?;
            Ok(show((&visit, &who), &form).await)
        }
    }
}

async fn show((visit, who): (&Visit, &SignedIn), form: &Form) -> Response {
    let t = &visit.t().people.services;
    // What a key of it may do follows its role; only these two say anything of keys.
    let mut options = words::choices(visit.locale, who.member.role());
    let roles = [Role::Admin.as_str(), Role::Developer.as_str()];
    options.retain(|option| roles.contains(&option.value.as_str()));
    let explained = words::explained(visit.locale, &options);
    let role = view! {
        <Select id="role" label=t.role options=options selected=form.value("role") hint=t.role_hint/>
        {explained}
    };
    let (title, submit) = (t.new, t.submit);
    let place = NewPlace { path: PATH, list: t.title, title, name: t.name, name_hint: t.name_hint, submit };
    place.show((visit, who), form, Some(role.into_any())).await
}
