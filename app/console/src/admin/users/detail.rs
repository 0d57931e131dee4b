//! One person: where they belong, where they are signed in, and what an operator can do about it.
use super::PATH;
use crate::admin::account::browser;
use crate::admin::act::Act;
use crate::admin::notice::{self, Did};
use crate::admin::shell::{self, Part};
use crate::admin::who::Operator;
use crate::pages::members::words;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::audit::Actor;
use bytespike_accounts::people::{Overseen, SeenSession};
use bytespike_accounts::role::Role;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, Callout, CalloutKind, Hidden, KeyValues, TableFrame,
};
use leptos::prelude::*;

/// `GET /admin/users/{id}`
pub(in crate::admin) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let person = find(&state, &id).await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let above = vec![(visit.link(PATH), visit.t().admin.users.title.to_owned())];
    let title = person.line.email.clone();
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title.clone()/>
            <div class="page-head"><h1 class="long">{title.clone()}</h1></div>
        </div>
        {ending(&visit, &person, &moments)}
        {facts(&visit, &person, &moments)}
        {places(&visit, &person)}
        {sessions(&visit, &person, &moments)}
        {actions((&visit, &operator), &person)}
    };
    Ok(shell::page((&visit, &operator), Part::Users, Titled::ok(title), content).await)
}

/// `POST /admin/users/{id}/suspend`
pub(in crate::admin) async fn suspend(act: Act) -> Result<Response, Problem> {
    find(&act.state, &act.id).await?;
    let by = Actor::Operator(&act.operator.row().id);
    act.state.accounts.people.disable(&act.operator.origin, by, &act.id).await?;
    Ok(done(&act, Did::PersonSuspended))
}

/// `POST /admin/users/{id}/let-in`
pub(in crate::admin) async fn let_in(act: Act) -> Result<Response, Problem> {
    find(&act.state, &act.id).await?;
    let by = Actor::Operator(&act.operator.row().id);
    match act.state.accounts.people.let_in(&act.operator.origin, by, &act.id).await? {
        true => Ok(done(&act, Did::PersonLetIn)),
        false => Err(Problem::NotFound),
    }
}

/// `POST /admin/users/{id}/sessions/end`
pub(in crate::admin) async fn end_sessions(act: Act) -> Result<Response, Problem> {
    find(&act.state, &act.id).await?;
    let by = Actor::Operator(&act.operator.row().id);
    act.state.accounts.people.end_sessions_of(&act.operator.origin, by, &act.id).await?;
    Ok(done(&act, Did::SessionsEnded))
}

/// `POST /admin/users/{id}/reset`: the letter goes to the person; nobody else sees its link.
pub(in crate::admin) async fn reset(act: Act) -> Result<Response, Problem> {
    find(&act.state, &act.id).await?;
    let by = Actor::Operator(&act.operator.row().id);
    let people = &act.state.accounts.people;
    let letter = people.help_with_password(&act.operator.origin, by, &act.id).await?;
    let did = if letter.is_some() { Did::ResetSent } else { Did::ResetNotSent };
    act.state.mail.deliver(&act.state.urls, "", letter).await;
    Ok(done(&act, did))
}

fn done(act: &Act, did: Did) -> Response {
    see_other(&notice::with(&act.visit.link(&format!("{PATH}/{}", act.id)), did))
}

async fn find(state: &ConsoleState, id: &str) -> Result<Overseen, Problem> {
    state.accounts.people.overseen(id).await?.ok_or(Problem::NotFound)
}

fn ending(visit: &Visit, person: &Overseen, moments: &Moments) -> Option<AnyView> {
    let t = &visit.t().admin.user;
    let text = match (person.has_ended(), person.ends_at_ms) {
        (true, _) => t.ended.to_owned(),
        (false, Some(at_ms)) => t.ends(moments.written(at_ms)),
        (false, None) => return None,
    };
    Some(view! { <Callout kind=CalloutKind::Note><p>{text}</p></Callout> }.into_any())
}

