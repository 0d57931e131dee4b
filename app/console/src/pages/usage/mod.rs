//! Usage as a picture, as a table and as a file: the same numbers, by time and by model, key, member, deployment or outcome.
mod asked;
mod sums;
mod words;

use crate::calls::narrowed;
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use asked::{Asked, By, Measure, Period};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytespike_gateway::export::{Cell, spreadsheet};
use bytespike_ledger::Dimension;
use bytespike_ui::components::{
    Button, ButtonLink, EmptyState, Select, SelectOption, Series, StackedChart, Stat, Stats, Swatch, Tab,
    TableFrame, Tabs, breakable,
};
use bytespike_ui::{Visit, format};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use leptos::prelude::*;
use sums::{Group, Shown};

const PATH: &str = "/console/usage";
const CHART: &str = "usage";

/// `GET /console/usage`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let sees_org = narrowed(&who).is_none();
    let asked = Asked::of(&Query::of(&visit), sees_org);
    let shown = sums::load(&state, (&who, visit.locale), &asked).await?;
    let moments = moments(&visit, &shown, state.world.now_ms());
    let t = &visit.t().usage.page;
    let lead = if sees_org { t.lead } else { t.lead_own };
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{lead}</p></div></div>
        <div class="stack">{periods(&visit, &asked)}{choices(&visit, &asked, sees_org)}</div>
        {tiles(&visit, &shown)}
        {picture(&visit, (&asked, &shown), &moments)}
        {totals(&visit, (&asked, &shown), &moments)}
        {by_time(&visit, (&asked, &shown), &moments)}
    };
    Ok(shell::signed_in((&visit, &who), Section::Usage, Titled::ok(t.title), content).await)
}

/// `GET /console/usage/usage.csv`: by time, for the same address, with a column for every group: nothing is put together.
pub(crate) async fn csv(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let asked = Asked::of(&Query::of(&visit), narrowed(&who).is_none());
    let shown = sums::load(&state, (&who, visit.locale), &asked).await?;
    let names = shown.groups.iter().map(|group| group.name.clone());
    // A key with several tags stands in several columns, which add up to more than there was.
    let total = (asked.group != By::Tag).then(|| format!("total_{}", asked.measure.code()));
    let header: Vec<String> = ["from_utc".to_owned()].into_iter().chain(names).chain(total.clone()).collect();
    let rows = shown.times.starts.iter().enumerate().map(|(at, start_ms)| {
        let values: Vec<u64> = shown.groups.iter().map(|group| group.values[at]).collect();
        let sum = total.as_ref().map(|_| values.iter().sum());
        let cells =
            values.into_iter().chain(sum).map(|value| Cell::number(sums::plain(asked.measure, value)));
        [Cell::number(format::machine_time(*start_ms))].into_iter().chain(cells).collect()
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"bytespike-usage.csv\""),
    ];
    Ok((headers, spreadsheet(header, rows)).into_response())
}

/// Times are written as the org's calendar has them, like the bars.
fn moments(visit: &Visit, shown: &Shown, now_ms: i64) -> Moments {
    Moments { locale: visit.locale, zone: shown.zone.clone(), now_ms }
}

fn periods(visit: &Visit, asked: &Asked) -> AnyView {
    let here = visit.link(PATH);
    let tab = |period: Period| Tab {
        href: asked.with_period(period).address(&here),
        label: words::period(visit.locale, period).to_owned(),
        is_current: !asked.has_days() && asked.period == period,
    };
    view! { <Tabs label=visit.t().usage.period.label tabs=Period::ALL.map(tab).into()/> }.into_any()
}

fn choices(visit: &Visit, asked: &Asked, sees_org: bool) -> AnyView {
    let (t, locale) = (&visit.t().usage.page, visit.locale);
    let groups: Vec<SelectOption> = asked::groups(sees_org)
        .into_iter()
        .map(|one| SelectOption::new(one.name(), words::group(locale, one)))
        .collect();
    let measures: Vec<SelectOption> = Measure::ALL
        .into_iter()
        .map(|one| SelectOption::new(one.code(), words::measure(locale, one)))
        .collect();
    view! {
        <form method="get" action=visit.link(PATH) class="call-filters" role="search" aria-label=t.choose>
            <input type="hidden" name="period" value=asked.period.code()/>
            <Select id="group" label=t.group options=groups selected=asked.group.name()/>
            <Select id="measure" label=t.measure options=measures selected=asked.measure.code()/>
            {day_field("from", t.from, &asked.from)}
            {day_field("to", t.to, &asked.to)}
            <Button>{t.show}</Button>
        </form>
    }
    .into_any()
}

