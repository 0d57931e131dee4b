//! What is kept how long: as the configuration says, or shorter where an operator decided so; and what the last removal took.
use super::act::Act;
use super::notice::{self, Did};
use super::shell::{self, Part};
use super::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::retention::{Kept, RetentionError, RunRow};
use bytespike_store::names::Names;
use bytespike_ui::components::{Hidden, TableFrame};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

const PATH: &str = "/admin/retention";

/// `GET /admin/retention`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    show(&state, (&visit, &operator), &Form::default()).await
}

/// `POST /admin/retention`: one of them, shorter; without days, as configured.
pub(super) async fn shorten(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, .. } = act;
    let kept = Kept::parse(form.value("kept")).ok_or(Problem::NotFound)?;
    let typed = form.value("days").trim().to_owned();
    // What is no number is longer than anything is kept, and refused with the bounds.
    let days = if typed.is_empty() { None } else { Some(typed.parse().unwrap_or(u32::MAX)) };
    let by = (&operator.origin, operator.row().id.as_str());
    match state.accounts.retention.shorten(by, (kept, days)).await {
        Ok(()) => Ok(see_other(&notice::with(&visit.link(PATH), Did::RetentionChanged))),
        Err(RetentionError::Unavailable(error)) => Err(error.into()),
        Err(RetentionError::Days { least, most }) => {
            let t = &visit.t().operating.retention;
            form.refuse(&field(kept), t.days_fault(least, most, words(visit.locale, kept)));
            show(&state, (&visit, &operator), &form).await
        }
    }
}

fn field(kept: Kept) -> String {
    format!("days-{}", kept.as_str())
}

async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    form: &Form,
) -> Result<Response, Problem> {
    let runs = state.accounts.retention.runs().await?;
    let names = state.accounts.operators.names().await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().operating.retention;
    let rows = Kept::ALL.map(|kept| {
        let run = runs.iter().find(|run| run.kind == kept.as_str());
        line(state, (visit, operator), (kept, run, (&names, &moments)), form)
    });
    let (docs, settings) = (visit.link("/docs/privacy#retention"), visit.link("/docs/operating#retention"));
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {form.summary(visit.locale)}
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.what}</th>
                    <th scope="col">{t.kept}</th>
                    <th scope="col">{t.last}</th>
                    <th scope="col" class="num">{t.removed}</th>
                    <th scope="col">{t.shorter}</th>
                </tr>
            </thead>
            <tbody>{rows.into_iter().collect_view()}</tbody>
        </TableFrame>
        <section class="stack">
            <h2>{t.rest}</h2>
            <p>{t.rest_text} {visit.locale.gap()} <a href=docs>{t.docs}</a> " · " <a href=settings>{t.settings}</a></p>
        </section>
    };
    Ok(shell::page((visit, operator), Part::Retention, Titled::of(visit, t.title, form), content).await)
}

fn line(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    (kept, run, (names, moments)): (Kept, Option<&RunRow>, (&Names, &Moments)),
    form: &Form,
) -> AnyView {
    let t = &visit.t().operating.retention;
    let retention = &state.accounts.retention;
    let name = words(visit.locale, kept);
    let days = retention.days(kept);
    let shortened = retention.shortened(kept).map(|changed| {
        let by = names.get(&changed.by);
        let said = t.shortened(by, retention.configured_days(kept), moments.written(changed.at_ms));
        view! { <span class="note">{said}</span> }
    });
    let last = run.map_or_else(|| t.never.to_owned().into_any(), |run| moments.relative(run.at_ms));
    let removed = run.map(|run| run.removed);
    let in_all = run.map(|run| view! { <span class="note">{t.in_all(run.removed_in_all)}</span> });
    let shorter = match kept.least_days() {
        Some(least) => shorten_form((visit, operator), (kept, least, name), (days, form)),
        None => view! { <span class="soft">{t.fixed}</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td data-label=t.kept><div class="event-change">{t.days(u64::from(days))}{shortened}</div></td>
            <td data-label=t.last>{last}</td>
            <td class="num" data-label=t.removed>{removed}{in_all}</td>
            <td data-label=t.shorter>{shorter}</td>
        </tr>
    }
    .into_any()
}

fn shorten_form(
    (visit, operator): (&Visit, &Operator),
    (kept, least, name): (Kept, u32, &'static str),
    (days, form): (u32, &Form),
) -> AnyView {
    let t = &visit.t().operating.retention;
    let id = field(kept);
    let fault = form.fault(&id);
    let value = if fault.is_some() { form.value("days").to_owned() } else { days.to_string() };
    let invalid = fault.is_some().then_some("true");
    view! {
        <form method="post" action=visit.link(PATH) class="decide">
            <Hidden name="csrf" value=operator.token.clone()/>
            <Hidden name="kept" value=kept.as_str()/>
            <label class="visually-hidden" for=id.clone()>{t.days_of(least, name)}</label>
            <input
                id=id name="days" type="text" inputmode="numeric" value=value maxlength="5" autocomplete="off"
                class="input days" aria-invalid=invalid
            />
            <button type="submit" class="button small" aria-label=t.save_of(name)>{t.save}</button>
        </form>
    }
    .into_any()
}

fn words(locale: Locale, kept: Kept) -> &'static str {
    let t = &locale.t().operating.retention;
    match kept {
        Kept::FreeCalls => t.free_calls,
        Kept::Attempts => t.attempts,
        Kept::InvariantRuns => t.invariant_runs,
        Kept::CostReports => t.cost_reports,
        Kept::WebhookMessages => t.webhook_messages,
        Kept::PaymentEvents => t.payment_events,
        Kept::Processes => t.processes,
        Kept::Bodies => t.bodies,
    }
}
