//! The price book: what is in force, what operators changed and have not published yet, what that would change, and what
//! keeps it from being published.
mod changes;
mod model;
mod preview;
mod problems;
mod publish;
mod rules;

pub(super) use model::{keep, page as model};
pub(super) use preview::page as preview;
pub(super) use publish::{discard, list_price, publish};
pub(super) use rules::{keep as keep_rules, page as rules};

use super::act::Act;
use super::shell::{self, Part};
use super::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::query;
use crate::shell::Titled;
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::audit::{Actor, Entry, Event};
use bytespike_catalog::overrides::OwnPrice;
use bytespike_catalog::price::Component;
use bytespike_gateway::price_desk::{AT_A_START, DeskError, Look};
use bytespike_ledger::Publication;
use bytespike_ui::components::{
    Button, Callout, CalloutKind, Field, Hidden, InputKind, KeyValues, TableFrame,
};
use bytespike_ui::{Visit, format, price_words};
use leptos::prelude::*;

const PATH: &str = "/admin/prices";
const MOST_PUBLICATIONS: u32 = 20;

/// `GET /admin/prices`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    show(&state, (&visit, &operator), &Form::default()).await
}

/// The page, with a form to publish that may have come back with faults.
async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    form: &Form,
) -> Result<Response, Problem> {
    let desk = &state.operating.desk;
    let look = desk.look_at_pending().await?;
    let is_pending = desk.pending().await?.is_some();
    let history = state.ledger.publications(MOST_PUBLICATIONS).await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().admin.prices;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {form.summary(visit.locale)}
        {in_force(visit, &look, &moments)}
        {find_model(visit)}
        {own_prices((visit, operator), &look)}
        {draft((visit, operator), &look, (is_pending, form))}
        {publications(visit, &history, &moments)}
    };
    Ok(shell::page((visit, operator), Part::Prices, Titled::of(visit, t.title, form), content).await)
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        Self::unavailable(&error)
    }
}

fn told(act: &Act, event: Event<'_>) -> Entry {
    let event = Event { actor: Actor::Operator(&act.operator.row().id), ..event };
    act.state.accounts.audit.entry(&act.operator.origin, event)
}

fn in_force(visit: &Visit, look: &Look, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.prices;
    let Some(in_force) = &look.in_force else { return ().into_any() };
    let text = |text: String| text.into_any();
    let fx = &in_force.book.content.fx;
    let rate = t.rate_of(format::iso_date(visit.locale, &fx.date), fx.rate());
    let export = format!("{}/v1/prices", visit.gateway());
    let pairs = vec![
        (t.version.to_owned(), view! { <span class="num">{in_force.publication.version}</span> }.into_any()),
        (t.since.to_owned(), moments.exact(in_force.publication.at_ms)),
        (t.note.to_owned(), text(note(visit, &in_force.publication))),
        (t.rate.to_owned(), text(rate)),
        (t.hash.to_owned(), view! { <code class="long">{in_force.book.hash.clone()}</code> }.into_any()),
        (t.export.to_owned(), view! { <a href=export>{t.export_link}</a> }.into_any()),
    ];
    view! { <section class="stack"><h2>{t.in_force}</h2><KeyValues pairs=pairs/></section> }.into_any()
}

fn find_model(visit: &Visit) -> AnyView {
    let t = &visit.t().admin.prices;
    view! {
        <section class="stack">
            <div><h2>{t.change}</h2><p class="soft">{t.change_lead}</p></div>
            <form method="get" action=visit.link(&format!("{PATH}/model")) class="call-filters">
                <Field id="id" label=t.model kind=InputKind::Text autocomplete="off"/>
                <Button>{t.open}</Button>
            </form>
            <p><a href=visit.link(&format!("{PATH}/rules"))>{t.rules}</a></p>
        </section>
    }
    .into_any()
}

/// What is priced, in the reader's words.
fn component(visit: &Visit, component: Component) -> &'static str {
    price_words::component(visit.locale, component.name()).unwrap_or(component.name())
}

/// What a price is for, in the reader's words.
fn unit<'a>(visit: &Visit, per: &'a str) -> &'a str {
    price_words::unit(visit.locale, per).unwrap_or(per)
}

