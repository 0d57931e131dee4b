//! One deployment: what its keys used this month, its limits, its name, and putting it away.
use super::deployments::{self, PATH};
use crate::flash::{self, Notice};
use crate::forms::{self, Form, SignedPost};
use crate::pages::limits;
use crate::pages::members::place_problem;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::people::{Deployment, PlaceError};
use bytespike_accounts::role::Permission;
use bytespike_ledger::{Dimension, UsageFilter, UsageSums, Window};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Badge, BadgeKind, Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden, KeyValues, TableFrame,
};
use jiff::tz::TimeZone;
use leptos::prelude::*;

/// What the deployment's keys used this month, by model.
type Used = Vec<(String, UsageSums)>;

/// `GET /console/deployments/{id}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let deployment = find(&state, &who, &id).await?;
    show(&state, (&visit, &who), &deployment, None).await
}

/// `POST /console/deployments/{id}/name`
pub(crate) async fn rename(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let deployment = find(&state, &who, &id).await?;
    let new = (id.as_str(), form.value("name"));
    match state.accounts.people.rename_deployment(&who.origin, &who.member, new).await {
        Ok(()) => Ok(see_other(&flash::with(&address(&visit, &deployment), Notice::NameSaved))),
        Err(PlaceError::Name(problem)) => {
            form.refuse("name", forms::words::name(visit.locale, problem));
            show(&state, (&visit, &who), &deployment, Some(form)).await
        }
        Err(error) => Err(place_problem(error)),
    }
}

/// `GET /console/deployments/{id}/archive`
pub(crate) async fn archive_form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let deployment = archivable(&state, &who, &id).await?;
    Ok(show_archive((&visit, &who), &deployment, &Form::default()).await)
}

/// `POST /console/deployments/{id}/archive`
pub(crate) async fn archive(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let deployment = archivable(&state, &who, &id).await?;
    if form.value("confirm").trim() != deployment.name {
        form.refuse("confirm", visit.t().people.error.confirm_wrong);
        return Ok(show_archive((&visit, &who), &deployment, &form).await);
    }
    let people = &state.accounts.people;
    people.archive_deployment(&who.origin, &who.member, &id).await.map_err(place_problem)?;
    Ok(see_other(&flash::with(&visit.link(PATH), Notice::DeploymentArchived)))
}

async fn find(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Deployment, Problem> {
    state.accounts.people.deployment(&who.member, id).await?.ok_or(Problem::NotFound)
}

async fn archivable(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Deployment, Problem> {
    let found = find(state, who, id).await?;
    if found.is_default || found.archived_at_ms.is_some() { Err(Problem::NotFound) } else { Ok(found) }
}

fn address(visit: &Visit, deployment: &Deployment) -> String {
    visit.link(&format!("{PATH}/{}", deployment.id))
}

async fn used(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Used, Problem> {
    let org_id = who.member.org_id();
    let wallet = state.ledger.wallet(org_id).await?;
    let zone =
        wallet.and_then(|wallet| bytespike_ledger::time_zone(&wallet.time_zone)).unwrap_or(TimeZone::UTC);
    let (from_ms, to_ms) = Window::Month.opening_at(state.world.now_ms(), &zone);
    let month = UsageFilter { from_ms, to_ms, deployment_id: Some(id.to_owned()), ..UsageFilter::default() };
    let sums = state.ledger.usage(org_id, &month, (&[Dimension::Model], &zone)).await?;
    let mut used: Used = sums.into_iter().filter_map(|(key, sums)| Some((key.model?, sums))).collect();
    used.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.charged_nano));
    Ok(used)
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    deployment: &Deployment,
    faulty: Option<Form>,
) -> Result<Response, Problem> {
    let t = &visit.t().people.deployments;
    let limits = state.quotas().of_org(who.member.org_id()).await?;
    let spent = deployments::spent(state, who).await?.get(&deployment.id).copied().unwrap_or(0);
    let used = used(state, who, &deployment.id).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let summary = faulty.as_ref().map(|form| form.summary(visit.locale));
    let name = deployment.name.as_str();
    let titled = if faulty.is_some() { Titled::faulty(visit, name) } else { Titled::ok(name) };
    let above = vec![(visit.link(PATH), t.title.to_owned())];
    let is_open = deployment.archived_at_ms.is_none();
    let badge = (!is_open).then(|| view! { " " <Badge kind=BadgeKind::Muted label=t.archived/> });
    let node = format!("dep:{}", deployment.id);
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=deployment.name.clone()/>
            <div class="page-head"><h1>{deployment.name.clone()}{badge}</h1></div>
        </div>
        {summary}
        {facts(visit, &moments, deployment, spent)}
        {usage(visit, &used)}
        {is_open.then(|| name_part((visit, who), deployment, faulty))}
        {is_open.then(|| limits::of_node((visit, who), &moments, &node, &limits))}
        {is_open.then(|| end((visit, who), deployment))}
    };
    Ok(shell::signed_in((visit, who), Section::Organisation, titled, content).await)
}

