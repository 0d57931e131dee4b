//! What the gateway answers, as a list one can check against the documentation.

use super::heading;
use bytespike_ui::Visit;
use leptos::prelude::*;

const ENDPOINTS: [(&str, &str); 7] = [
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("POST", "/v1/estimate"),
    ("GET", "/v1/balance"),
    ("GET", "/v1/receipts/{id}"),
];

pub(super) fn section(visit: &Visit) -> AnyView {
    let t = &visit.t().home.endpoints;
    let rows = ENDPOINTS.iter().zip(t.what).map(|((method, path), what)| {
        view! {
            <li>
                <code class="endpoint" translate="no"><span class="method">{*method}</span>{*path}</code>
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
