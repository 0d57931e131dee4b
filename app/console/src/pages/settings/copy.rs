//! The copy of their data that a person may take: asked for, and, once it is ready, taken within a day by whoever has just
//! proven that it is them.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::pages::settings::data::PATH;
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use bytespike_accounts::data_exports::{AskError, DataExport, DataExports, ExportState};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Callout, CalloutKind, Hidden};
use futures_util::stream::try_unfold;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use leptos::prelude::*;

/// `POST /console/settings/data/copy`
pub(crate) async fn ask(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = &post.who;
    match state.accounts.data_exports.ask(&who.origin, &who.member).await {
        Ok(()) => Ok(see_other(&flash::with(&visit.link(PATH), Notice::DataAsked))),
        Err(AskError::TooMany) => Err(Problem::TooMany),
        Err(AskError::Unavailable(error)) => Err(error.into()),
    }
}

/// `POST /console/settings/data/copies/{id}`: asks for a fresh proof like every form here, and leads on to the archive.
pub(crate) async fn open(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let (exports, who) = (&state.accounts.data_exports, &post.who);
    exports.ready(&who.member, &id).await?.ok_or(Problem::NotFound)?;
    exports.taken(&who.origin, &who.member).await;
    Ok(see_other(&visit.link(&format!("{PATH}/copies/{id}/archive"))))
}

/// `GET /console/settings/data/copies/{id}/archive`
pub(crate) async fn archive(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let exports = state.accounts.data_exports.clone();
    let bytes = exports.ready(&who.member, &id).await?.ok_or(Problem::NotFound)?;
    if !who.session.is_confirmed(state.world.now_ms()) {
        return Ok(see_other(&visit.link(PATH)));
    }
    let headers = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_DISPOSITION, "attachment; filename=\"bytespike-data.zip\"".to_owned()),
        (CONTENT_LENGTH, bytes.to_string()),
    ];
    Ok((headers, body(exports, id)).into_response())
}

/// The archive, a piece in memory at a time. One that goes meanwhile ends in the middle, and its length tells.
fn body(exports: DataExports, id: String) -> Body {
    Body::from_stream(try_unfold(0, move |number| {
        let (exports, id) = (exports.clone(), id.clone());
        async move {
            let part = exports.part(&id, number).await?;
            Ok::<_, sqlx::Error>(part.map(|part| (Bytes::from(part), number + 1)))
        }
    }))
}

/// The part of the settings' page.
pub(super) fn part(
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
    copy: Option<DataExport>,
) -> AnyView {
    let t = &visit.t().security.copy;
    let state = copy.map(|copy| match copy.state {
        ExportState::Waiting => (CalloutKind::Note, t.waiting.to_owned(), None),
        ExportState::Failed => (CalloutKind::Warning, t.failed.to_owned(), None),
        ExportState::Ready { bytes, expires_at_ms } => {
            let text = t.ready(size(visit, bytes), moments.written(expires_at_ms));
            (CalloutKind::Note, text, Some(copy.id))
        }
    });
    let is_waiting = state.as_ref().is_some_and(|(_, text, _)| text == t.waiting);
    let state = state.map(|(kind, text, ready)| {
        let take =
            ready.map(|id| form((visit, who), &format!("/copies/{id}"), (t.take, ButtonKind::Primary)));
        view! { <Callout kind=kind><p>{text}</p>{take}</Callout> }
    });
    let ask = (!is_waiting).then(|| form((visit, who), "/copy", (t.ask, ButtonKind::Secondary)));
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            {state}
            {ask}
        </section>
    }
    .into_any()
}

fn form(
    (visit, who): (&Visit, &SignedIn),
    place: &str,
    (label, kind): (&'static str, ButtonKind),
) -> AnyView {
    view! {
        <form method="post" action=format!("{}{place}", visit.link(PATH))>
            <Hidden name="csrf" value=who.token.clone()/>
            <Button kind=kind>{label}</Button>
        </form>
    }
    .into_any()
}

/// Rounded up to whole kilobytes.
fn size(visit: &Visit, bytes: i64) -> String {
    let kilobytes = u64::try_from(bytes).unwrap_or(0).div_ceil(1_000);
    format!("{} kB", visit.numbers.count(kilobytes))
}
