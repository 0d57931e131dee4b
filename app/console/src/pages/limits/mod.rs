//! Limits: what binds the reader's calls and when that ends, requests for more, and limits of many nodes at once.
pub(crate) mod ask;
pub(crate) mod node;
pub(crate) mod requests;
mod rule;
mod several;

pub(crate) use several::submit as set_several;

use crate::pages::keys::limits::{label_of, named, said, table as table_of};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::role::Permission;
use bytespike_gateway::quota::{OrgLimits, Which};
use bytespike_ledger::LimitState;
use bytespike_ui::components::{Badge, BadgeKind, ButtonLink, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

use crate::forms::Form;

/// Nodes that bind the reader, of which limits are shown.
type Nodes = Vec<String>;

/// `GET /console/limits`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    show(&state, (&visit, &who), &Form::default()).await
}

/// Whether the reader sets limits, and answers those who ask for more.
fn may_set(who: &SignedIn) -> bool {
    who.member.role().may(Permission::SetLimits)
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: &Form,
) -> Result<Response, Problem> {
    let t = &visit.t().limits;
    let all = state.quotas().of_org(who.member.org_id()).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let nodes = binding_nodes(state, who).await?;
    let requests = requests::section(state, (visit, who), &all, &moments).await?;
    let title = t.page.title;
    let content = view! {
        <div class="page-head"><div><h1>{title}</h1><p>{t.page.lead}</p></div></div>
        {form.summary(visit.locale)}
        {requests}
        <section class="stack">
            <h2>{t.page.mine}</h2>
            {table((visit, &moments), &all, &nodes)}
        </section>
        {may_set(who).then(|| several::section((visit, who), &all, form))}
    };
    Ok(shell::signed_in((visit, who), Section::Limits, Titled::of(visit, title, form), content).await)
}

/// The limits on the way to a node, on the page of what the node stands for; those who set limits find the way from there.
pub(crate) fn of_node(
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
    node: &str,
    all: &OrgLimits,
) -> AnyView {
    let t = &visit.t().limits.node;
    let change = may_set(who).then(|| {
        let href = visit.link(&format!("/console/limits/node/{node}"));
        view! { <p class="actions"><ButtonLink href=href>{t.change}</ButtonLink></p> }
    });
    view! { <section class="stack"><h2>{t.heading}</h2>{table_of(visit, moments, node, all)}{change}</section> }
        .into_any()
}

/// The org, the reader, their deployments and their keys, from the top down.
async fn binding_nodes(state: &ConsoleState, who: &SignedIn) -> Result<Nodes, Problem> {
    let member = &who.member;
    let keys = state.accounts.keys.list(member).await?;
    let own = keys.iter().filter(|key| key.member_id == member.member_id() && key.state.is_open());
    let own: Vec<_> = own.collect();
    let mut nodes = vec![format!("org:{}", member.org_id()), format!("mem:{}", member.member_id())];
    let deployments = own.iter().map(|key| format!("dep:{}", key.deployment_id));
    nodes.extend(deployments.chain([format!("dep:{}", member.deployment_id())]));
    nodes.extend(own.iter().map(|key| format!("key:{}", key.id)));
    nodes.sort_by_key(|node| ["org:", "dep:", "mem:", "key:"].iter().position(|kind| node.starts_with(kind)));
    nodes.dedup();
    Ok(nodes)
}

/// Every limit of the nodes, with what it does to a call now and a way to ask for more.
fn table((visit, moments): (&Visit, &Moments), all: &OrgLimits, nodes: &Nodes) -> AnyView {
    let t = &visit.t().limits.page;
    let mut rows: Vec<AnyView> = Vec::new();
    for node in nodes {
        let what = format::sentence(&named(visit.locale, node, all));
        for limit in all.spend.iter().filter(|limit| limit.node.as_str() == node) {
            rows.push(spend_row((visit, moments), limit, what.clone()));
        }
        for limit in all.calls.iter().filter(|limit| &*limit.node == node) {
            rows.push(call_row(visit, (node, Which::Calls(limit.kind), limit.value), what.clone()));
        }
    }
    if rows.is_empty() {
        return view! { <p class="soft">{t.none}</p> }.into_any();
    }
    view! {
        <TableFrame caption=t.mine>
            <thead>
                <tr>
                    <th scope="col">{t.window}</th>
                    <th scope="col">{t.node}</th>
                    <th scope="col" class="num">{t.used}</th>
                    <th scope="col" class="num">{t.limit}</th>
                    <th scope="col" class="num">{t.left}</th>
                    <th scope="col">{t.state}</th>
                    <th scope="col"><span class="visually-hidden">{t.ask}</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn spend_row((visit, moments): (&Visit, &Moments), limit: &LimitState, node: String) -> AnyView {
    let t = &visit.t().limits.page;
    let which = Which::Spend(limit.window);
    let state = match (limit.remaining().0, limit.resets_at_ms) {
        (0, Some(at_ms)) => {
            let text = t.refused_until(moments.distance(at_ms));
            view! { <Badge kind=BadgeKind::Danger label=text/> }.into_any()
        }
        (0, None) => view! { <Badge kind=BadgeKind::Danger label=t.refused_for_good/> }.into_any(),
        _ => view! { <Badge kind=BadgeKind::Live label=t.room/> }.into_any(),
    };
    let taken = visit.numbers.usd(limit.used.0.saturating_add(limit.held.0));
    view! {
        <tr>
            <th scope="row">{label_of(visit.locale, which)}</th>
            <td data-label=t.node>{node}</td>
            <td class="num" data-label=t.used>{taken}</td>
            <td class="num" data-label=t.limit>{visit.numbers.usd(limit.limit.0)}</td>
            <td class="num" data-label=t.left>{visit.numbers.usd(limit.remaining().0)}</td>
            <td data-label=t.state>{state}</td>
            <td>{ask_link(visit, limit.node.as_str(), which)}</td>
        </tr>
    }
    .into_any()
}

fn call_row(visit: &Visit, (id, which, value): (&str, Which, i64), node: String) -> AnyView {
    let t = &visit.t().limits.page;
    view! {
        <tr>
            <th scope="row">{label_of(visit.locale, which)}</th>
            <td data-label=t.node>{node}</td>
            <td class="num" data-label=t.used><span class="faint">"–"</span></td>
            <td class="num" data-label=t.limit>{said(visit.numbers, (which, value))}</td>
            <td class="num" data-label=t.left><span class="faint">"–"</span></td>
            <td data-label=t.state>{t.counted}</td>
            <td>{ask_link(visit, id, which)}</td>
        </tr>
    }
    .into_any()
}

fn ask_link(visit: &Visit, node: &str, which: Which) -> AnyView {
    let query = crate::query::write(&[("node", node), ("limit", which.name())]);
    let href = visit.link(&format!("/console/limits/ask?{query}"));
    view! { <a href=href>{visit.t().limits.page.ask}</a> }.into_any()
}
