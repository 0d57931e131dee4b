//! The organisation's endpoints.
use super::{PATH, address, manager, problem_of, words};
use crate::pages::members::tabs::{self, OrgTab};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_gateway::webhooks::Endpoint;
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, EmptyState, TableFrame, breakable};
use leptos::prelude::*;

/// `GET /console/webhooks`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let endpoints = state.webhooks.list(&manager(&who)?).await.map_err(problem_of)?;
    let t = &visit.t().webhooks.list;
    let href = visit.link(&format!("{PATH}/new"));
    let new = view! { <ButtonLink kind=ButtonKind::Primary href=href>{t.new}</ButtonLink> }.into_any();
    let (above, body) = match endpoints.is_empty() {
        true => {
            (None, view! { <EmptyState title=t.empty_title><p>{t.empty}</p>{new}</EmptyState> }.into_any())
        }
        false => (Some(new), table(&visit, &endpoints)),
    };
    let content = view! {
        <div class="page-head">
            <div><h1>{t.title}</h1><p>{t.lead} {visit.locale.gap()} <a href=visit.link("/docs/webhooks")>{t.docs}</a></p></div>
            <div class="actions">{above}</div>
        </div>
        {tabs::of((&visit, &who), OrgTab::Webhooks)}
        {body}
    };
    Ok(shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(t.title), content).await)
}

fn table(visit: &Visit, endpoints: &[Endpoint]) -> AnyView {
    let t = &visit.t().webhooks.list;
    let rows: Vec<AnyView> = endpoints.iter().map(|endpoint| row(visit, endpoint)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead><tr>
                <th scope="col">{t.name}</th>
                <th scope="col">{t.url}</th>
                <th scope="col">{t.events}</th>
                <th scope="col">{t.state}</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(visit: &Visit, endpoint: &Endpoint) -> AnyView {
    let t = &visit.t().webhooks.list;
    view! {
        <tr>
            <th scope="row"><a href=address(visit, &endpoint.id)>{words::name(endpoint)}</a></th>
            <td data-label=t.url>{breakable(&endpoint.url)}</td>
            <td data-label=t.events>{words::events(visit.locale, endpoint)}</td>
            <td data-label=t.state>{words::state(visit, endpoint)}</td>
        </tr>
    }
    .into_any()
}
