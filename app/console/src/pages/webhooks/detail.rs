//! One endpoint: how it does, what signs its messages, and the messages.
use super::{PATH, address, find, manager, problem_of, words};
use crate::calls::{read_cursor, write_cursor};
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled, see_other};
use crate::shown_once::{self, Of};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_gateway::webhooks::{self, DeliveryRow, Endpoint, ValidSecret};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, ButtonLink, Callout, CalloutKind, Hidden, KeyValues, Pagination, Select,
    SelectOption, TableFrame, breakable,
};
use leptos::prelude::*;

const ROWS: i64 = 50;
const HOUR_MS: i64 = 3_600_000;
/// What is offered, in hours; the first is chosen unless another one is.
const OVERLAP_HOURS: [i64; 5] = [24, 0, 1, 72, 168];

/// One page of messages, and where the next one starts.
struct Messages {
    rows: Vec<DeliveryRow>,
    older: Option<String>,
    is_first: bool,
}

/// `GET /console/webhooks/{id}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let endpoint = find(&state, &who, &id).await?;
    let secrets = state.webhooks.valid_secrets(&manager(&who)?, &id).await.map_err(problem_of)?;
    let messages = load(&state, &visit, &who, &id).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let name = words::name(&endpoint);
    let above = vec![(visit.link(PATH), visit.t().webhooks.list.title.to_owned())];
    let content = view! {
        <div><Breadcrumbs locale=visit.locale above=above here=name.clone()/><h1>{name.clone()}</h1></div>
        {trouble(&visit, &moments, &endpoint)}
        {facts(&visit, &moments, &endpoint)}
        {actions(&visit, &who, &endpoint)}
        {message_part(&visit, &moments, (&endpoint, &messages))}
        {secret_part(&visit, &moments, (&who, &endpoint, &secrets))}
    };
    Ok(shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(name), content).await)
}

async fn load(state: &ConsoleState, visit: &Visit, who: &SignedIn, id: &str) -> Result<Messages, Problem> {
    let after = Query::of(visit).get("after").and_then(read_cursor);
    let is_first = after.is_none();
    let asked = state.webhooks.messages_of(&manager(who)?, id, (after.as_ref(), ROWS + 1)).await;
    let mut rows = asked.map_err(problem_of)?;
    let wanted = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let last = rows.last().filter(|_| has_more);
    let older = last.map(|row| format!("?after={}", write_cursor(&(row.created_at_ms, row.id.clone()))));
    Ok(Messages { rows, older, is_first })
}

/// `POST /console/webhooks/{id}/test`
pub(crate) async fn test(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let message = state.webhooks.send_test(&manager(&post.who)?, &id).await.map_err(problem_of)?;
    let page = format!("{}/messages/{message}", address(&visit, &id));
    Ok(see_other(&flash::with(&page, Notice::WebhookTestSent)))
}

/// `POST /console/webhooks/{id}/rotate`
pub(crate) async fn rotate(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let hours = OVERLAP_HOURS.into_iter().find(|hours| hours.to_string() == form.value("overlap"));
    let overlap_ms = hours.ok_or(Problem::NotFound)? * HOUR_MS;
    let secret = state.webhooks.rotate(&manager(&who)?, (&id, overlap_ms)).await.map_err(problem_of)?;
    shown_once::keep((&state, &who), (Of::Webhook, &id), &secret).await?;
    Ok(see_other(&format!("{}/secret", address(&visit, &id))))
}

/// What is wrong with the endpoint, and what to do.
fn trouble(visit: &Visit, moments: &Moments, endpoint: &Endpoint) -> Option<AnyView> {
    let t = &visit.t().webhooks.detail;
    let since = moments.written(endpoint.failing_since_ms?);
    let words = match endpoint.state {
        webhooks::State::Failed => t.switched_off(since),
        webhooks::State::On => t.failing(since),
        webhooks::State::Off => return None,
    };
    Some(view! { <Callout kind=CalloutKind::Warning><p>{words}</p></Callout> }.into_any())
}

fn facts(visit: &Visit, moments: &Moments, endpoint: &Endpoint) -> AnyView {
    let t = &visit.t().webhooks.list;
    let pairs = vec![
        (t.url.to_owned(), breakable(&endpoint.url)),
        (t.events.to_owned(), words::events(visit.locale, endpoint).into_any()),
        (t.state.to_owned(), words::state(visit, endpoint)),
        (visit.t().webhooks.detail.added.to_owned(), moments.exact(endpoint.created_at_ms)),
    ];
    view! { <KeyValues pairs=pairs/> }.into_any()
}

