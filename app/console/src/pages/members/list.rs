//! Every member the reader may see, and below them the invitations that are open.
use super::{PATH, invite, spent_this_month, tabs, words};
use crate::pages::keys::limits::brief;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::{SignedIn, Visitor};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::Member;
use bytespike_accounts::role::{Permission, Role};
use bytespike_gateway::quota::OrgLimits;
use bytespike_ledger::Dimension;
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, ButtonKind, ButtonLink, TableFrame};
use leptos::prelude::*;
use std::collections::HashMap;
use tabs::OrgTab;

/// What the list is made of.
pub(crate) struct People {
    pub members: Vec<Member>,
    pub limits: OrgLimits,
    /// Charged this month, nano-USD by member.
    pub spent: HashMap<String, i64>,
}

/// `GET /console/members`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let mut people = load(&state, &who).await?;
    people.members.retain(Member::is_person);
    let invitations = state.accounts.people.invitations(&who.member).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let stays = stays((&state, &visit, &who), &people).await?;
    let content = view! {
        {head(&visit, &who)}
        {tabs::of((&visit, &who), OrgTab::Members)}
        {table((&visit, &who), &moments, &people)}
        {invite::open((&visit, &who), &moments, &invitations)}
        {invite::letter(&state, (&visit, &visitor))}
        {leave(&visit, stays)}
    };
    let titled = Titled::ok(title(&visit, &who));
    Ok(shell::signed_in((&visit, &who), Section::Organisation, titled, content).await)
}

pub(crate) async fn load(state: &ConsoleState, who: &SignedIn) -> Result<People, Problem> {
    let spent = spent_this_month(state, who, Dimension::Member).await?;
    let spent = spent.into_iter().filter_map(|(key, sums)| Some((key.member_id?, sums.charged_nano)));
    Ok(People {
        members: state.accounts.people.members(&who.member).await?,
        limits: state.quotas().of_org(who.member.org_id()).await?,
        spent: spent.collect(),
    })
}

fn head(visit: &Visit, who: &SignedIn) -> AnyView {
    let t = &visit.t().people.members;
    let invite = who.member.role().may(Permission::ManageMembers).then(|| {
        let href = visit.link("/console/members/invite");
        view! { <div class="actions"><ButtonLink kind=ButtonKind::Primary href=href>{t.invite}</ButtonLink></div> }
    });
    let lead = if who.member.role().may(Permission::SeeMembers) { t.lead } else { t.lead_own };
    view! { <div class="page-head"><div><h1>{title(visit, who)}</h1><p>{lead}</p></div>{invite}</div> }
        .into_any()
}

fn title(visit: &Visit, who: &SignedIn) -> &'static str {
    let t = &visit.t().people.members;
    if who.member.role().may(Permission::SeeMembers) { t.title } else { t.title_own }
}

/// Why the reader cannot leave, if they cannot.
async fn stays(
    (state, visit, who): (&ConsoleState, &Visit, &SignedIn),
    people: &People,
) -> Result<Option<&'static str>, Problem> {
    let t = &visit.t().people.error;
    if state.accounts.people.memberships(who.member.person_id()).await?.len() < 2 {
        return Ok(Some(t.only_org));
    }
    let owners = people.members.iter().filter(|one| one.role == Role::Owner).count();
    Ok((who.member.role() == Role::Owner && owners < 2).then_some(t.last_owner))
}

/// People, or service accounts, with what they spent and what limits them.
pub(crate) fn table((visit, who): (&Visit, &SignedIn), moments: &Moments, people: &People) -> AnyView {
    let (t, services) = (&visit.t().people.members, &visit.t().people.services);
    let of_people = people.members.iter().any(Member::is_person);
    let (name, joined) = if of_people { (t.name, t.joined) } else { (services.name, services.created) };
    let rows: Vec<AnyView> =
        people.members.iter().map(|one| row((visit, who), moments, people, (one, joined))).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{name}</th>
                    <th scope="col">{t.role}</th>
                    <th scope="col" class="num">{t.spent}</th>
                    <th scope="col">{t.quota}</th>
                    <th scope="col" class="num">{t.keys}</th>
                    <th scope="col">{joined}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
    people: &People,
    (one, joined): (&Member, &'static str),
) -> AnyView {
    let t = &visit.t().people.members;
    let href = visit.link(&format!("{PATH}/{}", one.id));
    let is_self = one.id == who.member.member_id();
    let you = is_self.then(|| view! { " " <Badge kind=BadgeKind::Plain label=t.you/> });
    let email = one.email.clone().map(|email| view! { <span class="note">{email}</span> });
    let spent = people.spent.get(&one.id).copied().unwrap_or(0);
    let quota = brief(visit, &format!("mem:{}", one.id), &people.limits);
    view! {
        <tr>
            <th scope="row"><a href=href>{one.name.clone()}</a>{you}{email}</th>
            <td data-label=t.role>{words::role(visit.locale, one.role)}</td>
            <td class="num" data-label=t.spent>{visit.numbers.usd(spent)}</td>
            <td data-label=t.quota>{quota}</td>
            <td class="num" data-label=t.keys>{one.open_keys}</td>
            <td data-label=joined>{moments.date(one.joined_at_ms)}</td>
        </tr>
    }
    .into_any()
}

fn leave(visit: &Visit, stays: Option<&'static str>) -> AnyView {
    let t = &visit.t().people.leave;
    if let Some(why) = stays {
        return view! { <div class="action-row"><div><h2>{t.title}</h2><p>{why}</p></div></div> }.into_any();
    }
    let href = visit.link("/console/members/leave");
    view! {
        <div class="danger-zone">
            <div><h2>{t.title}</h2><p>{t.short}</p></div>
            <ButtonLink kind=ButtonKind::Danger href=href>{t.submit}</ButtonLink>
        </div>
    }
    .into_any()
}
