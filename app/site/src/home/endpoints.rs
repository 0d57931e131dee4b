//! What the gateway answers, as a list one can check against the documentation.

use super::heading;
use bytespike_ui::Visit;
use leptos::prelude::*;

/// Method, path, and the page of the documentation that describes it.
const ENDPOINTS: [(&str, &str, &str); 7] = [
    ("POST", "/v1/messages", "messages"),
    ("POST", "/v1/messages/count_tokens", "count-tokens"),
    ("POST", "/v1/chat/completions", "chat-completions"),
    ("GET", "/v1/models", "list-models"),
    ("POST", "/v1/estimate", "estimate"),
    ("GET", "/v1/balance", "balance"),
    ("GET", "/v1/receipts/{id}", "receipts"),
];

pub(super) fn section(visit: &Visit) -> AnyView {
    let t = &visit.t().home.endpoints;
    let rows = ENDPOINTS.iter().zip(t.what).map(|((method, path, page), what)| {
        let href = visit.link(&format!("/docs/{page}"));
        view! {
            <li>
                <a href=href class="endpoint" translate="no"><code><span class="method">{*method}</span>{*path}</code></a>
                <span>{*what}</span>
            </li>
        }
    });
    view! {
        <section class="wrap section" aria-labelledby="endpoints">
            {heading("endpoints", t.title, t.text)}
            <ul class="endpoints">{rows.collect_view()}</ul>
        </section>
    }
    .into_any()
}
