//! Paying in: amounts to press, an amount of one's own, and the order that either makes.
use super::Faulty;
use crate::forms::{Form, SignedPost, amount};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::switched_off;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::role::Permission;
use bytespike_accounts::switches::Feature;
use bytespike_catalog::fx::FxRate;
use bytespike_payments::{Currency, CurrencyOffer, NewOrder, OrderError, Payments, worth};
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind, Select, SelectOption};
use bytespike_ui::{Locale, Numbers, Surface, Visit, format};
use leptos::prelude::*;
use serde_json::json;

/// A hundredth of a unit, in billionths of it.
const NANO_PER_MINOR: i64 = 10_000_000;
const DAY_MS: i64 = 86_400_000;

/// What the part of the page needs to know.
pub(super) struct Offered {
    payments: Payments,
    rate: Option<FxRate>,
    /// So that sending a form twice orders once.
    form_key: String,
}

/// `POST /console/wallet/top-up`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::TopUps).await {
        return Ok(off);
    }
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let payments = state.payments.as_ref().ok_or(Problem::NotFound)?;
    if !may_pay(&who) {
        return Err(Problem::Forbidden);
    }
    let Some((currency, amount_minor)) = read(&mut form, visit.locale) else {
        return again(&state, (&visit, &who), form).await;
    };
    let product = visit.t().payments.form.product(host(&visit));
    let new = NewOrder {
        org_id: who.member.org_id(),
        person_id: &who.session.person_id,
        email: who.member.email(),
        currency,
        amount_minor,
        form_key: form.value("once"),
        language: visit.locale.code(),
        product: &product,
        console_path: &visit.link("/console"),
    };
    let asked = json!({ "currency": currency.code(), "amount_minor": amount_minor });
    let event = who.member.did("payment.ordered").changed(json!(null), asked);
    let entry = state.accounts.audit.entry(&who.origin, event);
    match payments.order(&new, &entry).await {
        Ok(order) => Ok(see_other(&visit.link(&format!("/console/wallet/orders/{}?go=1", order.id)))),
        Err(OrderError::Database(error)) => Err(error.into()),
        Err(error) => {
            if let OrderError::Provider(error) = &error {
                tracing::error!(%error, "a page to pay on could not be made");
            }
            form.refuse("amount", words(&visit, currency, &error));
            again(&state, (&visit, &who), form).await
        }
    }
}

async fn again(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: Form,
) -> Result<Response, Problem> {
    super::show(state, (visit, who), Faulty { top_up: Some(form), ..Faulty::default() }).await
}

pub(super) fn may_pay(who: &SignedIn) -> bool {
    who.member.role().may(Permission::Billing)
}

/// The name under which people know this installation.
pub(super) fn host(visit: &Visit) -> String {
    let base = visit.urls.base(Surface::Console);
    base.split_once("://").map_or(base, |(_, host)| host).to_owned()
}

/// The amount that was pressed, or typed; what is wrong with it is noted in the form.
fn read(form: &mut Form, locale: Locale) -> Option<(Currency, i64)> {
    let pressed = form.value("preset").split_once(':');
    if let Some((currency, minor)) = pressed {
        return Some((Currency::parse(currency)?, minor.parse().ok()?));
    }
    let t = &locale.t().payments.error;
    let currency = Currency::parse(form.value("currency")).unwrap_or(Currency::Usd);
    let typed = form.value("amount").trim().trim_start_matches(['¥', '￥']).to_owned();
    let fault = match amount::parse_usd(&typed) {
        Ok(Some(nano)) if nano % NANO_PER_MINOR == 0 => return Some((currency, nano / NANO_PER_MINOR)),
        Ok(Some(_)) | Err(amount::AmountError::TooManyDecimals) => t.decimals,
        Ok(None) => t.missing,
        Err(_) => t.number,
    };
    form.refuse("amount", fault);
    None
}

fn words(visit: &Visit, currency: Currency, error: &OrderError) -> String {
    let t = &visit.t().payments.error;
    match error {
        OrderError::TooSmall { least_minor } => t.small(money(visit.numbers, (currency, *least_minor))),
        OrderError::TooLarge { most_minor } => t.large(money(visit.numbers, (currency, *most_minor))),
        OrderError::TooMany => t.many.to_owned(),
        OrderError::NotOffered => t.not_offered.to_owned(),
        OrderError::Provider(_) | OrderError::Database(_) => t.provider.to_owned(),
    }
}

/// An amount of cents or fen as it is written.
pub(super) fn money(numbers: Numbers, (currency, minor): (Currency, i64)) -> String {
    let nano = minor.saturating_mul(NANO_PER_MINOR);
    match currency {
        Currency::Usd => numbers.usd(nano),
        Currency::Cny => numbers.cny(nano),
    }
}

/// What can be paid here by this reader, if anything.
pub(super) async fn offered(state: &ConsoleState, who: &SignedIn) -> Result<Option<Offered>, Problem> {
    let Some(payments) = state.payments.clone().filter(|_| may_pay(who)) else { return Ok(None) };
    let rate = payments.rate().await?;
    Ok(Some(Offered { payments, rate, form_key: state.world.id("form") }))
}

