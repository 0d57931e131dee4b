//! Deployments: listed and made.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::limits::brief;
use crate::pages::members::{spent_this_month, tabs};
use crate::pages::places::new::{self, NewPlace};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::Deployment;
use bytespike_accounts::role::Permission;
use bytespike_gateway::quota::OrgLimits;
use bytespike_ledger::Dimension;
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, ButtonKind, ButtonLink, TableFrame};
use leptos::prelude::*;
use std::collections::HashMap;
use tabs::OrgTab;

pub(super) const PATH: &str = "/console/deployments";

/// `GET /console/deployments`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let all = state.accounts.people.deployments(&who.member).await?;
    let limits = state.quotas().of_org(who.member.org_id()).await?;
    let spent = spent(&state, &who).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let t = &visit.t().people.deployments;
    let new = who.member.role().may(Permission::ManageDeployments).then(|| {
        let href = visit.link("/console/deployments/new");
        view! { <div class="actions"><ButtonLink kind=ButtonKind::Primary href=href>{t.new}</ButtonLink></div> }
    });
    let rows: Vec<AnyView> =
        all.iter().map(|one| row(&visit, &moments, (one, &limits, spent.get(&one.id).copied()))).collect();
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div>{new}</div>
        {tabs::of((&visit, &who), OrgTab::Deployments)}
        {table(&visit, rows)}
    };
    Ok(shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(t.title), content).await)
}

/// Charged this month, nano-USD by deployment.
pub(super) async fn spent(state: &ConsoleState, who: &SignedIn) -> Result<HashMap<String, i64>, Problem> {
    let sums = spent_this_month(state, who, Dimension::Deployment).await?;
    Ok(sums.into_iter().filter_map(|(key, sums)| Some((key.deployment_id?, sums.charged_nano))).collect())
}

fn table(visit: &Visit, rows: Vec<AnyView>) -> AnyView {
    let t = &visit.t().people.deployments;
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.name}</th>
                    <th scope="col" class="num">{t.spent}</th>
                    <th scope="col">{t.quota}</th>
                    <th scope="col" class="num">{t.keys}</th>
                    <th scope="col">{t.created}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(
    visit: &Visit,
    moments: &Moments,
    (one, limits, spent): (&Deployment, &OrgLimits, Option<i64>),
) -> AnyView {
    let t = &visit.t().people.deployments;
    let href = visit.link(&format!("{PATH}/{}", one.id));
    let badge = one.archived_at_ms.map(|_| view! { " " <Badge kind=BadgeKind::Muted label=t.archived/> });
    let class = one.archived_at_ms.map(|_| "faded");
    view! {
        <tr class=class>
            <th scope="row"><a href=href>{one.name.clone()}</a>{badge}</th>
            <td class="num" data-label=t.spent>{visit.numbers.usd(spent.unwrap_or(0))}</td>
            <td data-label=t.quota>{brief(visit, &format!("dep:{}", one.id), limits)}</td>
            <td class="num" data-label=t.keys>{one.open_keys}</td>
            <td data-label=t.created>{moments.date(one.created_at_ms)}</td>
        </tr>
    }
    .into_any()
}

/// `GET /console/deployments/new`
pub(crate) async fn form(visit: Visit, who: SignedIn) -> Response {
    let visit = who.reads(visit);
    show((&visit, &who), &Form::default()).await
}

/// `POST /console/deployments/new`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    match state.accounts.people.create_deployment(&who.origin, &who.member, form.value("name")).await {
        Ok(id) => {
            let page = visit.link(&format!("{PATH}/{id}"));
            Ok(see_other(&flash::with(&page, Notice::DeploymentCreated)))
        }
        Err(error) => {
            new::refuse(&mut form, &visit, error)?;
            Ok(show((&visit, &who), &form).await)
        }
    }
}

async fn show((visit, who): (&Visit, &SignedIn), form: &Form) -> Response {
    let t = &visit.t().people.deployments;
    let (title, submit) = (t.new, t.submit);
    let place = NewPlace { path: PATH, list: t.title, title, name: t.name, name_hint: t.name_hint, submit };
    place.show((visit, who), form, None).await
}
