//! The models that can be called here, each with a button that makes one real call to it.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::model_test::{self, Tested};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::switched_off;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::MODEL_TESTS_A_DAY;
use bytespike_accounts::role::Permission;
use bytespike_accounts::switches::Feature;
use bytespike_catalog::export::{Badge, ExportedModel};
use bytespike_catalog::model::Modality;
use bytespike_catalog::{Component, PriceExport, display};
use bytespike_ui::Visit;
use bytespike_ui::components::{EmptyState, Flash, FlashKind, Hidden, TableFrame, breakable};
use leptos::prelude::*;

/// `GET /console/models`
pub(crate) async fn page(State(state): State<ConsoleState>, visit: Visit, who: SignedIn) -> Response {
    let visit = who.reads(visit);
    show(&state, (&visit, &who), None).await
}

/// `POST /console/models/test`: the receipt of the call, or this page with the reason why there is none.
pub(crate) async fn test(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::ModelTests).await {
        return Ok(off);
    }
    let SignedPost { who, form } = post;
    let visit = who.reads(visit);
    let (t, model) = (&visit.t().models, form.value("model"));
    if !may_test(&who) {
        return Err(Problem::Forbidden);
    }
    if !callable(&(state.gateway.prices)()).any(|listed| listed.priced.model.id == model) {
        return Err(Problem::NotFound);
    }
    let why = match model_test::run(&state, &who, (model, t.test.key_name)).await? {
        Tested::Called { receipt_id, answered } => {
            let notice = if answered { Notice::ModelAnswered } else { Notice::ModelFailed };
            return Ok(see_other(&flash::with(
                &visit.link(&format!("/console/receipts/{receipt_id}")),
                notice,
            )));
        }
        Tested::Refused { why } => why,
        Tested::TooCostly => t.test.too_costly(model),
        Tested::NoneLeft => t.test.none_left(MODEL_TESTS_A_DAY),
    };
    Ok(show(&state, (&visit, &who), Some(why)).await)
}

fn may_test(who: &SignedIn) -> bool {
    who.member.role().may(Permission::ManageOwnKeys)
}

/// Text models with a wired channel and a whole price, in the order of the price page.
pub(crate) fn callable(prices: &PriceExport) -> impl Iterator<Item = &ExportedModel> {
    let is_text = |listed: &&ExportedModel| listed.priced.model.modality == Modality::Text;
    prices.models.iter().filter(|listed| listed.badge == Badge::Live).filter(is_text)
}

async fn show(state: &ConsoleState, (visit, who): (&Visit, &SignedIn), refusal: Option<String>) -> Response {
    let t = &visit.t().models.page;
    let titled = if refusal.is_some() { Titled::faulty(visit, t.title) } else { Titled::ok(t.title) };
    let prices = (state.gateway.prices)();
    let tests = may_test(who) && state.accounts.switches.is_on(Feature::ModelTests);
    let token = tests.then_some(who.token.as_str());
    let rows: Vec<AnyView> = callable(&prices).map(|listed| row((visit, token), listed, &prices)).collect();
    let body = if rows.is_empty() {
        view! { <EmptyState title=t.empty_title><p>{t.empty}</p></EmptyState> }.into_any()
    } else {
        table(visit, rows)
    };
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {refusal.map(|why| view! { <Flash kind=FlashKind::Problem text=why/> })}
        <div class="stack">
            {body}
            {tests.then(|| view! { <p class="hint">{t.test_note(MODEL_TESTS_A_DAY)}</p> })}
            {switched_off::remark(state, visit, Feature::ModelTests)}
        </div>
    };
    shell::signed_in((visit, who), Section::Models, titled, content).await
}

fn table(visit: &Visit, rows: Vec<AnyView>) -> AnyView {
    let (t, price) = (&visit.t().models, &visit.t().pricing);
    view! {
        <TableFrame caption=t.page.title>
            <thead>
                <tr>
                    <th scope="col">{price.table.model}</th>
                    <th scope="col">{price.model.provider}</th>
                    <th scope="col" class="num">{t.column.input}</th>
                    <th scope="col" class="num">{t.column.output}</th>
                    <th scope="col" class="end">{t.column.test}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

/// With a form's token there is a button to test it.
fn row((visit, token): (&Visit, Option<&str>), listed: &ExportedModel, prices: &PriceExport) -> AnyView {
    let t = &visit.t().models;
    let model = &listed.priced.model;
    let provider = prices.providers.iter().find(|provider| provider.id == model.provider);
    let provider = provider.map_or_else(|| model.provider.clone(), |provider| provider.name.clone());
    let price = |component| {
        let found = listed.priced.prices.iter().find(|price| price.list.component == component);
        found.map(|price| visit.numbers.marked(&display::usd(price)))
    };
    let details = visit.link(&format!("/pricing/{}", model.id));
    view! {
        <tr>
            <th scope="row"><a href=details translate="no">{breakable(&model.id)}</a></th>
            <td data-label=visit.t().pricing.model.provider translate="no">{provider}</td>
            <td class="num" data-label=t.column.input>{price(Component::Input)}</td>
            <td class="num" data-label=t.column.output>{price(Component::Output)}</td>
            <td class="end">{token.map(|token| button((visit, token), &model.id))}</td>
        </tr>
    }
    .into_any()
}

fn button((visit, token): (&Visit, &str), model: &str) -> AnyView {
    let t = &visit.t().models.test;
    view! {
        <form method="post" action=visit.link("/console/models/test") class="inline">
            <Hidden name="csrf" value=token.to_owned()/>
            <Hidden name="model" value=model.to_owned()/>
            <button type="submit" class="button small" aria-label=t.submit_model(model)>{t.submit}</button>
        </form>
    }
    .into_any()
}