fn day_field(id: &'static str, label: &'static str, value: &str) -> AnyView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input id=id name=id type="date" value=value.to_owned()/>
        </div>
    }
    .into_any()
}

fn tiles(visit: &Visit, shown: &Shown) -> AnyView {
    let t = &visit.t().usage.page;
    let all = &shown.all;
    let tiles = [
        (
            t.charged,
            visit.numbers.usd(all.charged_nano),
            Some(t.credits(visit.numbers.credits(all.charged_nano))),
        ),
        (t.requests, count(visit, all.calls()), None),
        (
            t.not_billed,
            count(visit, all.not_billed_calls()),
            Some(t.not_billed_note(visit.numbers.usd(all.not_billed_held_nano))),
        ),
        (t.tokens, count(visit, sums::tokens(all)), None),
    ];
    let tiles = tiles.into_iter().map(|(label, value, note)| {
        view! { <Stat label=label value=value nostrip:note=note/> }
    });
    let tiles = tiles.collect_view();
    view! { <Stats>{tiles}</Stats> }.into_any()
}

fn picture(visit: &Visit, (asked, shown): (&Asked, &Shown), moments: &Moments) -> AnyView {
    let t = &visit.t().usage.page;
    let title = t.chart(
        words::group(visit.locale, asked.group).to_lowercase(),
        words::measure(visit.locale, asked.measure),
    );
    if shown.parts.iter().all(|part| part.values.iter().all(|value| *value == 0)) {
        return view! { <EmptyState title=t.empty_title><p>{t.empty}</p></EmptyState> }.into_any();
    }
    let labels: Vec<String> =
        shown.times.starts.iter().map(|start_ms| label(moments, shown, *start_ms)).collect();
    let ends = [labels.first().cloned(), labels.last().cloned()];
    let series =
        shown.parts.iter().map(|part| Series { name: part.name.clone(), values: part.values.clone() });
    let write = sums::writer(asked.measure, visit.numbers);
    let legend: Vec<AnyView> = shown
        .parts
        .iter()
        .enumerate()
        .map(|(at, part)| {
            view! {
                <li><Swatch id=CHART at=at/><span>{breakable(&part.name)}</span>
                    <span class="num">{write(part.values.iter().sum())}</span></li>
            }
            .into_any()
        })
        .collect();
    let [first, last] = ends;
    view! {
        <section class="stack">
            <h2>{title.clone()}</h2>
            <div class="chart">
                <StackedChart
                    id=CHART title=title description=t.chart_note labels=labels series=series.collect() write=write
                />
                <p class="chart-ends"><span>{first}</span><span>{last}</span></p>
                <ul class="legend">{legend}</ul>
            </div>
            {rate(visit, (asked, shown))}
            {(asked.group == By::Tag).then(|| view! { <p class="hint">{t.tag_note}</p> })}
        </section>
    }
    .into_any()
}

/// At which rate yuan are shown.
fn rate(visit: &Visit, (asked, shown): (&Asked, &Shown)) -> Option<AnyView> {
    let t = &visit.t().usage.page;
    let note = t.rate(&shown.fx.date, shown.fx.rate());
    (asked.measure == Measure::Cny).then(|| view! { <p class="hint">{note}</p> }.into_any())
}

fn label(moments: &Moments, shown: &Shown, start_ms: i64) -> String {
    if shown.times.is_hourly { moments.written(start_ms) } else { moments.date(start_ms) }
}

/// Every group with all it used.
fn totals(visit: &Visit, (asked, shown): (&Asked, &Shown), moments: &Moments) -> Option<AnyView> {
    if shown.groups.is_empty() {
        return None;
    }
    let t = &visit.t().usage.page;
    let caption = words::group(visit.locale, asked.group);
    let rows: Vec<AnyView> =
        shown.groups.iter().map(|group| total_row(visit, (asked, shown), (group, moments))).collect();
    Some(
        view! {
            <section class="stack">
                <h2>{t.totals}</h2>
                <TableFrame caption=t.totals>
                    <thead><tr>
                        <th scope="col">{caption}</th>
                        <th scope="col" class="num">{t.charged}</th>
                        <th scope="col" class="num">{t.requests}</th>
                        <th scope="col" class="num">{t.not_billed}</th>
                        <th scope="col" class="num">{t.input}</th>
                        <th scope="col" class="num">{t.output}</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </section>
        }
        .into_any(),
    )
}

