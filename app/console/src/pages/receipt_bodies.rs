//! What a call was asked and answered, on its receipt, for whoever may read it while its org has it kept.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::indented::indented;
use crate::pages::settings::bodies::PATH as SETTING;
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytespike_accounts::bodies::{KeptBodies, KeptSide, ReadError};
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, CodeBlock, Hidden};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use leptos::prelude::*;

/// `GET /console/receipts/{id}/request.txt`
pub(crate) async fn request(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let kept = find(&state, &who, &id).await?.ok_or(Problem::NotFound)?;
    Ok(file(&visit, (&id, "request"), &kept.request))
}

/// `GET /console/receipts/{id}/response.txt`
pub(crate) async fn response(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let kept = find(&state, &who, &id).await?.ok_or(Problem::NotFound)?;
    Ok(file(&visit, (&id, "response"), &kept.response))
}

/// `POST /console/receipts/{id}/forget`
pub(crate) async fn forget(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = &post.who;
    if !state.accounts.bodies.delete(&who.origin, &who.member, &id).await? {
        return Err(Problem::NotFound);
    }
    Ok(see_other(&flash::with(&address(&visit, &id), Notice::BodiesDeleted)))
}

/// The part of the receipt; nothing for whoever may not read what calls say.
pub(super) async fn part(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (id, moments): (&str, &Moments),
) -> Result<Option<AnyView>, Problem> {
    if !who.member.role().may(Permission::ReadOwnBodies) {
        return Ok(None);
    }
    if let Some(kept) = find(state, who, id).await? {
        return Ok(Some(here((visit, who), (id, moments), &kept)));
    }
    let is_on = state.accounts.bodies.keeping(&who.member).await?.is_some();
    Ok(Some(nothing(visit, is_on)))
}

async fn find(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Option<KeptBodies>, Problem> {
    match state.accounts.bodies.of(&who.member, id).await {
        Ok(kept) => Ok(kept),
        Err(ReadError::Unavailable(error)) => Err(error.into()),
        Err(ReadError::Damaged(error)) => Err(Problem::unavailable(&error)),
    }
}

fn address(visit: &Visit, id: &str) -> String {
    visit.link(&format!("/console/receipts/{id}"))
}

fn nothing(visit: &Visit, is_on: bool) -> AnyView {
    let t = &visit.t().bodies.receipt;
    let (text, setting) = (if is_on { t.none } else { t.off }, visit.link(SETTING));
    view! {
        <section class="stack">
            <h2>{t.title}</h2>
            <p class="soft">{text}" "<a href=setting>{t.setting}</a></p>
        </section>
    }
    .into_any()
}

fn here((visit, who): (&Visit, &SignedIn), (id, moments): (&str, &Moments), kept: &KeptBodies) -> AnyView {
    let t = &visit.t().bodies.receipt;
    let address = address(visit, id);
    let status = kept.status.map(|status| t.status(status));
    let (request, response) =
        (side(visit, t.request, None, &kept.request), side(visit, t.response, status, &kept.response));
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.until(moments.written(kept.expires_at_ms))}</p></div>
            {request}
            {response}
            <div class="decide">
                <ButtonLink href=format!("{address}/request.txt")>{t.take_request}</ButtonLink>
                <ButtonLink href=format!("{address}/response.txt")>{t.take_response}</ButtonLink>
                <form method="post" action=format!("{address}/forget")>
                    <Hidden name="csrf" value=who.token.clone()/>
                    <Button kind=ButtonKind::Danger>{t.delete}</Button>
                </form>
            </div>
        </section>
    }
    .into_any()
}

fn side(visit: &Visit, name: &'static str, status: Option<String>, side: &KeptSide) -> AnyView {
    let t = &visit.t().bodies.receipt;
    let title =
        [Some(name.to_owned()), status, Some(t.bytes(side.bytes))].into_iter().flatten().collect::<Vec<_>>();
    if side.bytes == 0 {
        return view! { <div><h3>{name}</h3><p class="soft">{t.nothing_sent}</p></div> }.into_any();
    }
    let cut = side.is_cut.then(|| view! { <p class="hint">{t.cut}</p> });
    let code = shown(&indented(&String::from_utf8_lossy(&side.text)));
    view! {
        <div class="said">
            <CodeBlock locale=visit.locale title=title.join(" · ") language="text" code=code/>
            {cut}
        </div>
    }
    .into_any()
}

/// What has no picture and does more than end a line is shown as a mark.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

/// Taken along as it is kept, under a name that no browser opens by itself.
fn file(visit: &Visit, (id, name): (&str, &str), side: &KeptSide) -> Response {
    let mut bytes = side.text.to_vec();
    if side.is_cut {
        let mark = visit.t().bodies.receipt.cut_mark(visit.numbers.count(side.bytes));
        bytes.extend_from_slice(format!("\n{mark}\n").as_bytes());
    }
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{id}-{name}.txt\"")),
    ];
    (headers, bytes).into_response()
}
