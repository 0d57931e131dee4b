//! One member, or one service account: their role, their limits, their spend, and the way out.
use super::list::{self, People};
use super::{PATH, find, place_problem, problem_of, words};
use crate::flash::{self, Notice};
use crate::forms::{self, Form, SignedPost};
use crate::pages::limits;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::people::{Member, MemberError, PlaceError};
use bytespike_accounts::role::{Permission, Role};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden, KeyValues, Select,
};
use leptos::prelude::*;

/// The forms of the page that came back with faults.
#[derive(Default)]
struct Faulty {
    name: Option<Form>,
    role: Option<Form>,
}

/// `GET /console/members/{id}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let member = find(&state, &who, &id).await?;
    show(&state, (&visit, &who), &member, Faulty::default()).await
}

/// `POST /console/members/{id}/role`
pub(crate) async fn set_role(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let member = find(&state, &who, &id).await?;
    let role = Role::parse(form.value("role")).ok_or(Problem::NotFound)?;
    match state.accounts.people.set_role(&who.origin, &who.member, &id, role).await {
        Ok(()) => Ok(see_other(&flash::with(&address(&visit, &member), Notice::RoleChanged))),
        Err(MemberError::LastOwner) => {
            form.refuse("role", visit.t().people.error.last_owner);
            let faulty = Faulty { role: Some(form), ..Faulty::default() };
            show(&state, (&visit, &who), &member, faulty).await
        }
        Err(error) => Err(problem_of(error)),
    }
}

/// `POST /console/members/{id}/name`: of a service account; people name themselves.
pub(crate) async fn rename(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let member = find(&state, &who, &id).await?;
    let new = (id.as_str(), form.value("name"));
    match state.accounts.people.rename_service_account(&who.origin, &who.member, new).await {
        Ok(()) => Ok(see_other(&flash::with(&address(&visit, &member), Notice::NameSaved))),
        Err(PlaceError::Name(problem)) => {
            form.refuse("name", forms::words::name(visit.locale, problem));
            let faulty = Faulty { name: Some(form), ..Faulty::default() };
            show(&state, (&visit, &who), &member, faulty).await
        }
        Err(error) => Err(place_problem(error)),
    }
}

fn address(visit: &Visit, member: &Member) -> String {
    visit.link(&format!("{PATH}/{}", member.id))
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    member: &Member,
    faulty: Faulty,
) -> Result<Response, Problem> {
    let people = list::load(state, who).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let wrong = [&faulty.name, &faulty.role].into_iter().flatten().next().cloned();
    let titled =
        if wrong.is_some() { Titled::faulty(visit, &member.name) } else { Titled::ok(member.name.as_str()) };
    let t = &visit.t().people;
    let (list, list_title) = match member.is_person() {
        true => (PATH, t.members.title),
        false => ("/console/service-accounts", t.services.title),
    };
    let above = vec![(visit.link(list), list_title.to_owned())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=member.name.clone()/>
            <div class="page-head"><h1>{member.name.clone()}</h1></div>
        </div>
        {wrong.map(|form| form.summary(visit.locale))}
        {facts(visit, &moments, &people, member)}
        {name_part((visit, who), member, faulty.name)}
        {role_part((visit, who), member, faulty.role)}
        {limits::of_node((visit, who), &moments, &format!("mem:{}", member.id), &people.limits)}
        {ends((visit, who), member)}
    };
    Ok(shell::signed_in((visit, who), Section::Organisation, titled, content).await)
}

fn facts(visit: &Visit, moments: &Moments, people: &People, member: &Member) -> AnyView {
    let t = &visit.t().people.members;
    let spent = visit.numbers.usd(people.spent.get(&member.id).copied().unwrap_or(0));
    let text = |text: String| text.into_any();
    let joined = if member.is_person() { t.joined } else { visit.t().people.services.created };
    let email = member.email.clone().map(|email| (t.email.to_owned(), text(email)));
    let pairs = [
        (t.role.to_owned(), text(words::role(visit.locale, member.role).to_owned())),
        (t.spent.to_owned(), view! { <span class="num">{spent}</span> }.into_any()),
        (t.keys.to_owned(), view! { <span class="num">{member.open_keys}</span> }.into_any()),
        (joined.to_owned(), text(moments.date(member.joined_at_ms))),
    ];
    let pairs: Vec<(String, AnyView)> = email.into_iter().chain(pairs).collect();
    view! { <KeyValues pairs=pairs/> }.into_any()
}

fn name_part((visit, who): (&Visit, &SignedIn), member: &Member, faulty: Option<Form>) -> Option<AnyView> {
    let may = !member.is_person() && who.member.role().may(Permission::ManageDeployments);
    let t = &visit.t().people.services;
    let form = faulty.unwrap_or_else(|| Form::filled([("name", member.name.clone())]));
    let action = format!("{}/name", address(visit, member));
    may.then(|| {
        view! {
            <section class="stack">
            <h2>{t.rename_title}</h2>
            <form method="post" action=action class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="name" label=t.name value=form.value("name") nostrip:fault=form.fault("name")
                    max_length=64 autocomplete="off"
                />
                <Button>{t.rename}</Button>
            </form>
            </section>
        }
        .into_any()
    })
}

/// For those who govern the member's role.
fn role_part((visit, who): (&Visit, &SignedIn), member: &Member, faulty: Option<Form>) -> Option<AnyView> {
    let t = &visit.t().people.role_form;
    let own = who.member.role();
    let form = faulty.unwrap_or_default();
    let mut options = words::choices(visit.locale, own);
    options.retain(|option| member.is_person() || option.value != Role::Owner.as_str());
    let explained = words::explained(visit.locale, &options);
    let action = format!("{}/role", address(visit, member));
    own.governs(member.role).then(|| {
        view! {
            <section class="stack">
                <h2>{t.title}</h2>
                <form method="post" action=action class="sheet">
                    <Hidden name="csrf" value=who.token.clone()/>
                    <Select
                        id="role" label=t.role options=options selected=member.role.as_str()
                        nostrip:fault=form.fault("role")
                    />
                    {explained}
                    <Button>{t.submit}</Button>
                </form>
            </section>
        }
        .into_any()
    })
}

/// Handing over and taking out, each with a page of its own that says what it means.
fn ends((visit, who): (&Visit, &SignedIn), member: &Member) -> AnyView {
    let (t, own) = (&visit.t().people, who.member.role());
    let is_other = member.id != who.member.member_id();
    let may_transfer = is_other && member.is_person() && own.may(Permission::OwnOrg);
    let transfer = may_transfer.then(|| {
        let href = format!("{}/transfer", address(visit, member));
        view! {
            <div class="danger-zone">
                <div><h2>{t.transfer.title}</h2><p>{t.transfer.short}</p></div>
                <ButtonLink kind=ButtonKind::Danger href=href>{t.transfer.action}</ButtonLink>
            </div>
        }
    });
    let remove = (is_other && own.governs(member.role)).then(|| {
        let href = format!("{}/remove", address(visit, member));
        let short = if member.is_person() { t.remove.short } else { t.remove.short_service };
        view! {
            <div class="danger-zone">
                <div><h2>{t.remove.action}</h2><p>{short}</p></div>
                <ButtonLink kind=ButtonKind::Danger href=href>{t.remove.action}</ButtonLink>
            </div>
        }
    });
    view! { {transfer} {remove} }.into_any()
}
