//! One model's prices, and the form that puts a price of our own in the place of a listed one. Nothing is sold by it before
//! the draft is published.
use super::{PATH, component, model_address, told, unit};
use crate::admin::act::Act;
use crate::admin::notice::{self, Did};
use crate::admin::shell::{self, Part};
use crate::admin::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_catalog::calendar::{DAY_MS, Day};
use bytespike_catalog::decimal;
use bytespike_catalog::overrides::OwnPrice;
use bytespike_catalog::price::{Component, ListPrice, Tier};
use bytespike_catalog::{PriceBook, PricedModel};
use bytespike_gateway::price_desk::{DatedError, DeskError, with_price, with_price_from};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, Field, Hidden, InputKind, Select, SelectOption, TableFrame,
};
use leptos::prelude::*;
use serde_json::json;

/// `GET /admin/prices/model?id=…`
pub(in crate::admin) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let Some(id) = Query::of(&visit).get("id").map(str::to_owned) else {
        return Ok(see_other(&visit.link(PATH)));
    };
    show(&state, (&visit, &operator), &id, &Form::default()).await
}

/// `POST /admin/prices/model`
pub(in crate::admin) async fn keep(mut act: Act) -> Result<Response, Problem> {
    let desk = act.state.operating.desk.clone();
    let look = desk.look_at_pending().await?;
    let id = act.form.value("model").to_owned();
    let model = look.draft.book.find(&id).ok_or(Problem::NotFound)?;
    let component = components(model).into_iter().find(|one| one.name() == act.form.value("component"));
    let component = component.ok_or(Problem::NotFound)?;
    let price = OwnPrice {
        model: model.model.id.clone(),
        component,
        usd: act.form.value("usd").trim().trim_start_matches('$').to_owned(),
        cny: String::new(),
        unit: OwnPrice::usual_unit(component, row_of(model, component)).to_owned(),
        tier: Tier::default(),
        schedule: None,
        effective_from: None,
        effective_to: None,
    };
    let from = act.form.value("from").trim().to_owned();
    let detail =
        json!({ "component": component.name(), "usd": &price.usd, "unit": &price.unit, "from": &from });
    let event = Event::new("price.drafted", Actor::Anonymous).target(&price.model).detail(detail);
    let entry = told(&act, event);
    let today = Day(act.state.world.now_ms().div_euclid(DAY_MS));
    let dated = match from.as_str() {
        "" => Ok(with_price(&look.draft.overrides, price.clone())),
        text => match Day::try_from(text.to_owned()) {
            Ok(day) => with_price_from(&look.draft, price.clone(), (day, today)),
            Err(_) => Err(DatedError::NotLater),
        },
    };
    let overrides = match dated {
        Ok(overrides) => overrides,
        Err(why) => {
            let t = &act.visit.t().admin.price_model;
            let words = if why == DatedError::NotLater { t.from_fault } else { t.from_no_price };
            act.form.refuse("from", words);
            let Act { state, visit, operator, form, .. } = act;
            return show(&state, (&visit, &operator), &id, &form).await;
        }
    };
    match desk.keep(&overrides, (&act.operator.row().id, &entry)).await {
        Ok(()) => Ok(see_other(&notice::with(&act.visit.link(PATH), Did::PriceKept))),
        Err(DeskError::Draft(error)) => {
            tracing::info!(%error, "a price was not taken");
            act.form.refuse("usd", act.visit.t().admin.price_model.fault);
            let Act { state, visit, operator, form, .. } = act;
            show(&state, (&visit, &operator), &id, &form).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    id: &str,
    form: &Form,
) -> Result<Response, Problem> {
    let look = state.operating.desk.look_at_pending().await?;
    let draft = &look.draft.book;
    let t = &visit.t().admin.price_model;
    let Some(model) = draft.find(id.trim()) else { return Ok(not_found((visit, operator), draft, id).await) };
    let above = vec![(visit.link(PATH), visit.t().admin.prices.title.to_owned())];
    let title = model.model.id.clone();
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title.clone()/>
            <div class="page-head"><div><h1 class="long">{title.clone()}</h1><p>{t.lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        {table(visit, model)}
        {form_part((visit, operator), model, form)}
    };
    Ok(shell::page((visit, operator), Part::Prices, Titled::of(visit, &title, form), content).await)
}

/// Models whose id contains what was typed, to choose from.
async fn not_found((visit, operator): (&Visit, &Operator), draft: &PriceBook, typed: &str) -> Response {
    let t = &visit.t().admin.price_model;
    let wanted = typed.trim().to_lowercase();
    let near = draft.models().filter(|model| model.model.id.to_lowercase().contains(&wanted)).take(30);
    let links: Vec<AnyView> = near
        .map(|model| {
            let id = model.model.id.clone();
            let href = model_address(visit, &id);
            view! { <li><a href=href>{id}</a></li> }.into_any()
        })
        .collect();
    let lead = if links.is_empty() { t.none } else { t.near };
    let above = vec![(visit.link(PATH), visit.t().admin.prices.title.to_owned())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.choose/>
            <div class="page-head"><div><h1>{t.choose}</h1><p>{lead}</p></div></div>
        </div>
        <ul class="bullets">{links}</ul>
    };
    shell::page((visit, operator), Part::Prices, Titled::ok(t.choose), content).await
}

fn table(visit: &Visit, model: &PricedModel) -> AnyView {
    let t = &visit.t().admin.price_model;
    let rows: Vec<AnyView> = model
        .prices
        .iter()
        .map(|price| {
            let (pico, decimals, per) = price.quoted();
            let when = Some(when_of(&price.list)).filter(|when| !when.is_empty());
            let when = when.unwrap_or_else(|| t.always.to_owned());
            let per = unit(visit, per).to_owned();
            let source = if price.list.source.name == "configuration" { t.configuration } else { price.list.source.name.as_str() };
            view! {
                <tr>
                    <th scope="row">{component(visit, price.list.component)}</th>
                    <td class="num" data-label=t.price>{format!("${}", decimal::format(pico, decimals, 2))}</td>
                    <td data-label=t.per>{per}</td>
                    <td data-label=t.when>{when}</td>
                    <td data-label=t.source>{source.to_owned()}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.component}</th>
                    <th scope="col" class="num">{t.price}</th>
                    <th scope="col">{t.per}</th>
                    <th scope="col">{t.when}</th>
                    <th scope="col">{t.source}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn when_of(row: &ListPrice) -> String {
    let (tier, schedule, effective) = (row.tier.clone(), row.schedule, row.effective);
    bytespike_catalog::diff::When { tier, schedule, effective }.to_string()
}

fn form_part((visit, operator): (&Visit, &Operator), model: &PricedModel, form: &Form) -> AnyView {
    let t = &visit.t().admin.price_model;
    let option = |one: &Component| {
        let per = unit(visit, OwnPrice::usual_unit(*one, row_of(model, *one)));
        SelectOption::new(one.name(), format!("{} / {per}", component(visit, *one)))
    };
    let options: Vec<SelectOption> = components(model).iter().map(option).collect();
    view! {
        <section class="stack">
            <div><h2>{t.set}</h2><p class="soft">{t.set_lead}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/model")) class="sheet">
                <Hidden name="csrf" value=operator.token.clone()/>
                <Hidden name="model" value=model.model.id.clone()/>
                <Select
                    id="component" label=t.component options=options selected=form.value("component").to_owned()
                />
                <Field
                    id="usd" label=t.usd hint=t.usd_hint.to_owned() kind=InputKind::Number value=form.value("usd")
                    nostrip:fault=form.fault("usd") autocomplete="off"
                />
                <Field
                    id="from" label=t.from hint=t.from_hint.to_owned() value=form.value("from")
                    nostrip:fault=form.fault("from") max_length=10 autocomplete="off"
                />
                <Button kind=ButtonKind::Primary>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}

/// What of the model can be given a price: what has one, what other lists price, and what is missing.
fn components(model: &PricedModel) -> Vec<Component> {
    let listed = model.prices.iter().map(|price| &price.list).chain(&model.other_lists);
    let mut all: Vec<Component> = listed.map(|row| row.component).chain(model.price_problem).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn row_of(model: &PricedModel, component: Component) -> Option<&ListPrice> {
    let listed = model.prices.iter().map(|price| &price.list).chain(&model.other_lists);
    listed.into_iter().find(|row| row.component == component)
}
