//! Putting the draft in force, throwing it away, and going back from a price of ours to the listed one.
use super::{PATH, show, told};
use crate::admin::act::Act;
use crate::admin::notice::{self, Did};
use crate::admin::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::see_other;
use axum::response::Response;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_gateway::operations::Why;
use bytespike_gateway::price_desk::{DeskError, Look, without_price};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden};
use leptos::prelude::*;
use serde_json::json;

/// `POST /admin/prices/publish`: only what the operator looked at.
pub(in crate::admin) async fn publish(mut act: Act) -> Result<Response, Problem> {
    let desk = act.state.operating.desk.clone();
    let look = desk.look_at_pending().await?;
    let note = Why::parse(act.form.value("note"));
    let t = &act.visit.t().admin.publish;
    if look.draft.book.hash != act.form.value("hash") {
        act.form.refuse("note", t.changed);
    } else if look.is_blocked() {
        act.form.refuse("note", t.blocked);
    } else if note.is_none() {
        act.form.refuse("note", t.note_fault);
    }
    let Some(note) = note.filter(|_| !act.form.has_faults()) else { return again(act).await };
    let detail = json!({ "note": note.as_str(), "changes": look.changes.len() });
    let entry = told(&act, Event::new("prices.published", Actor::Anonymous).detail(detail));
    match desk.publish(look, (note.as_str(), &entry)).await {
        Ok(_) => Ok(see_other(&notice::with(&act.visit.link(PATH), Did::Published))),
        Err(DeskError::Blocked(_)) => {
            act.form.refuse("note", act.visit.t().admin.publish.blocked);
            again(act).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/prices/discard`
pub(in crate::admin) async fn discard(act: Act) -> Result<Response, Problem> {
    let entry = told(&act, Event::new("price.draft_discarded", Actor::Anonymous));
    act.state.operating.desk.discard(&entry).await?;
    Ok(see_other(&notice::with(&act.visit.link(PATH), Did::DraftDiscarded)))
}

/// `POST /admin/prices/list-price`
pub(in crate::admin) async fn list_price(act: Act) -> Result<Response, Problem> {
    let desk = act.state.operating.desk.clone();
    let look = desk.look_at_pending().await?;
    let (model, component) = (act.form.value("model"), act.form.value("component"));
    let overrides = without_price(&look.draft.overrides, (model, component));
    if overrides == look.draft.overrides {
        return Err(Problem::NotFound);
    }
    let event = Event::new("price.own_dropped", Actor::Anonymous).target(model);
    let entry = told(&act, event.detail(json!({ "component": component })));
    desk.keep(&overrides, (&act.operator.row().id, &entry)).await?;
    Ok(see_other(&notice::with(&act.visit.link(PATH), Did::PriceDropped)))
}

async fn again(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, form, .. } = act;
    show(&state, (&visit, &operator), &form).await
}

/// The form. What is published is what this page shows: the draft's hash says which that is.
pub(super) fn part(
    (visit, operator): (&Visit, &Operator),
    look: &Look,
    (is_pending, form): (bool, &Form),
) -> AnyView {
    let t = &visit.t().admin.publish;
    let discard = is_pending.then_some(visit.t().admin.prices.discard);
    if look.is_blocked() {
        let button = discard.map(|label| view! { <Button>{label}</Button> });
        return button.map(|button| discarding((visit, operator), button.into_any())).into_any();
    }
    let button =
        discard.map(|label| view! { <button type="submit" class="button" form="discard">{label}</button> });
    view! {
        <form method="post" action=visit.link(&format!("{PATH}/publish")) class="sheet">
            <Hidden name="csrf" value=operator.token.clone()/>
            <Hidden name="hash" value=look.draft.book.hash.clone()/>
            <Field
                id="note" label=t.note hint=t.note_hint.to_owned() value=form.value("note")
                nostrip:fault=form.fault("note") max_length=500 autocomplete="off"
            />
            <p class="actions"><Button kind=ButtonKind::Primary>{t.submit}</Button> {button}</p>
        </form>
        {discard.map(|_| discarding((visit, operator), ().into_any()))}
    }
    .into_any()
}

/// The form that throws the draft away. Its button may stand in the row of another form's.
fn discarding((visit, operator): (&Visit, &Operator), button: AnyView) -> AnyView {
    view! {
        <form id="discard" method="post" action=visit.link(&format!("{PATH}/discard"))>
            <Hidden name="csrf" value=operator.token.clone()/>
            {button}
        </form>
    }
    .into_any()
}
