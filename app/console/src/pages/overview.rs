//! The first page: what there is to spend, what was spent, and what to do first.
use crate::calls::{self, CallPage, narrowed};
use crate::cny::Cny;
use crate::filter::{Filter, Outcome};
use crate::problem::Problem;
use crate::samples::{self, Sample};
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::keys::KeyState;
use bytespike_ledger::{Dimension, UsageFilter, UsageSums, Wallet, Window};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Bar, BarChart, ButtonKind, ButtonLink, CodeBlock, CopyField, EmptyState, Icon, IconName, Stat, Stats,
    TableFrame,
};
use leptos::prelude::*;

const DAYS: i8 = 14;
const RECENT: u32 = 8;

/// What the page shows.
struct Overview {
    wallet: Option<Wallet>,
    cny: Option<Cny>,
    month: UsageSums,
    /// Calls that run.
    running: i64,
    /// When the month began.
    month_from_ms: i64,
    /// (start of the day, its sums), today last.
    days: Vec<(i64, UsageSums)>,
    recent: CallPage,
    has_key: bool,
    moments: Moments,
}

/// `GET /console`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let data = load(&state, &visit, &who).await?;
    let t = &visit.t().console.overview;
    // A role that sees only its own calls gets no sums over everyone's.
    let sums = narrowed(&who).is_none();
    let content = view! {
        <div class="page-head"><h1>{t.title}</h1></div>
        {steps(&state, (&visit, &who), &data)}
        {sums.then(|| tiles(&visit, &data))}
        {sums.then(|| chart(&visit, &data))}
        {recent(&visit, &data)}
    };
    Ok(shell::signed_in((&visit, &who), Section::Overview, Titled::ok(t.title), content).await)
}

async fn load(state: &ConsoleState, visit: &Visit, who: &SignedIn) -> Result<Overview, Problem> {
    let (ledger, org_id) = (&state.ledger, who.member.org_id());
    let now_ms = state.world.now_ms();
    let wallet = ledger.wallet(org_id).await?;
    let zone_name = wallet.as_ref().map_or("UTC", |wallet| wallet.time_zone.as_str());
    // Sums follow the organisation's calendar, as its monthly limits do.
    let days_of_org = Moments::new(visit.locale, zone_name, now_ms);
    let (month_from_ms, month_to_ms) = Window::Month.opening_at(now_ms, &days_of_org.zone);
    let mut bounds = days_of_org.days(DAYS);
    let tomorrow_ms = bounds.pop().unwrap_or(now_ms);
    let days = span(bounds.first().copied().unwrap_or(now_ms), tomorrow_ms);
    let days = ledger.usage(org_id, &days, (&[Dimension::Day], &days_of_org.zone)).await?;
    let day =
        |from_ms: i64| days.iter().find(|(key, _)| key.start_ms == Some(from_ms)).map(|(_, sums)| *sums);
    let month = span(month_from_ms, month_to_ms);
    let month = ledger.usage(org_id, &month, (&[], &days_of_org.zone)).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), now_ms);
    let asked = (Filter::default().asked(&moments, narrowed(who)), Outcome::All);
    let keys = state.accounts.keys.list(&who.member).await?;
    Ok(Overview {
        month: month.into_values().next().unwrap_or_default(),
        running: ledger.held_now(org_id).await?,
        days: bounds.into_iter().map(|from_ms| (from_ms, day(from_ms).unwrap_or_default())).collect(),
        recent: calls::load((state, who), asked, (None, RECENT)).await?,
        has_key: keys.iter().any(|key| key.state == KeyState::Active),
        wallet,
        cny: Cny::of(state, who).await?,
        month_from_ms,
        moments,
    })
}

fn span(from_ms: i64, to_ms: i64) -> UsageFilter {
    UsageFilter { from_ms, to_ms, ..UsageFilter::default() }
}

fn tiles(visit: &Visit, data: &Overview) -> AnyView {
    let t = &visit.t().console.overview;
    let (available, held) =
        data.wallet.as_ref().map_or((0, 0), |wallet| (wallet.available().0, wallet.held.0));
    let credits = t.tile_credits(visit.numbers.credits(available));
    let about = |cny: &Cny| format!("{} · {credits}", cny.about(available));
    let balance_note = data.cny.as_ref().map_or(credits.clone(), about);
    let running = if data.running == 0 { t.held_none.to_owned() } else { t.held_note(number(data.running)) };
    let month = &data.month;
    let date = data.moments.date(data.month_from_ms);
    let tiles = [
        (t.balance, visit.numbers.usd(available), balance_note),
        (t.held, visit.numbers.usd(held), running),
        (t.spent, visit.numbers.usd(month.charged_nano), t.spent_note(number(month.settled_calls), date)),
        (
            t.not_billed,
            visit.numbers.count(number(month.not_billed_calls())),
            t.not_billed_note(visit.numbers.usd(month.not_billed_held_nano)),
        ),
    ];
    let tiles = tiles.map(|(label, value, note)| view! { <Stat label=label value=value note=note/> });
    view! { <Stats>{tiles.into_iter().collect_view()}</Stats> }.into_any()
}

