//! What the organisation is told, as far as it is for the reader: what happened, what it does to calls, and until when.
use crate::alert::{self, AlertEvent};
use crate::calls::{read_cursor, write_cursor};
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::notices::NoticeRow;
use bytespike_ledger::Names;
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Button, EmptyState, Hidden, Pagination};
use leptos::prelude::*;
use serde::Deserialize;

const PATH: &str = "/console/notices";
const ROWS: i64 = 30;

/// What of a limit says when calls work again.
#[derive(Deserialize)]
struct Share {
    node: String,
    window: String,
    percent: i64,
    resets_at_ms: Option<i64>,
}

/// `GET /console/notices`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let after = Query::of(&visit).get("after").and_then(read_cursor);
    let is_first = after.is_none();
    let mut rows = state.accounts.notices.of(&who.member, (after.as_ref(), ROWS + 1)).await?;
    let wanted = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let names = state.ledger.names(who.member.org_id()).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let t = &visit.t().notices.page;
    let here = visit.link(PATH);
    let last = rows.last().filter(|_| has_more);
    let older =
        last.map(|row| format!("{here}?after={}", write_cursor(&(row.created_at_ms, row.id.clone()))));
    let newer = (!is_first).then(|| here.clone());
    let content = view! {
        <div class="page-head">
            <div><h1>{t.title}</h1><p>{t.lead}</p></div>
            {read_all((&visit, &who), &rows)}
        </div>
        <p class="soft">{t.why}" "<a href=visit.link("/console/limits")>{t.limits}</a></p>
        {list((&visit, &who), &moments, (&rows, &names))}
        <Pagination locale=visit.locale newer=newer older=older/>
    };
    Ok(shell::signed_in((&visit, &who), Section::Notices, Titled::ok(t.title), content).await)
}

/// `POST /console/notices/read`: everything up to the newest one that was on the page.
pub(crate) async fn read(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let until_ms: i64 = post.form.value("until").parse().map_err(|_| Problem::NotFound)?;
    state.accounts.notices.read(&post.who.member, until_ms).await?;
    Ok(see_other(&flash::with(&visit.link(PATH), Notice::AllRead)))
}

/// `POST /console/notices/{id}/dismiss`
pub(crate) async fn dismiss(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    match state.accounts.notices.dismiss(&post.who.member, &id).await? {
        true => Ok(see_other(&flash::with(&visit.link(PATH), Notice::PutAway))),
        false => Err(Problem::NotFound),
    }
}

fn read_all((visit, who): (&Visit, &SignedIn), rows: &[NoticeRow]) -> Option<AnyView> {
    let label = visit.t().notices.page.read_all;
    let newest = rows.first().filter(|_| who.unread > 0)?;
    Some(
        view! {
            <form method="post" action=visit.link("/console/notices/read") class="inline">
                <Hidden name="csrf" value=who.token.clone()/>
                <Hidden name="until" value=newest.created_at_ms.to_string()/>
                <Button>{label}</Button>
            </form>
        }
        .into_any(),
    )
}

fn list(
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
    (rows, names): (&[NoticeRow], &Names),
) -> AnyView {
    let t = &visit.t().notices.page;
    let items: Vec<AnyView> =
        rows.iter().filter_map(|row| item((visit, who), moments, (row, names))).collect();
    if items.is_empty() {
        return view! { <EmptyState title=t.empty_title><p>{t.empty}</p></EmptyState> }.into_any();
    }
    view! { <div class="notices">{items}</div> }.into_any()
}

/// Nothing for an event that has no words.
fn item(
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
    (row, names): (&NoticeRow, &Names),
) -> Option<AnyView> {
    let about = AlertEvent { kind: &row.kind, subject: &row.subject, payload_json: &row.payload_json };
    let told = alert::show(about, names, visit)?;
    let t = &visit.t().notices.page;
    let is_new = row.read_at_ms.is_none();
    let class = if is_new { "notice unread" } else { "notice" };
    let new = is_new.then(|| view! { <Badge kind=BadgeKind::Live label=t.new/> });
    let dismiss = visit.link(&format!("{PATH}/{}/dismiss", row.id));
    let label = format!("{}: {}", t.dismiss, told.title);
    Some(
        view! {
            <article class=class>
                <div>
                    <h2>{told.title}</h2>
                    <p>{told.text}</p>
                    {until(visit, moments, row)}
                    <p class="facts">
                        {new}
                        {moments.relative(row.created_at_ms)}
                        <a href=told.link>{told.link_label}</a>
                    </p>
                </div>
                <form method="post" action=dismiss class="inline">
                    <Hidden name="csrf" value=who.token.clone()/>
                    <button type="submit" class="button quiet small" aria-label=label>{t.dismiss}</button>
                </form>
            </article>
        }
        .into_any(),
    )
}

/// When calls work again that a limit refuses, and what to do until then.
fn until(visit: &Visit, moments: &Moments, row: &NoticeRow) -> Option<AnyView> {
    let share: Share = serde_json::from_str(&row.payload_json).ok().filter(|_| row.kind == "limit_share")?;
    let t = &visit.t().notices.page;
    let words = match share.resets_at_ms {
        Some(at_ms) if at_ms <= moments.now_ms => {
            return Some(view! { <p class="soft">{t.has_reset(moments.written(at_ms))}</p> }.into_any());
        }
        Some(at_ms) => t.resets(moments.written(at_ms), moments.distance(at_ms)),
        None => t.never_resets.to_owned(),
    };
    if share.percent < 100 {
        return None;
    }
    let asked = query::write(&[("node", &share.node), ("limit", &share.window)]);
    let ask = visit.link(&format!("/console/limits/ask?{asked}"));
    Some(view! { <p>{words} {visit.locale.gap()} <a href=ask>{t.ask}</a></p> }.into_any())
}
