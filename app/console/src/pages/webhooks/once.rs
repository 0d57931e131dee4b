//! The one page that shows an endpoint's new secret.
use super::{address, find, words};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::shown_once::{self, Of};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_gateway::webhooks::Endpoint;
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, Callout, CalloutKind, CodeBlock, CopyField};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use leptos::prelude::*;

/// Checks a message as any library of Standard Webhooks does.
const SAMPLE: &str = r#"import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.BYTESPIKE_WEBHOOK_SECRET);
// The body as it came, before anything parsed it; throws when it was not signed with the secret.
const event = webhook.verify(body, headers);"#;

/// `GET /console/webhooks/{id}/secret`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let endpoint = find(&state, &who, &id).await?;
    let secret = shown_once::take((&state, &who), (Of::Webhook, &id)).await?;
    let t = &visit.t().webhooks.once;
    let (title, content) = match &secret {
        Some(secret) => (t.title, shown(&visit, &endpoint, secret.expose())),
        None => (t.gone_title, gone(&visit, &endpoint)),
    };
    let mut response =
        shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(title), content).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

fn shown(visit: &Visit, endpoint: &Endpoint, secret: &str) -> AnyView {
    let t = &visit.t().webhooks.once;
    view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{words::name(endpoint)}</p></div></div>
        <Callout kind=CalloutKind::Warning><p>{t.lead}</p></Callout>
        <CopyField locale=visit.locale id="secret" label=t.label value=secret/>
        <p class="actions">
            <ButtonLink kind=ButtonKind::Primary href=address(visit, &endpoint.id)>{t.done}</ButtonLink>
        </p>
        <section class="stack">
            <div><h2>{t.check}</h2><p class="soft">{t.check_note}</p></div>
            <CodeBlock locale=visit.locale title="TypeScript" language="typescript" code=SAMPLE/>
        </section>
    }
    .into_any()
}

fn gone(visit: &Visit, endpoint: &Endpoint) -> AnyView {
    let t = &visit.t().webhooks.once;
    view! {
        <div class="page-head"><div><h1>{t.gone_title}</h1><p>{t.gone}</p></div></div>
        <p class="actions">
            <ButtonLink kind=ButtonKind::Primary href=address(visit, &endpoint.id)>{t.to_webhook}</ButtonLink>
        </p>
    }
    .into_any()
}