fn facts(visit: &Visit, person: &Overseen, moments: &Moments) -> AnyView {
    let (t, line) = (&visit.t().admin.user, &person.line);
    let text = |text: String| text.into_any();
    let yes_no = |yes: bool| text(if yes { t.yes } else { t.no }.to_owned());
    let state = if line.state == "active" { t.active } else { t.suspended };
    let verified = line.email_verified_at_ms.map_or_else(|| t.no.to_owned(), |at_ms| moments.date(at_ms));
    let log = format!("{}?actor=person:{}", visit.link("/admin/audit"), line.id);
    let pairs = vec![
        (t.id.to_owned(), view! { <code>{line.id.clone()}</code> }.into_any()),
        (t.name.to_owned(), text(line.name.clone())),
        (t.state.to_owned(), text(state.to_owned())),
        (t.verified.to_owned(), text(verified)),
        (t.password.to_owned(), yes_no(line.has_password)),
        (t.factor.to_owned(), yes_no(line.has_factor)),
        (t.created.to_owned(), text(moments.date(line.created_at_ms))),
        (t.log.to_owned(), view! { <a href=log>{t.log_link}</a> }.into_any()),
    ];
    view! { <KeyValues pairs=pairs/> }.into_any()
}

fn places(visit: &Visit, person: &Overseen) -> AnyView {
    let t = &visit.t().admin.user;
    let rows: Vec<AnyView> = person
        .places
        .iter()
        .map(|place| {
            let href = visit.link(&format!("/admin/orgs/{}", place.org_id));
            let role = Role::parse(&place.role)
                .map_or(place.role.clone(), |role| words::role(visit.locale, role).to_owned());
            view! {
                <tr>
                    <th scope="row"><a href=href>{place.org_name.clone()}</a></th>
                    <td data-label=t.role>{role}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    if rows.is_empty() {
        return ().into_any();
    }
    view! {
        <section class="stack">
            <h2>{t.orgs}</h2>
            <TableFrame caption=t.orgs>
                <thead><tr><th scope="col">{t.org}</th><th scope="col">{t.role}</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    }
    .into_any()
}

fn sessions(visit: &Visit, person: &Overseen, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.account;
    let row = |session: &SeenSession| {
        view! {
            <tr>
                <th scope="row">{browser(visit, &session.user_agent)}</th>
                <td data-label=t.address>{session.ip.clone()}</td>
                <td data-label=t.since>{moments.exact(session.signed_in_at_ms)}</td>
                <td data-label=t.seen>{moments.relative(session.last_seen_at_ms)}</td>
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = person.sessions.iter().map(row).collect();
    let title = visit.t().admin.user.sessions;
    if rows.is_empty() {
        let none = visit.t().admin.user.no_sessions;
        return view! { <section class="stack"><h2>{title}</h2><p class="soft">{none}</p></section> }
            .into_any();
    }
    view! {
        <section class="stack">
            <h2>{title}</h2>
            <TableFrame caption=title>
                <thead>
                    <tr>
                        <th scope="col">{t.browser}</th>
                        <th scope="col">{t.address}</th>
                        <th scope="col">{t.since}</th>
                        <th scope="col">{t.seen}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    }
    .into_any()
}

/// Nothing can be done about an account that has ended.
fn actions((visit, operator): (&Visit, &Operator), person: &Overseen) -> AnyView {
    if person.has_ended() {
        return ().into_any();
    }
    let t = &visit.t().admin.user;
    let (signed_in, active) = (!person.sessions.is_empty(), person.line.state == "active");
    let zone = |words: (&'static str, &'static str, &'static str), verb: &str, kind: ButtonKind| {
        let (title, lead, submit) = words;
        let class = if kind == ButtonKind::Danger { "danger-zone" } else { "action-row" };
        let action = visit.link(&format!("{PATH}/{}/{verb}", person.line.id));
        view! {
            <div class=class>
                <div><h2>{title}</h2><p>{lead}</p></div>
                <form method="post" action=action>
                    <Hidden name="csrf" value=operator.token.clone()/>
                    <Button kind=kind>{submit}</Button>
                </form>
            </div>
        }
        .into_any()
    };
    let end =
        signed_in.then(|| zone((t.end, t.end_lead, t.end_submit), "sessions/end", ButtonKind::Secondary));
    let reset = active.then(|| zone((t.reset, t.reset_lead, t.reset_submit), "reset", ButtonKind::Secondary));
    let suspend = if active {
        zone((t.suspend, t.suspend_lead, t.suspend_submit), "suspend", ButtonKind::Danger)
    } else {
        zone((t.let_in, t.let_in_lead, t.let_in_submit), "let-in", ButtonKind::Secondary)
    };
    view! { {end} {reset} {suspend} }.into_any()
}