fn facts(visit: &Visit, moments: &Moments, deployment: &Deployment, spent: i64) -> AnyView {
    let t = &visit.t().people.deployments;
    let number = |text: String| view! { <span class="num">{text}</span> }.into_any();
    let archived =
        deployment.archived_at_ms.map(|at_ms| (t.archived_at.to_owned(), moments.date(at_ms).into_any()));
    let pairs = [
        (t.spent.to_owned(), number(visit.numbers.usd(spent))),
        (t.keys.to_owned(), number(deployment.open_keys.to_string())),
        (t.created.to_owned(), moments.date(deployment.created_at_ms).into_any()),
    ];
    let pairs: Vec<(String, AnyView)> = pairs.into_iter().chain(archived).collect();
    view! { <KeyValues pairs=pairs/> }.into_any()
}

fn usage(visit: &Visit, used: &Used) -> AnyView {
    let t = &visit.t().people.deployments;
    if used.is_empty() {
        return view! { <section class="stack"><h2>{t.usage}</h2><p class="soft">{t.unused}</p></section> }
            .into_any();
    }
    let count = |count: i64| visit.numbers.count(u64::try_from(count).unwrap_or(0));
    let row = |(model, sums): &(String, UsageSums)| {
        let tokens = &sums.quantities;
        let input = tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens;
        view! {
            <tr>
                <th scope="row"><code>{model.clone()}</code></th>
                <td class="num" data-label=t.calls>{count(sums.calls())}</td>
                <td class="num" data-label=t.not_billed>{count(sums.not_billed_calls())}</td>
                <td class="num" data-label=t.tokens_in>{count(input)}</td>
                <td class="num" data-label=t.tokens_out>{count(tokens.output_tokens)}</td>
                <td class="num" data-label=t.charged>{visit.numbers.usd(sums.charged_nano)}</td>
            </tr>
        }
    };
    let rows: Vec<_> = used.iter().map(row).collect();
    view! {
        <section class="stack">
            <h2>{t.usage}</h2>
            <TableFrame caption=t.usage>
                <thead>
                    <tr>
                        <th scope="col">{t.model}</th>
                        <th scope="col" class="num">{t.calls}</th>
                        <th scope="col" class="num">{t.not_billed}</th>
                        <th scope="col" class="num">{t.tokens_in}</th>
                        <th scope="col" class="num">{t.tokens_out}</th>
                        <th scope="col" class="num">{t.charged}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    }
    .into_any()
}

fn name_part(
    (visit, who): (&Visit, &SignedIn),
    deployment: &Deployment,
    faulty: Option<Form>,
) -> Option<AnyView> {
    let t = &visit.t().people.deployments;
    let form = faulty.unwrap_or_else(|| Form::filled([("name", deployment.name.clone())]));
    let action = format!("{}/name", address(visit, deployment));
    who.member.role().may(Permission::ManageDeployments).then(|| {
        view! {
            <section class="stack">
            <h2>{t.rename_title}</h2>
            <form method="post" action=action class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="name" label=t.name value=form.value("name") nostrip:fault=form.fault("name") max_length=64
                    autocomplete="off"
                />
                <Button>{t.rename}</Button>
            </form>
            </section>
        }
        .into_any()
    })
}

fn end((visit, who): (&Visit, &SignedIn), deployment: &Deployment) -> Option<AnyView> {
    let t = &visit.t().people.archive;
    let href = format!("{}/archive", address(visit, deployment));
    let may = !deployment.is_default && who.member.role().may(Permission::ManageDeployments);
    may.then(|| {
        view! {
            <div class="danger-zone">
                <div><h2>{t.action}</h2><p>{t.short}</p></div>
                <ButtonLink kind=ButtonKind::Danger href=href>{t.action}</ButtonLink>
            </div>
        }
        .into_any()
    })
}

async fn show_archive((visit, who): (&Visit, &SignedIn), deployment: &Deployment, form: &Form) -> Response {
    let t = &visit.t().people;
    let title = t.archive.title(&deployment.name);
    let titled = Titled::of(visit, &title, form);
    let own = address(visit, deployment);
    let above =
        vec![(visit.link(PATH), t.deployments.title.to_owned()), (own.clone(), deployment.name.clone())];
    let cancel = visit.t().console.word.cancel;
    let action = format!("{own}/archive");
    let keys = t.archive.keys(u64::try_from(deployment.open_keys).unwrap_or(0));
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.archive.action/>
            <h1>{title}</h1>
        </div>
        {form.summary(visit.locale)}
        <ul class="bullets"><li>{keys}</li><li>{t.archive.history}</li></ul>
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="confirm" label=t.archive.confirm hint=deployment.name.clone() value=form.value("confirm")
                nostrip:fault=form.fault("confirm") autocomplete="off"
            />
            <p class="actions">
                <Button kind=ButtonKind::Final>{t.archive.action}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=own>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Organisation, titled, content).await
}
