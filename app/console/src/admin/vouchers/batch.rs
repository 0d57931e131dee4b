//! One batch: what it is, how it was used, its codes once, and its end.
use super::{PATH, badge, batch_state, place};
use crate::admin::act::Act;
use crate::admin::notice::{self, Did};
use crate::admin::shell::{self, Part};
use crate::admin::who::Operator;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytespike_accounts::audit::Actor;
use bytespike_accounts::vouchers::Batch;
use bytespike_catalog::NanoUsd;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, Callout, CalloutKind, Hidden, KeyValues};
use bytespike_ui::{Visit, format};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use leptos::prelude::*;

const DAY_MS: i64 = 86_400_000;

/// `GET /admin/vouchers/batches/{id}`
pub(in crate::admin) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let vouchers = &state.accounts.vouchers;
    let batch = vouchers.batch(&id).await?.ok_or(Problem::NotFound)?;
    let has_codes = vouchers.has_codes(&id).await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let above = vec![(visit.link(PATH), visit.t().operating.vouchers.title.to_owned())];
    let state_badge = badge(&visit, batch_state(&batch, moments.now_ms));
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=batch.note.clone()/>
            <div class="page-head"><h1>{batch.note.clone()} " " {state_badge}</h1></div>
        </div>
        {codes_part((&visit, &operator), &batch, has_codes)}
        {facts(&visit, &batch, &moments)}
        {batch.ended_at_ms.is_none().then(|| end_part((&visit, &operator), &batch))}
    };
    let titled = Titled::ok(batch.note.as_str());
    Ok(shell::page((&visit, &operator), Part::Vouchers, titled, content).await)
}

/// `POST /admin/vouchers/batches/{id}/codes`: the file, this once.
pub(in crate::admin) async fn codes(act: Act) -> Result<Response, Problem> {
    let vouchers = &act.state.accounts.vouchers;
    let by = (&act.operator.origin, Actor::Operator(&act.operator.row().id));
    let batch = vouchers.batch(&act.id).await?.ok_or(Problem::NotFound)?;
    let Some(sealed) = vouchers.take_codes(by, &act.id).await? else {
        return Ok(see_other(&act.visit.link(&format!("{PATH}/batches/{}", act.id))));
    };
    let opened = act.state.shown_key.open(place(&act.id), &sealed);
    let opened = opened.map_err(|_| Problem::unavailable(&"the codes of a batch do not open"))?;
    let codes: Vec<String> = serde_json::from_slice(&opened).map_err(|error| Problem::unavailable(&error))?;
    let name = format!("attachment; filename=\"vouchers-{}.csv\"", batch.id);
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, file(&batch, &codes)).into_response())
}

/// `POST /admin/vouchers/batches/{id}/end`
pub(in crate::admin) async fn end(act: Act) -> Result<Response, Problem> {
    let by = (&act.operator.origin, Actor::Operator(&act.operator.row().id));
    if !act.state.accounts.vouchers.end_batch(by, &act.id, None).await? {
        return Err(Problem::NotFound);
    }
    let address = act.visit.link(&format!("{PATH}/batches/{}", act.id));
    Ok(see_other(&notice::with(&address, Did::BatchEnded)))
}

/// Nothing in it is what somebody typed, so no cell can become a formula.
fn file(batch: &Batch, codes: &[String]) -> String {
    let until = batch.expires_at_ms.map(format::machine_time).unwrap_or_default();
    let rest = format!("{},{},{until}", NanoUsd(batch.amount_nano).usd(), batch.uses);
    let lines = codes.iter().map(|code| format!("{code},{rest}\r\n"));
    std::iter::once("code,usd,uses,expires_at\r\n".to_owned()).chain(lines).collect()
}

fn codes_part((visit, operator): (&Visit, &Operator), batch: &Batch, has_codes: bool) -> AnyView {
    let t = &visit.t().operating.batch;
    if !has_codes {
        return view! { <p class="soft">{t.codes_gone}</p> }.into_any();
    }
    let action = visit.link(&format!("{PATH}/batches/{}/codes", batch.id));
    let token = operator.token.clone();
    view! {
        <Callout kind=CalloutKind::Tip title=t.codes.to_owned()>
            <p>{t.codes_lead}</p>
            <form method="post" action=action>
                <Hidden name="csrf" value=token/>
                <Button kind=ButtonKind::Primary>{t.download}</Button>
            </form>
        </Callout>
    }
    .into_any()
}

fn facts(visit: &Visit, batch: &Batch, moments: &Moments) -> AnyView {
    let (t, list) = (&visit.t().operating.batch, &visit.t().operating.vouchers);
    let text = |text: String| text.into_any();
    let number = |number: i64| view! { <span class="num">{number}</span> }.into_any();
    let used = list.used_of(batch.used, batch.codes.saturating_mul(batch.uses));
    let until = batch.expires_at_ms.map_or_else(|| t.until_ended.to_owned(), |at_ms| moments.written(at_ms));
    let lasts = batch.credit_lasts_ms.map_or_else(|| t.for_ever.to_owned(), |ms| t.days(ms / DAY_MS));
    let log = format!("{}?target={}", visit.link("/admin/audit"), batch.id);
    let pairs = vec![
        (t.id.to_owned(), view! { <code>{batch.id.clone()}</code> }.into_any()),
        (list.worth.to_owned(), text(format::usd(batch.amount_nano))),
        (list.codes.to_owned(), number(batch.codes)),
        (t.uses.to_owned(), number(batch.uses)),
        (t.per_org.to_owned(), number(batch.per_org)),
        (list.used.to_owned(), text(used)),
        (t.until.to_owned(), text(until)),
        (t.lasts.to_owned(), text(lasts)),
        (list.made.to_owned(), moments.exact(batch.created_at_ms)),
        (t.log.to_owned(), view! { <a href=log>{t.log_link}</a> }.into_any()),
    ];
    view! { <KeyValues pairs=pairs/> }.into_any()
}

fn end_part((visit, operator): (&Visit, &Operator), batch: &Batch) -> AnyView {
    let t = &visit.t().operating.batch;
    view! {
        <div class="danger-zone">
            <div><h2>{t.end}</h2><p>{t.end_lead}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/batches/{}/end", batch.id))>
                <Hidden name="csrf" value=operator.token.clone()/>
                <Button kind=ButtonKind::Danger>{t.end_submit}</Button>
            </form>
        </div>
    }
    .into_any()
}
