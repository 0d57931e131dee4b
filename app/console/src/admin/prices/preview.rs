//! What the calls of the last seven days would have cost under the draft, by the usage that their receipts keep.
use super::PATH;
use crate::admin::shell::{self, Part};
use crate::admin::who::Operator;
use crate::problem::Problem;
use crate::shell::Titled;
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_catalog::calendar::{DAY_MS, Day};
use bytespike_gateway::price_desk::Look;
use bytespike_ledger::{Replay, Replayed, ReplayedSum};
use bytespike_ui::components::{Breadcrumbs, EmptyState, Stat, Stats, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

const WEEK_MS: i64 = 7 * DAY_MS;
/// More would keep the reader waiting.
const MOST_CALLS: usize = 20_000;

/// `GET /admin/prices/preview`
pub(in crate::admin) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let look = state.operating.desk.look_at_pending().await?;
    let now_ms = state.world.now_ms();
    let shift_ms = shift_ms(&look, now_ms);
    let which = Replayed { from_ms: now_ms - WEEK_MS, to_ms: now_ms + 1, shift_ms, most_calls: MOST_CALLS };
    let replay = match &look.in_force {
        Some(in_force) => state.ledger.replay((&in_force.book, &look.draft.book), which).await?,
        None => Replay::default(),
    };
    let moments = Moments::new(visit.locale, "UTC", now_ms);
    let t = &visit.t().admin.price_preview;
    let above = vec![(visit.link(PATH), visit.t().admin.prices.title.to_owned())];
    let dated = (shift_ms > 0).then(|| t.dated(moments.date(which.from_ms + shift_ms)));
    let cut = replay.is_cut.then(|| t.cut(u64::try_from(MOST_CALLS).unwrap_or(u64::MAX)));
    let unpriced = (replay.unpriced > 0).then(|| t.unpriced(replay.unpriced));
    let notes: Vec<AnyView> = [dated, cut, unpriced]
        .into_iter()
        .flatten()
        .map(|note| view! { <p class="soft">{note}</p> }.into_any())
        .collect();
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.title/>
            <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        </div>
        {notes}
        {tiles(&visit, &replay.all)}
        {table(&visit, &replay)}
    };
    Ok(shell::page((&visit, &operator), Part::Prices, Titled::ok(t.title), content).await)
}

/// Whole weeks from now to when the last dated price of ours has begun: then every price of the draft counts, on the same days
/// of the week and at the same hours.
fn shift_ms(look: &Look, now_ms: i64) -> i64 {
    let last = look.draft.overrides.prices.iter().filter_map(|own| own.effective_from).max();
    let begins_ms = last.map_or(0, |Day(day)| day.saturating_mul(DAY_MS));
    let to_come = begins_ms - (now_ms - WEEK_MS);
    if begins_ms <= now_ms { 0 } else { (to_come + WEEK_MS - 1).div_euclid(WEEK_MS) * WEEK_MS }
}

fn tiles(visit: &Visit, sum: &ReplayedSum) -> AnyView {
    let t = &visit.t().admin.price_preview;
    let tiles = [
        (t.before, format::usd(sum.before_nano), t.calls(sum.calls)),
        (t.after, format::usd(sum.after_nano), t.after_note.to_owned()),
        (t.difference, difference(sum), share(sum)),
    ];
    let tiles = tiles.map(|(label, value, note)| view! { <Stat label=label value=value note=note/> });
    view! { <Stats>{tiles.into_iter().collect_view()}</Stats> }.into_any()
}

fn difference(sum: &ReplayedSum) -> String {
    let difference = sum.after_nano.saturating_sub(sum.before_nano);
    let sign = if difference > 0 { "+" } else { "" };
    format!("{sign}{}", format::usd(difference))
}

/// In tenths of a percent, rounded towards nothing.
fn share(sum: &ReplayedSum) -> String {
    if sum.before_nano == 0 {
        return "—".to_owned();
    }
    let difference = i128::from(sum.after_nano) - i128::from(sum.before_nano);
    let tenths = difference * 1_000 / i128::from(sum.before_nano);
    let sign = if tenths < 0 { "−" } else { "+" };
    format!("{sign}{}.{}%", tenths.abs() / 10, tenths.abs() % 10)
}

fn table(visit: &Visit, replay: &Replay) -> AnyView {
    let t = &visit.t().admin.price_preview;
    if replay.models.is_empty() {
        return view! { <EmptyState title=t.none_title><p>{t.none}</p></EmptyState> }.into_any();
    }
    let row = |(model, sum): (&String, &ReplayedSum)| {
        view! {
            <tr>
                <th scope="row" translate="no">{model.clone()}</th>
                <td class="num" data-label=t.calls_column>{sum.calls}</td>
                <td class="num" data-label=t.before>{format::usd(sum.before_nano)}</td>
                <td class="num" data-label=t.after>{format::usd(sum.after_nano)}</td>
                <td class="num" data-label=t.difference>{difference(sum)}<span class="note">{share(sum)}</span></td>
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = replay.models.iter().map(row).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.model}</th>
                    <th scope="col" class="num">{t.calls_column}</th>
                    <th scope="col" class="num">{t.before}</th>
                    <th scope="col" class="num">{t.after}</th>
                    <th scope="col" class="num">{t.difference}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_said_with_its_sign() {
        let sum = |before_nano, after_nano| ReplayedSum { calls: 1, before_nano, after_nano };
        assert_eq!(share(&sum(2_000, 3_000)), "+50.0%");
        assert_eq!(share(&sum(3_000, 2_000)), "−33.3%");
        assert_eq!(share(&sum(0, 1)), "—");
        assert_eq!(difference(&sum(0, 2_000_000_000)), "+$2.00");
    }
}
