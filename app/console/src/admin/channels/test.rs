//! The test button: one real, tiny call to the provider. Its answer waits, sealed, for the page that follows, and is shown once.
use super::edit::{address, problem, stored};
use crate::admin::act::Act;
use crate::admin::who::Operator;
use crate::problem::Problem;
use crate::shell::see_other;
use crate::when;
use axum::response::Response;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_accounts::operators::Kept;
use bytespike_gateway::channel_test::{ChannelAnswer, Unanswered};
use bytespike_gateway::stored_channels::ChannelView;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, Callout, CalloutKind, CodeBlock, Hidden, Select, SelectOption};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An answer on its way to the page.
#[derive(Serialize, Deserialize)]
struct Tested {
    model: String,
    /// The provider's status; none when it did not answer.
    status: Option<u16>,
    why: String,
    took_ms: i64,
    said: String,
}

/// `POST /admin/channels/{id}/test`
pub(in crate::admin) async fn submit(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, form, id } = act;
    stored(&state, &id).await?.ok_or(Problem::NotFound)?;
    let channel = state.operating.desk.stored.channel(&id).await.map_err(problem)?;
    let model = form.value("model").to_owned();
    let answer = state.operating.tester.test(&channel, &model).await.ok_or(Problem::NotFound)?;
    let detail = json!({ "model": &model, "status": answer.status.ok() });
    let event = Event::new("channel.tested", Actor::Operator(&operator.row().id)).target(&id).detail(detail);
    state.accounts.audit.record(&operator.origin, event).await;
    let tested = serde_json::to_string(&of(model, answer)).map_err(|error| Problem::unavailable(&error))?;
    state.accounts.operators.sessions.keep(&operator.session, Kept::ChannelTest, &tested).await?;
    Ok(see_other(&format!("{}#tested", address(&visit, &id))))
}

fn of(model: String, answer: ChannelAnswer) -> Tested {
    let why = match answer.status {
        Ok(_) => "",
        Err(Unanswered::Unreachable) => "unreachable",
        Err(Unanswered::Late) => "late",
        Err(Unanswered::Broken) => "broken",
    };
    let (status, took_ms, said) = (answer.status.ok(), answer.took_ms, answer.said);
    Tested { model, status, why: why.to_owned(), took_ms, said }
}

/// What came, above the rest of the page.
pub(super) fn shown(visit: &Visit, kept: &str) -> Option<AnyView> {
    let tested: Tested = serde_json::from_str(kept).ok()?;
    let t = &visit.t().admin.channel_test;
    let took = when::duration(visit.locale, tested.took_ms);
    let is_good = tested.status.is_some_and(|status| (200..300).contains(&status));
    let (kind, title) = if is_good { (CalloutKind::Tip, t.good) } else { (CalloutKind::Warning, t.bad) };
    let text = match (tested.status, tested.why.as_str()) {
        (Some(status), _) => t.answered(tested.model, status, took),
        (None, "late") => t.late(tested.model),
        (None, "broken") => t.broken(tested.model),
        (None, _) => t.unreachable(tested.model),
    };
    let said = (!tested.said.is_empty()).then(|| {
        view! { <CodeBlock locale=visit.locale title=t.said language="json" code=tested.said/> }
    });
    Some(
        view! {
            <div id="tested" role="status"><Callout kind=kind title=title.to_owned()><p>{text}</p>{said}</Callout></div>
        }
        .into_any(),
    )
}

/// The button; without credentials there is nothing to try.
pub(super) fn part((visit, operator): (&Visit, &Operator), channel: &ChannelView) -> Option<AnyView> {
    let t = &visit.t().admin.channel_test;
    let models: Vec<SelectOption> = channel.models.keys().map(|slug| SelectOption::new(slug, slug)).collect();
    channel.has_credentials.then(|| {
        view! {
            <section class="stack">
                <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
                <form method="post" action=format!("{}/test", address(visit, &channel.id)) class="call-filters">
                    <Hidden name="csrf" value=operator.token.clone()/>
                    <Select id="model" label=t.model options=models/>
                    <Button>{t.submit}</Button>
                </form>
            </section>
        }
        .into_any()
    })
}