fn number(calls: i64) -> u64 {
    u64::try_from(calls).unwrap_or(0)
}

fn chart(visit: &Visit, data: &Overview) -> AnyView {
    let t = &visit.t().console.overview;
    if data.days.iter().all(|(_, day)| day.charged_nano == 0) {
        return view! { <section class="stack"><h2>{t.chart}</h2><p class="soft">{t.chart_empty}</p></section> }.into_any();
    }
    let peak = data.days.iter().max_by_key(|(_, day)| day.charged_nano);
    let peak = peak
        .map(|(from_ms, day)| t.chart_peak(visit.numbers.usd(day.charged_nano), data.moments.date(*from_ms)));
    let bars = data.days.iter().map(|(from_ms, day)| Bar {
        label: data.moments.date(*from_ms),
        value: u64::try_from(day.charged_nano).unwrap_or(0),
        text: visit.numbers.usd(day.charged_nano),
    });
    let first = data.days.first().map(|(from_ms, _)| data.moments.date(*from_ms));
    let last = data.days.last().map(|(from_ms, _)| data.moments.date(*from_ms));
    view! {
        <section class="stack">
            <h2>{t.chart}</h2>
            <div class="chart">
                <p class="chart-peak num">{peak}</p>
                <BarChart title=t.chart bars=bars.collect()/>
                <p class="chart-ends"><span>{first}</span><span>{last}</span></p>
            </div>
            <details class="more"><summary>{t.chart_show}</summary>{day_table(visit, data)}</details>
        </section>
    }
    .into_any()
}

/// The chart's numbers, newest day first.
fn day_table(visit: &Visit, data: &Overview) -> AnyView {
    let t = &visit.t().console.overview;
    let rows = data.days.iter().rev().map(|(from_ms, day)| {
        view! {
            <tr>
                <th scope="row">{data.moments.date(*from_ms)}</th>
                <td class="num" data-label=t.chart_calls>{visit.numbers.count(number(day.settled_calls))}</td>
                <td class="num" data-label=t.chart_charged>{visit.numbers.usd(day.charged_nano)}</td>
            </tr>
        }
    });
    let rows: Vec<_> = rows.collect();
    view! {
        <TableFrame caption=t.chart>
            <thead>
                <tr>
                    <th scope="col">{t.chart_day}</th>
                    <th scope="col" class="num">{t.chart_calls}</th>
                    <th scope="col" class="num">{t.chart_charged}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn recent(visit: &Visit, data: &Overview) -> AnyView {
    let t = &visit.t().console.overview;
    let all = visit.link("/console/calls");
    let body = if data.recent.rows.is_empty() {
        let title = visit.t().calls.page.empty_title;
        view! { <EmptyState title=title><p>{t.recent_empty}</p></EmptyState> }.into_any()
    } else {
        calls::table(visit, &data.moments, &data.recent.rows)
    };
    view! {
        <section class="stack">
            <div class="page-head"><h2>{t.recent}</h2><a href=all>{t.recent_all}</a></div>
            {body}
        </section>
    }
    .into_any()
}

/// The way from a new account to a first call; gone once the call was made.
fn steps(state: &ConsoleState, (visit, who): (&Visit, &SignedIn), data: &Overview) -> Option<AnyView> {
    if data.has_key && !data.recent.rows.is_empty() {
        return None;
    }
    let t = &visit.t().console.steps;
    let model = samples::model_for(state, |model| samples::in_preset(who, model));
    let sample = Sample { base_url: visit.gateway(), model: &model, key: None };
    let new = visit.link("/console/keys/new");
    let key_action = (!data.has_key)
        .then(|| view! { <p><ButtonLink kind=ButtonKind::Primary href=new>{t.key_action}</ButtonLink></p> });
    let has_called = !data.recent.rows.is_empty();
    Some(
        view! {
            <section class="card stack">
                <h2>{t.title}</h2>
                <ol class="steps">
                    {step(visit, t.verify, true, ())}
                    {step(visit, t.key, data.has_key, key_action)}
                    {step(visit, t.call, has_called, view! {
                        <p class="soft">{t.call_hint}</p>
                        <CopyField locale=visit.locale id="base-url" label=t.base_url value=visit.gateway()/>
                        <CodeBlock locale=visit.locale title="curl" language="bash" code=sample.curl()/>
                    })}
                </ol>
            </section>
        }
        .into_any(),
    )
}

fn step(visit: &Visit, label: &'static str, is_done: bool, inside: impl IntoView + 'static) -> AnyView {
    let t = &visit.t().console.steps;
    let (class, state) = if is_done { ("done", t.done) } else { ("open", t.open) };
    let icon = is_done.then(|| view! { <Icon name=IconName::Check/> });
    view! {
        <li class=class>
            <span class="step-mark">{icon}<span class="visually-hidden">{state}</span></span>
            <div class="stack"><h3>{label}</h3>{inside.into_any()}</div>
        </li>
    }
    .into_any()
}