fn actions(visit: &Visit, who: &SignedIn, endpoint: &Endpoint) -> AnyView {
    let t = &visit.t().webhooks.detail;
    let here = address(visit, &endpoint.id);
    let is_on = endpoint.state == webhooks::State::On;
    let (switch, to) = if is_on { (t.switch_off, "off") } else { (t.switch_on, "on") };
    view! {
        <div class="actions">
            <form method="post" action=format!("{here}/test") class="inline">
                <Hidden name="csrf" value=who.token.clone()/>
                <Button kind=ButtonKind::Primary>{t.test}</Button>
            </form>
            <ButtonLink href=format!("{here}/edit")>{t.edit}</ButtonLink>
            <form method="post" action=format!("{here}/state") class="inline">
                <Hidden name="csrf" value=who.token.clone()/>
                <Hidden name="on" value=to/>
                <Button>{switch}</Button>
            </form>
            <ButtonLink kind=ButtonKind::Danger href=format!("{here}/remove")>{t.remove}</ButtonLink>
        </div>
    }
    .into_any()
}

fn message_part(visit: &Visit, moments: &Moments, (endpoint, messages): (&Endpoint, &Messages)) -> AnyView {
    let t = &visit.t().webhooks.message;
    let here = address(visit, &endpoint.id);
    let body = if messages.rows.is_empty() {
        view! { <p class="soft">{t.none}</p> }.into_any()
    } else {
        message_table(visit, moments, (&here, &messages.rows))
    };
    let newer = (!messages.is_first).then(|| here.clone());
    let older = messages.older.as_ref().map(|query| format!("{here}{query}"));
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            {body}
            <Pagination locale=visit.locale newer=newer older=older/>
        </section>
    }
    .into_any()
}

fn message_table(visit: &Visit, moments: &Moments, (here, rows): (&str, &[DeliveryRow])) -> AnyView {
    let t = &visit.t().webhooks.message;
    let row = |row: &DeliveryRow| {
        let href = format!("{here}/messages/{}", row.id);
        let answer = row.last_status.map_or_else(|| "—".to_owned(), |status| status.to_string());
        view! {
            <tr>
                <th scope="row"><a href=href>{words::message(visit.locale, &row.event_type)}</a></th>
                <td data-label=t.time>{moments.exact(row.created_at_ms)}</td>
                <td data-label=t.state>{words::message_state(visit, &row.state)}</td>
                <td class="num" data-label=t.tries>{row.tries.to_string()}</td>
                <td class="num" data-label=t.answer>{answer}</td>
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = rows.iter().map(row).collect();
    view! {
        <TableFrame caption=t.title>
            <thead><tr>
                <th scope="col">{t.what}</th>
                <th scope="col">{t.time}</th>
                <th scope="col">{t.state}</th>
                <th scope="col" class="num">{t.tries}</th>
                <th scope="col" class="num">{t.answer}</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn secret_part(
    visit: &Visit,
    moments: &Moments,
    (who, endpoint, secrets): (&SignedIn, &Endpoint, &[ValidSecret]),
) -> AnyView {
    let t = &visit.t().webhooks.secret;
    let item = |secret: &ValidSecret| {
        let made = moments.written(secret.created_at_ms);
        let words = match secret.ends_at_ms {
            None => t.newest(made),
            Some(ends_at_ms) => t.former(moments.written(ends_at_ms), made),
        };
        view! { <li>{words}</li> }
    };
    let items: Vec<_> = secrets.iter().map(item).collect();
    let option = |hours: i64| SelectOption::new(hours.to_string(), overlap_words(visit, hours));
    let options: Vec<SelectOption> = OVERLAP_HOURS.into_iter().map(option).collect();
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            <ul>{items}</ul>
            <form method="post" action=format!("{}/rotate", address(visit, &endpoint.id)) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Select id="overlap" label=t.overlap hint=t.overlap_hint options=options selected="24"/>
                <Button>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}

fn overlap_words(visit: &Visit, hours: i64) -> String {
    let t = &visit.t().webhooks.secret;
    match hours {
        0 => t.at_once.to_owned(),
        hours if hours % 24 == 0 => t.days((hours / 24).unsigned_abs()),
        hours => t.hours(hours.unsigned_abs()),
    }
}