/// The forms; `faulty` is the one that came back.
pub(super) fn part((visit, who): (&Visit, &SignedIn), offered: &Offered, faulty: Option<Form>) -> AnyView {
    let t = &visit.t().payments.form;
    let groups: Vec<AnyView> = usable(offered).map(|offer| presets((visit, who), offered, offer)).collect();
    let form = faulty.unwrap_or_default();
    view! {
        <section class="stack" id="add-credit">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            {form.summary(visit.locale)}
            {groups}
            {own((visit, who), offered, &form)}
            {ladder(visit, offered)}
        </section>
    }
    .into_any()
}

/// Without a rate nobody can say what a yuan is worth.
fn usable(offered: &Offered) -> impl Iterator<Item = &CurrencyOffer> {
    let has_rate = offered.rate.is_some();
    offered.payments.offer.currencies.iter().filter(move |offer| offer.currency == Currency::Usd || has_rate)
}

fn presets((visit, who): (&Visit, &SignedIn), offered: &Offered, offer: &CurrencyOffer) -> AnyView {
    let t = &visit.t().payments.form;
    let currency = offer.currency;
    let buttons: Vec<AnyView> =
        offer.presets_minor.iter().filter_map(|minor| preset(visit, offered, (currency, *minor))).collect();
    let label = match currency {
        Currency::Usd => t.usd_group,
        Currency::Cny => t.cny_group,
    };
    let rate = offered.rate.as_ref().filter(|_| currency == Currency::Cny);
    let rate = rate.map(|rate| t.rate(format::iso_date(visit.locale, &rate.date), rate.rate()));
    view! {
        <form method="post" action=action(visit)>
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name="once" value=offered.form_key.clone()/>
            <fieldset>
                <legend>{label}</legend>
                {rate.map(|rate| view! { <p class="hint">{rate}</p> })}
                <div class="amounts">{buttons}</div>
            </fieldset>
        </form>
    }
    .into_any()
}

/// One amount to press, with what it becomes.
fn preset(visit: &Visit, offered: &Offered, (currency, minor): (Currency, i64)) -> Option<AnyView> {
    let t = &visit.t().payments.form;
    let paid = worth(currency, minor, offered.rate.as_ref())?;
    let bonus = offered.payments.offer.bonus(paid);
    let on_top = (bonus.0 > 0).then(|| t.on_top(whole_credits(visit, bonus.0)));
    let amount = money(visit.numbers, (currency, minor));
    let view = view! {
        <button type="submit" class="amount" name="preset" value=format!("{}:{minor}", currency.code())>
            <strong class="num">{amount}</strong>
            <span class="num">{t.worth(whole_credits(visit, paid.0))}</span>
            {on_top.map(|on_top| view! { <span class="num on-top">{on_top}</span> })}
        </button>
    };
    Some(view.into_any())
}

/// A preview of so many credits needs no thousandths.
fn whole_credits(visit: &Visit, nano: i64) -> String {
    visit.numbers.count(u64::try_from(nano / 1_000).unwrap_or(0))
}

fn own((visit, who): (&Visit, &SignedIn), offered: &Offered, form: &Form) -> AnyView {
    let t = &visit.t().payments.form;
    let offers: Vec<&CurrencyOffer> = usable(offered).collect();
    let name = |currency| match currency {
        Currency::Usd => t.usd,
        Currency::Cny => t.cny,
    };
    let option = |offer: &&CurrencyOffer| SelectOption::new(offer.currency.code(), name(offer.currency));
    let options: Vec<SelectOption> = offers.iter().map(option).collect();
    let bounds = |offer: &CurrencyOffer| {
        (
            money(visit.numbers, (offer.currency, offer.least_minor)),
            money(visit.numbers, (offer.currency, offer.most_minor)),
        )
    };
    let hint = match offers.as_slice() {
        [first, second, ..] => {
            let ((least, most), (least_cny, most_cny)) = (bounds(first), bounds(second));
            t.own_hint_both(least, least_cny, most, most_cny)
        }
        [only] => {
            let (least, most) = bounds(only);
            t.own_hint(least, most)
        }
        [] => return ().into_any(),
    };
    let once =
        if form.value("once").is_empty() { offered.form_key.clone() } else { form.value("once").to_owned() };
    let chosen = form.value("currency").to_owned();
    view! {
        <form method="post" action=action(visit) class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name="once" value=once/>
            <div class="form-row">
                <Field
                    id="amount" label=t.own kind=InputKind::Number value=form.value("amount")
                    nostrip:fault=form.fault("amount") autocomplete="off" max_length=16
                />
                <Select id="currency" label=t.currency options=options selected=chosen/>
                <Button kind=ButtonKind::Primary>{t.submit}</Button>
            </div>
            <p class="hint">{hint}</p>
        </form>
    }
    .into_any()
}

/// Which amounts bring credit on top, if any do.
fn ladder(visit: &Visit, offered: &Offered) -> Option<AnyView> {
    let t = &visit.t().payments.form;
    let mut rungs = offered.payments.offer.ladder.clone();
    rungs.retain(|rung| rung.percent > 0);
    if rungs.is_empty() {
        return None;
    }
    rungs.sort_by_key(|rung| rung.from);
    let steps = rungs.iter().map(|rung| t.step(visit.numbers.usd(rung.from.0), rung.percent));
    let steps = t.ladder(steps.collect::<Vec<String>>().join(t.comma));
    let lasts = offered.payments.offer.bonus_lasts_ms.map(|ms| t.lasts(ms / DAY_MS));
    Some(view! { <p class="soft">{steps} {visit.locale.gap()} {lasts}</p> }.into_any())
}

fn action(visit: &Visit) -> String {
    visit.link("/console/wallet/top-up")
}