fn total_row(
    visit: &Visit,
    (asked, shown): (&Asked, &Shown),
    (group, moments): (&Group, &Moments),
) -> AnyView {
    let t = &visit.t().usage.page;
    let used = &group.sums.quantities;
    let input = used.input_tokens + used.cache_read_tokens + used.cache_write_tokens;
    let name = breakable(&group.name);
    let name = match calls_link(visit, (asked, shown), (group, moments)) {
        Some(href) => view! { <a href=href>{name}</a> }.into_any(),
        None => name,
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td class="num" data-label=t.charged>{visit.numbers.usd(group.sums.charged_nano)}</td>
            <td class="num" data-label=t.requests>{count(visit, group.sums.calls())}</td>
            <td class="num" data-label=t.not_billed>{count(visit, group.sums.not_billed_calls())}</td>
            <td class="num" data-label=t.input>{count(visit, input)}</td>
            <td class="num" data-label=t.output>{count(visit, used.output_tokens)}</td>
        </tr>
    }
    .into_any()
}

/// The calls of a group, where the list of calls can be asked for them.
fn calls_link(
    visit: &Visit,
    (asked, shown): (&Asked, &Shown),
    (group, moments): (&Group, &Moments),
) -> Option<String> {
    let (name, value) = match asked.group {
        By::One(Dimension::Model) => ("model", group.id.as_str()),
        By::One(Dimension::Key) => ("key", group.id.as_str()),
        By::One(Dimension::Outcome) if group.id == "settled" => ("outcome", "billed"),
        By::One(Dimension::Outcome) => ("outcome", "not-billed"),
        _ => return None,
    };
    let (from, to) = (moments.day(shown.times.from_ms), moments.day(shown.times.to_ms - 1));
    let query = query::write(&[(name, value), ("from", &from), ("to", &to)]);
    Some(visit.link(&format!("/console/calls?{query}")))
}

/// The picture's own numbers, newest first.
fn by_time(visit: &Visit, (asked, shown): (&Asked, &Shown), moments: &Moments) -> Option<AnyView> {
    if shown.parts.is_empty() {
        return None;
    }
    let t = &visit.t().usage.page;
    let write = sums::writer(asked.measure, visit.numbers);
    let names: Vec<String> = shown.parts.iter().map(|part| part.name.clone()).collect();
    let heads =
        names.iter().map(|name| view! { <th scope="col" class="num">{breakable(name)}</th> }).collect_view();
    let rows: Vec<AnyView> = shown
        .times
        .starts
        .iter()
        .enumerate()
        .rev()
        .map(|(at, start_ms)| {
            let values: Vec<u64> = shown.parts.iter().map(|part| part.values[at]).collect();
            let sum: u64 = values.iter().sum();
            let cells: Vec<AnyView> = names
                .iter()
                .zip(values)
                .map(|(name, value)| {
                    view! { <td class="num" data-label=name.clone()>{write(value)}</td> }.into_any()
                })
                .collect();
            view! {
                <tr>
                    <th scope="row">{label(moments, shown, *start_ms)}</th>
                    {cells}
                    <td class="num" data-label=t.total>{write(sum)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let when = if shown.times.is_hourly { t.hour } else { t.day };
    let csv = asked.address(&visit.link("/console/usage/usage.csv"));
    Some(
        view! {
            <section class="stack">
                <details class="more">
                    <summary>{t.table}</summary>
                    <TableFrame caption=t.table>
                        <thead><tr>
                            <th scope="col">{when}</th>{heads}<th scope="col" class="num">{t.total}</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </TableFrame>
                </details>
                <p class="actions"><ButtonLink href=csv>{t.csv}</ButtonLink></p>
            </section>
        }
        .into_any(),
    )
}

fn count(visit: &Visit, calls: i64) -> String {
    visit.numbers.count(u64::try_from(calls).unwrap_or(0))
}
