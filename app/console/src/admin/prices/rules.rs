//! What list prices are multiplied by, and the exchange rate of models that are listed in CNY: both go into the draft, and
//! count once it is published.
use super::{PATH, told};
use crate::admin::act::Act;
use crate::admin::notice::{self, Did};
use crate::admin::shell::{self, Part};
use crate::admin::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_catalog::calendar::Day;
use bytespike_catalog::overrides::{ChosenRate, Markups};
use bytespike_catalog::{Markup, Overrides, PriceBook};
use bytespike_gateway::price_desk::DeskError;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, Field, Hidden, InputKind, TextArea};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

/// `GET /admin/prices/rules`
pub(in crate::admin) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let look = state.operating.desk.look_at_pending().await?;
    let form = filled(&look.draft.overrides);
    Ok(show((&visit, &operator), &look.draft.book, &form).await)
}

/// `POST /admin/prices/rules`
pub(in crate::admin) async fn keep(mut act: Act) -> Result<Response, Problem> {
    let desk = act.state.operating.desk.clone();
    let look = desk.look_at_pending().await?;
    let (markup, fx) = read(&mut act.form, &act.visit, &look.draft.book);
    if act.form.has_faults() {
        return Ok(show((&act.visit, &act.operator), &look.draft.book, &act.form).await);
    }
    let detail = json!({ "markup": &markup, "exchange_rate": fx.as_ref().map(|rate| &rate.usd_cny) });
    let entry = told(&act, Event::new("prices.rules_drafted", Actor::Anonymous).detail(detail));
    let overrides = Overrides { markup, fx, ..look.draft.overrides.clone() };
    match desk.keep(&overrides, (&act.operator.row().id, &entry)).await {
        Ok(()) => Ok(see_other(&notice::with(&act.visit.link(PATH), Did::RulesKept))),
        Err(DeskError::Draft(error)) => {
            tracing::info!(%error, "markups or an exchange rate were not taken");
            act.form.refuse("models", act.visit.t().admin.price_rules.fault);
            Ok(show((&act.visit, &act.operator), &look.draft.book, &act.form).await)
        }
        Err(error) => Err(error.into()),
    }
}

fn filled(overrides: &Overrides) -> Form {
    let lines = |markups: &BTreeMap<String, String>| {
        markups.iter().map(|(name, by)| format!("{name} = {by}")).collect::<Vec<_>>().join("\n")
    };
    let fx = overrides.fx.as_ref();
    let of_rate = |part: fn(&ChosenRate) -> String| fx.map(part).unwrap_or_default();
    Form::filled([
        ("providers", lines(&overrides.markup.providers)),
        ("models", lines(&overrides.markup.models)),
        ("rate", of_rate(|rate| rate.usd_cny.clone())),
        ("rate_date", of_rate(|rate| rate.date.to_string())),
        ("rate_source", of_rate(|rate| rate.source.clone())),
    ])
}

/// What was typed; faults are noted beside their fields.
fn read(form: &mut Form, visit: &Visit, book: &PriceBook) -> (Markups, Option<ChosenRate>) {
    let providers = markups(form, visit, "providers", |name| {
        book.content.providers.iter().any(|provider| provider.id == name)
    });
    let models =
        markups(form, visit, "models", |name| book.find(name).is_some_and(|model| model.model.id == name));
    (Markups { providers, models }, rate(form, visit))
}

/// One a line: a name, `=`, and what list prices are multiplied by.
fn markups(
    form: &mut Form,
    visit: &Visit,
    field: &str,
    is_known: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let t = &visit.t().admin.price_rules;
    let mut read = BTreeMap::new();
    let text = form.value(field).to_owned();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let pair = line.split_once('=').map(|(name, by)| (name.trim(), by.trim()));
        match pair {
            Some((name, by)) if is_known(name) && Markup::new(by).is_some() => {
                read.insert(name.to_owned(), by.to_owned());
            }
            Some((name, by)) if Markup::new(by).is_some() => form.refuse(field, t.unknown(name)),
            _ => form.refuse(field, t.line_fault(line)),
        }
        if form.has_faults() {
            break;
        }
    }
    read
}

/// The chosen rate; without any of its parts the newest one observed counts.
fn rate(form: &mut Form, visit: &Visit) -> Option<ChosenRate> {
    let t = &visit.t().admin.price_rules;
    let text = |name: &str| form.value(name).trim().to_owned();
    let (usd_cny, date, source) = (text("rate"), text("rate_date"), text("rate_source"));
    if usd_cny.is_empty() && date.is_empty() && source.is_empty() {
        return None;
    }
    let day = Day::try_from(date).ok();
    if day.is_none() {
        form.refuse("rate_date", t.date_fault);
    }
    if source.is_empty() || source.chars().count() > 100 {
        form.refuse("rate_source", t.source_fault);
    }
    let chosen = ChosenRate { date: day?, usd_cny, source };
    let alone = Overrides { fx: Some(chosen.clone()), ..Overrides::default() };
    if alone.rate().is_err() {
        form.refuse("rate", t.rate_fault);
    }
    Some(chosen)
}

async fn show((visit, operator): (&Visit, &Operator), book: &PriceBook, form: &Form) -> Response {
    let t = &visit.t().admin.price_rules;
    let above = vec![(visit.link(PATH), visit.t().admin.prices.title.to_owned())];
    let now = visit
        .t()
        .admin
        .prices
        .rate_of(format::iso_date(visit.locale, &book.content.fx.date), book.content.fx.rate());
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.title/>
            <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link(&format!("{PATH}/rules")) class="sheet">
            <Hidden name="csrf" value=operator.token.clone()/>
            <TextArea
                id="providers" label=t.providers hint=t.providers_hint.to_owned()
                value=form.value("providers").to_owned() nostrip:fault=form.fault("providers") rows=4
            />
            <TextArea
                id="models" label=t.models hint=t.models_hint.to_owned() value=form.value("models").to_owned()
                nostrip:fault=form.fault("models") rows=4
            />
            <Field
                id="rate" label=t.rate hint=t.rate_hint(now) kind=InputKind::Number value=form.value("rate")
                nostrip:fault=form.fault("rate") autocomplete="off"
            />
            <Field
                id="rate_date" label=t.date hint=t.date_hint.to_owned() value=form.value("rate_date")
                nostrip:fault=form.fault("rate_date") max_length=10 autocomplete="off"
            />
            <Field
                id="rate_source" label=t.source hint=t.source_hint.to_owned() value=form.value("rate_source")
                nostrip:fault=form.fault("rate_source") max_length=100 autocomplete="off"
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
    };
    shell::page((visit, operator), Part::Prices, Titled::of(visit, t.title, form), content).await
}
