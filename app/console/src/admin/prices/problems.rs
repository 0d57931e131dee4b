//! What there is to say about a draft, in the reader's language: what blocks it, and what is only to be known.
use super::{component, unit};
use bytespike_catalog::check::Problem;
use bytespike_gateway::price_desk::Look;
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

/// The problems that block, or those that do not.
pub(super) fn list(visit: &Visit, look: &Look, blocking: bool) -> AnyView {
    let lines: Vec<AnyView> = look
        .problems
        .iter()
        .filter(|problem| problem.blocks() == blocking)
        .map(|problem| view! { <li>{words(visit, problem)}</li> }.into_any())
        .collect();
    view! { <ul class="bullets">{lines}</ul> }.into_any()
}

/// What does not block. Models of the catalogue that nobody can price yet are many, and only counted.
pub(super) fn notices(visit: &Visit, look: &Look) -> Option<AnyView> {
    let t = &visit.t().admin.price_problem;
    let is_gap = |problem: &&Problem| matches!(problem, Problem::Missing { .. });
    let notices = look.problems.iter().filter(|problem| !problem.blocks());
    let gaps = notices.clone().filter(is_gap).count();
    let said: Vec<AnyView> = notices
        .filter(|problem| !is_gap(problem))
        .map(|problem| view! { <li>{words(visit, problem)}</li> }.into_any())
        .collect();
    let gaps = (gaps > 0).then(|| t.gaps(u64::try_from(gaps).unwrap_or(0)));
    (!said.is_empty() || gaps.is_some()).then(|| {
        view! { <div class="soft"><ul class="bullets">{said}</ul>{gaps.map(|gaps| view! { <p>{gaps}</p> })}</div> }.into_any()
    })
}

fn words(visit: &Visit, problem: &Problem) -> String {
    let t = &visit.t().admin.price_problem;
    match problem {
        Problem::BelowCost { model, component: what, price, per, cost, .. } => t.below_cost(
            component(visit, *what),
            format!("${cost}"),
            model,
            unit(visit, per),
            format!("${price}"),
        ),
        Problem::Negative { model, component: what } => t.negative(component(visit, *what), model),
        Problem::Missing { model, component: what, .. } => t.missing(component(visit, *what), model),
        Problem::Unit { model, component: what, unit: per } => {
            t.unit(component(visit, *what), model, unit(visit, per))
        }
        Problem::CostUnit { channel, model, component: what, .. } => {
            t.cost_unit(channel, component(visit, *what), model)
        }
        Problem::Gone { model } => t.gone(model),
        Problem::OldRate { used, used_date, newest, newest_date } => {
            let day = |iso: &str| format::iso_date(visit.locale, iso);
            t.old_rate(newest, day(newest_date), used, day(used_date))
        }
    }
}
