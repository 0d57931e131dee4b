//! The pages for when something is wrong, in both languages, usable by every surface.

use crate::components::{ButtonKind, ButtonLink};
use crate::{CachePolicy, Head, Page, Visit, layout};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

/// 404: the address leads nowhere.
pub async fn not_found(visit: &Visit) -> Response {
    let t = &visit.t().common.error;
    respond(
        visit,
        StatusCode::NOT_FOUND,
        CachePolicy::NotFound,
        (t.not_found_title, t.not_found_text.to_owned()),
    )
    .await
}

/// 500: our fault. `request_id` is what the visitor may quote.
pub async fn failed(visit: &Visit, request_id: Option<&str>) -> Response {
    let t = &visit.t().common.error;
    let text = match request_id {
        Some(id) => format!("{} {}", t.failed_text, t.failed_request(id)),
        None => t.failed_text.to_owned(),
    };
    respond(visit, StatusCode::INTERNAL_SERVER_ERROR, CachePolicy::NoStore, (t.failed_title, text)).await
}

/// Any other refusal that has words of its own: 403, 405, 429.
pub async fn refused(visit: &Visit, status: StatusCode, title: &'static str, text: String) -> Response {
    respond(visit, status, CachePolicy::NoStore, (title, text)).await
}

async fn respond(
    visit: &Visit,
    status: StatusCode,
    policy: CachePolicy,
    words: (&'static str, String),
) -> Response {
    let (title, text) = words;
    let inner = visit.clone();
    let body = move || layout::narrow(&inner, message(&inner, status, title, text));
    Page::new(Head::private(title), policy, body).status(status).render(visit).await
}

fn message(visit: &Visit, status: StatusCode, title: &'static str, text: String) -> AnyView {
    let t = &visit.t().common;
    let (home, docs) = (visit.link("/"), visit.link("/docs"));
    view! {
        <div class="error-page">
            <p class="error-code num">{status.as_u16()}</p>
            <h1>{title}</h1>
            <p>{text}</p>
            <p class="actions">
                <ButtonLink kind=ButtonKind::Primary href=home>{t.error.home}</ButtonLink>
                <ButtonLink href=docs>{t.nav.docs}</ButtonLink>
            </p>
        </div>
    }
    .into_any()
}
