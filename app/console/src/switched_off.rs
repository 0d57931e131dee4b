//! The page instead of what operators have switched off.
use crate::shell::{self, Titled};
use crate::state::ConsoleState;
use axum::response::Response;
use bytespike_accounts::switches::Feature;
use bytespike_ui::components::{ButtonKind, ButtonLink};
use bytespike_ui::layout::Entrance;
use bytespike_ui::{Locale, Visit, layout};
use http::StatusCode;
use leptos::prelude::*;

/// The page, while the feature is off; nothing while it is on.
pub(crate) async fn page(state: &ConsoleState, visit: &Visit, feature: Feature) -> Option<Response> {
    if state.accounts.switches.is_on(feature) {
        return None;
    }
    let t = &visit.t().switches.off;
    let (title, text) = words(visit.locale, feature);
    let home = visit.link("/console");
    let content = view! {
        <div class="error-page">
            <h1>{title}</h1>
            <p>{text}</p>
            <p class="actions"><ButtonLink kind=ButtonKind::Primary href=home>{t.home}</ButtonLink></p>
        </div>
    };
    let mut response =
        shell::respond(visit, Titled::ok(title), layout::narrow_within(visit, Entrance::Console, content))
            .await;
    *response.status_mut() = StatusCode::FORBIDDEN;
    Some(response)
}

/// The remark in a page that goes on without it; nothing while the feature is on.
pub(crate) fn remark(state: &ConsoleState, visit: &Visit, feature: Feature) -> Option<AnyView> {
    let (title, text) = words(visit.locale, feature);
    let off = !state.accounts.switches.is_on(feature);
    off.then(|| {
        view! { <section class="stack"><div><h2>{title}</h2><p class="soft">{text}</p></div></section> }
            .into_any()
    })
}

fn words(locale: Locale, feature: Feature) -> (&'static str, &'static str) {
    let t = &locale.t().switches.off;
    match feature {
        Feature::TopUps => (t.top_ups_title, t.top_ups),
        Feature::Vouchers => (t.vouchers_title, t.vouchers),
        Feature::Recharge => (t.recharge_title, t.recharge),
        Feature::Programs => (t.programs_title, t.programs),
        Feature::Providers => (t.providers_title, t.providers),
        Feature::ModelTests => (t.model_tests_title, t.model_tests),
        Feature::NewKeys => (t.new_keys_title, t.new_keys),
    }
}
