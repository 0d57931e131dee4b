//! Onward to somewhere that is not ours: a page that goes there by itself, with a link for a browser that does not. It is no
//! redirect, because browsers hold a form's whole chain of redirects to `form-action`, and a program or another provider
//! is wherever it likes.
use axum::response::Response;
use bytespike_ui::{CachePolicy, Head, Page, Visit, layout};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use leptos::prelude::*;

/// Nothing on this page may be sent anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Back to the program; `address` carries the answer and is secret until the program has it.
pub(super) async fn page(visit: &Visit, program: &str, address: &str) -> Response {
    let t = &visit.t().oauth.back;
    onward(visit, (t.title(program), t.link, t.lead), address).await
}

/// A page with a title, a link and a hint, that leads to `address`.
pub(crate) async fn onward(
    visit: &Visit,
    (title, link, lead): (String, &'static str, &'static str),
    address: &str,
) -> Response {
    let content = view! {
        <h1>{title.clone()}</h1>
        <p><a href=address.to_owned()>{link}</a></p>
        <p class="hint">{lead}</p>
    };
    let body = layout::bare(content);
    let head = Head::private(title).onward(address);
    let mut response = Page::new(head, CachePolicy::NoStore, || body).render(visit).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
