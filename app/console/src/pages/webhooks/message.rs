//! One message: what it says, every try, and sending it again.
use super::{PATH, address, find, manager, problem_of, words};
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::{Moments, duration};
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_gateway::webhooks::{AttemptRow, DeliveryRow};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Badge, BadgeKind, Breadcrumbs, Button, CodeBlock, Hidden, KeyValues, TableFrame,
};
use leptos::prelude::*;

/// `GET /console/webhooks/{id}/messages/{message}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path((id, message)): Path<(String, String)>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let endpoint = find(&state, &who, &id).await?;
    let found = state.webhooks.message(&manager(&who)?, (&id, &message)).await;
    let (row, attempts) = found.map_err(problem_of)?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let title = words::message(visit.locale, &row.event_type);
    let here = address(&visit, &id);
    let above = vec![
        (visit.link(PATH), visit.t().webhooks.list.title.to_owned()),
        (here.clone(), words::name(&endpoint)),
    ];
    let t = &visit.t().webhooks.message;
    let content = view! {
        <div><Breadcrumbs locale=visit.locale above=above here=title.clone()/><h1>{title.clone()}</h1></div>
        {facts(&visit, &moments, &row)}
        <form method="post" action=format!("{here}/messages/{}/again", row.id) class="stack">
            <Hidden name="csrf" value=who.token.clone()/>
            <p class="actions"><Button>{t.again}</Button></p>
            <p class="hint">{t.again_note}</p>
        </form>
        {attempt_part(&visit, &moments, &attempts)}
        <section class="stack">
            <h2>{t.body}</h2>
            <CodeBlock locale=visit.locale title="JSON" language="json" code=pretty(&row.body)/>
        </section>
    };
    Ok(shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(title), content).await)
}

/// `POST /console/webhooks/{id}/messages/{message}/again`
pub(crate) async fn again(
    State(state): State<ConsoleState>,
    Path((id, message)): Path<(String, String)>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let again = state.webhooks.send_again(&manager(&post.who)?, (&id, &message)).await;
    again.map_err(problem_of)?;
    let page = format!("{}/messages/{message}", address(&visit, &id));
    Ok(see_other(&flash::with(&page, Notice::WebhookSentAgain)))
}

fn facts(visit: &Visit, moments: &Moments, row: &DeliveryRow) -> AnyView {
    let t = &visit.t().webhooks.message;
    let code = |text: &str| view! { <code class="breakable">{text.to_owned()}</code> }.into_any();
    let mut pairs = vec![
        (t.kind.to_owned(), code(&row.event_type)),
        (t.id.to_owned(), code(&row.event_id)),
        (t.state.to_owned(), words::message_state(visit, &row.state)),
        (t.time.to_owned(), moments.exact(row.created_at_ms)),
    ];
    if row.state == "waiting" && row.tries > 0 {
        pairs.push((t.next.to_owned(), moments.relative(row.due_at_ms)));
    }
    view! { <KeyValues pairs=pairs/> }.into_any()
}

fn attempt_part(visit: &Visit, moments: &Moments, attempts: &[AttemptRow]) -> AnyView {
    let t = &visit.t().webhooks.message;
    let body = if attempts.is_empty() {
        view! { <p class="soft">{t.no_try}</p> }.into_any()
    } else {
        let rows: Vec<AnyView> = attempts.iter().map(|one| attempt(visit, moments, one)).collect();
        view! {
            <TableFrame caption=t.tries>
                <thead><tr>
                    <th scope="col">{t.time}</th>
                    <th scope="col">{t.status}</th>
                    <th scope="col" class="num">{t.took}</th>
                    <th scope="col">{t.answer}</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .into_any()
    };
    view! { <section class="stack"><h2>{t.tries}</h2>{body}</section> }.into_any()
}

/// How long nothing answered is not said: it would tell a closed port from one that drops what it gets.
fn attempt(visit: &Visit, moments: &Moments, one: &AttemptRow) -> AnyView {
    let t = &visit.t().webhooks.message;
    let (badge, took) = match one.status {
        Some(status) => {
            let kind = if (200..300).contains(&status) { BadgeKind::Live } else { BadgeKind::Danger };
            let took = duration(visit.locale, one.duration_ms);
            (view! { <Badge kind=kind label=status.to_string()/> }.into_any(), took)
        }
        None => (view! { <Badge kind=BadgeKind::Danger label=t.no_answer/> }.into_any(), "—".to_owned()),
    };
    let answer = if one.excerpt.is_empty() {
        "—".into_any()
    } else {
        view! { <code class="webhook-answer">{one.excerpt.clone()}</code> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{moments.exact(one.at_ms)}</th>
            <td data-label=t.status>{badge}</td>
            <td class="num" data-label=t.took>{took}</td>
            <td data-label=t.answer>{answer}</td>
        </tr>
    }
    .into_any()
}

/// To be read; what is sent has no line breaks.
fn pretty(body: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| body.to_owned())
}