/// Why a version was published. What a start says of itself is told in the reader's words.
fn note(visit: &Visit, publication: &Publication) -> String {
    let of_start = publication.note == AT_A_START;
    if of_start { visit.t().admin.prices.at_a_start.to_owned() } else { publication.note.clone() }
}

/// Where a model's prices are changed.
fn model_address(visit: &Visit, id: &str) -> String {
    format!("{}?{}", visit.link(&format!("{PATH}/model")), query::write(&[("id", id)]))
}

/// Our own prices in the draft, each with a way back to the list.
fn own_prices((visit, operator): (&Visit, &Operator), look: &Look) -> Option<AnyView> {
    let t = &visit.t().admin.prices;
    let own = &look.draft.overrides.prices;
    let row = |price: &OwnPrice| {
        let amount = t.per(format!("${}", price.usd), unit(visit, &price.unit));
        view! {
            <tr>
                <th scope="row"><a href=model_address(visit, &price.model)>{price.model.clone()}</a></th>
                <td data-label=t.component>
                    {component(visit, price.component)}<span class="note">{span(visit, price)}</span>
                </td>
                <td class="num" data-label=t.ours>{amount}</td>
                <td>
                    <form method="post" action=visit.link(&format!("{PATH}/list-price"))>
                        <Hidden name="csrf" value=operator.token.clone()/>
                        <Hidden name="model" value=price.model.clone()/>
                        <Hidden name="component" value=price.component.name()/>
                        <Button>{t.drop}</Button>
                    </form>
                </td>
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = own.iter().map(row).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="stack">
                <div><h2>{t.own}</h2><p class="soft">{t.own_lead}</p></div>
                <TableFrame caption=t.own>
                    <thead>
                        <tr>
                            <th scope="col">{t.model}</th>
                            <th scope="col">{t.component}</th>
                            <th scope="col" class="num">{t.ours}</th>
                            <th scope="col"><span class="visually-hidden">{t.action}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </section>
        }
        .into_any()
    })
}

/// From when to when a price of ours is for; nothing for one that always is.
fn span(visit: &Visit, price: &OwnPrice) -> String {
    let t = &visit.t().admin.prices;
    let day = |day: bytespike_catalog::calendar::Day| format::iso_date(visit.locale, &day.to_string());
    match (price.effective_from, price.effective_to) {
        (None, None) => String::new(),
        (Some(from), None) => t.from(day(from)),
        (None, Some(to)) => t.to(day(to)),
        (Some(from), Some(to)) => t.from_to(day(from), day(to)),
    }
}

/// What would change, what keeps it from that, and the form to publish it.
fn draft((visit, operator): (&Visit, &Operator), look: &Look, (is_pending, form): (bool, &Form)) -> AnyView {
    let t = &visit.t().admin.prices;
    if look.is_in_force() {
        return view! { <section class="stack"><h2>{t.draft}</h2><p class="soft">{t.nothing}</p></section> }
            .into_any();
    }
    let blocked = look.is_blocked().then(|| {
        let why = problems::list(visit, look, true);
        view! { <Callout kind=CalloutKind::Warning title=t.blocked.to_owned()>{why}</Callout> }
    });
    let publish = publish::part((visit, operator), look, (is_pending, form));
    view! {
        <section class="stack">
            <div><h2>{t.draft}</h2><p class="soft">{t.draft_lead}</p></div>
            {blocked}
            {changes::table(visit, &look.changes)}
            <p><a href=visit.link(&format!("{PATH}/preview"))>{t.preview}</a></p>
            {problems::notices(visit, look)}
            {publish}
        </section>
    }
    .into_any()
}

fn publications(visit: &Visit, history: &[Publication], moments: &Moments) -> AnyView {
    let t = &visit.t().admin.prices;
    let row = |publication: &Publication| {
        view! {
            <tr>
                <th scope="row"><span class="num">{publication.version}</span></th>
                <td data-label=t.since>{moments.exact(publication.at_ms)}</td>
                <td data-label=t.note>{note(visit, publication)}</td>
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = history.iter().map(row).collect();
    view! {
        <section class="stack">
            <h2>{t.history}</h2>
            <TableFrame caption=t.history>
                <thead>
                    <tr>
                        <th scope="col">{t.version}</th>
                        <th scope="col">{t.since}</th>
                        <th scope="col">{t.note}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    }
    .into_any()
}
