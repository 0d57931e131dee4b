//! The one page that shows a key. Between the form and this page the key waits in the session, sealed, and reading it
//! takes it away.
use crate::pages::keys::find;
use crate::problem::Problem;
use crate::samples::{self, Sample};
use crate::shell::{self, Section, Titled};
use crate::shown_once::{self, Of};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::{AllowList, CreatedKey, KeyInfo};
use bytespike_accounts::secrets::SecretText;
use bytespike_catalog::model::Model;
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, Callout, CalloutKind, CodeBlock, CopyField};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use leptos::prelude::*;

/// Puts a new key where only the next page of this session finds it.
pub(super) async fn keep(state: &ConsoleState, who: &SignedIn, created: &CreatedKey) -> Result<(), Problem> {
    shown_once::keep((state, who), (Of::Key, &created.id), &created.secret).await
}

/// `GET /console/keys/{id}/created`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let key = find(&state, &who, &key_id).await?;
    let secret = shown_once::take((&state, &who), (Of::Key, &key_id)).await?;
    let t = &visit.t().keys.once;
    let (title, content) = match &secret {
        Some(secret) => (t.title, shown(&state, (&visit, &who), &key, secret)),
        None => (t.gone_title, gone(&visit, &key)),
    };
    let mut response = shell::signed_in((&visit, &who), Section::Keys, Titled::ok(title), content).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// A key's own list of models takes the place of the org's preset.
fn may_call(who: &SignedIn, key: &KeyInfo, model: &Model) -> bool {
    match &key.terms.models {
        AllowList::Any => samples::in_preset(who, model),
        list @ AllowList::Only(_) => list.allows(&model.id),
    }
}

fn shown(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    key: &KeyInfo,
    secret: &SecretText,
) -> AnyView {
    let t = &visit.t().keys.once;
    let model = samples::model_for(state, |model| may_call(who, key, model));
    let sample = Sample { base_url: visit.gateway(), model: &model, key: Some(secret.expose()) };
    let done = visit.link("/console/keys");
    view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{key.terms.name.clone()}</p></div></div>
        <Callout kind=CalloutKind::Warning><p>{t.lead}</p></Callout>
        <CopyField locale=visit.locale id="key" label=t.label value=secret.expose()/>
        <p class="actions"><ButtonLink kind=ButtonKind::Primary href=done>{t.done}</ButtonLink></p>
        <section class="stack">
            <div><h2>{t.try_it}</h2><p class="soft">{t.try_note}</p></div>
            <CodeBlock locale=visit.locale title=t.curl language="bash" code=sample.curl()/>
            <CodeBlock locale=visit.locale title=t.python language="python" code=sample.anthropic()/>
            <CodeBlock locale=visit.locale title=t.openai language="python" code=sample.openai()/>
        </section>
    }
    .into_any()
}

fn gone(visit: &Visit, key: &KeyInfo) -> AnyView {
    let t = &visit.t().keys.once;
    let href = visit.link(&format!("/console/keys/{}", key.id));
    view! {
        <div class="page-head"><div><h1>{t.gone_title}</h1><p>{t.gone}</p></div></div>
        <p class="actions"><ButtonLink kind=ButtonKind::Primary href=href>{t.to_key}</ButtonLink></p>
    }
    .into_any()
}
