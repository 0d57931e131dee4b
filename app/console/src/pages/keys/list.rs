//! Every key the reader may see.
use crate::pages::keys::{limits, may_manage, state_badge};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::keys::{KeyInfo, KeyState};
use bytespike_ledger::{LimitState, NodeId};
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, EmptyState, TableFrame};
use leptos::prelude::*;

/// `GET /console/keys`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let mut keys = state.accounts.keys.list(&who.member).await?;
    keys.retain(|key| key.state != KeyState::Deleted);
    // A stable sort: within each group the newest stay first.
    keys.sort_by_key(|key| key.state == KeyState::Revoked);
    let limits = state.ledger.limits(who.member.org_id()).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let body = if keys.is_empty() { empty(&visit, &who) } else { table(&visit, &moments, &keys, &limits) };
    let t = &visit.t().keys.list;
    let content = view! { {head(&visit, &who)} {body} };
    Ok(shell::signed_in((&visit, &who), Section::Keys, Titled::ok(t.title), content).await)
}

fn head(visit: &Visit, who: &SignedIn) -> AnyView {
    let t = &visit.t().keys.list;
    let new = visit.link("/console/keys/new");
    let create =
        may_manage(who).then(|| view! { <ButtonLink kind=ButtonKind::Primary href=new>{t.new}</ButtonLink> });
    let check = visit.link("/console/keys/check");
    view! {
        <div class="page-head">
            <div><h1>{t.title}</h1><p>{t.lead}</p></div>
            <div class="actions"><ButtonLink href=check>{t.check}</ButtonLink>{create}</div>
        </div>
    }
    .into_any()
}

fn empty(visit: &Visit, who: &SignedIn) -> AnyView {
    let t = &visit.t().keys.list;
    let new = visit.link("/console/keys/new");
    let create =
        may_manage(who).then(|| view! { <ButtonLink kind=ButtonKind::Primary href=new>{t.new}</ButtonLink> });
    view! { <EmptyState title=t.empty_title><p>{t.empty}</p>{create}</EmptyState> }.into_any()
}

fn table(visit: &Visit, moments: &Moments, keys: &[KeyInfo], limits: &[LimitState]) -> AnyView {
    let t = &visit.t().keys.list;
    let rows: Vec<AnyView> = keys.iter().map(|key| row(visit, moments, key, limits)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.name}</th>
                    <th scope="col">{t.key}</th>
                    <th scope="col">{t.state}</th>
                    <th scope="col">{t.limit}</th>
                    <th scope="col">{t.last_used}</th>
                    <th scope="col">{t.created}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(visit: &Visit, moments: &Moments, key: &KeyInfo, all: &[LimitState]) -> AnyView {
    let t = &visit.t().keys.list;
    let href = visit.link(&format!("/console/keys/{}", key.id));
    let last_used = match key.last_used_at_ms {
        Some(at_ms) => moments.relative(at_ms),
        None => view! { <span class="faint">{visit.t().console.word.never}</span> }.into_any(),
    };
    let class = (key.state == KeyState::Revoked).then_some("faded");
    view! {
        <tr class=class>
            <th scope="row"><a href=href>{key.name.clone()}</a></th>
            <td data-label=t.key><code>{key.masked.clone()}</code></td>
            <td data-label=t.state>{state_badge(visit.locale, key, moments.now_ms)}</td>
            <td data-label=t.limit>{limits::brief(visit.locale, &NodeId::key(&key.id), all)}</td>
            <td data-label=t.last_used>{last_used}</td>
            <td data-label=t.created>{moments.date(key.created_at_ms)}</td>
        </tr>
    }
    .into_any()
}
