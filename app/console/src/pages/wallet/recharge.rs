//! Auto-recharge: the card, when and how much, and the consent to it.
use super::orders::{ASK_WITHIN, leave};
use super::top_up::{may_pay, money};
use crate::forms::{Form, SignedPost, amount};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::switched_off;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::switches::Feature;
use bytespike_catalog::NanoUsd;
use bytespike_payments::{ApplyError, CardPage, Currency, NewRecharge, Payments, RechargeError, RechargeRow};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, ButtonLink, Callout, CalloutKind, Checkbox, Field, Hidden, InputKind,
    Select, SelectOption,
};
use leptos::prelude::*;
use serde_json::json;

/// A hundredth of a unit, in billionths of it.
const NANO_PER_MINOR: i64 = 10_000_000;
const PATH: &str = "/console/wallet/recharge";

/// `GET /console/wallet/recharge`: with `go`, on to the page where a card is saved.
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let payments = allowed(&state, &who)?;
    let query = Query::of(&visit);
    let row = payments.recharge(who.member.org_id()).await?;
    if query.get("go").is_some()
        && let Some(address) = row.as_ref().and_then(|row| to_save(row, state.world.now_ms()))
    {
        return Ok(leave(&visit, address).await);
    }
    let row = match row {
        Some(row) if query.get("returned").is_some() => asked(payments, row).await?,
        other => other,
    };
    Ok(show((&visit, &who), payments, row.as_ref(), None).await)
}

/// Where a card can still be saved.
fn to_save(row: &RechargeRow, now_ms: i64) -> Option<&str> {
    row.setup_url.as_deref().filter(|_| row.setup_closes_at_ms.is_some_and(|closes| closes > now_ms))
}

/// Coming back says nothing, so it is asked.
async fn asked(payments: &Payments, row: RechargeRow) -> Result<Option<RechargeRow>, Problem> {
    match tokio::time::timeout(ASK_WITHIN, payments.ask_card(&row)).await {
        Ok(Ok(_)) => Ok(payments.recharge(&row.org_id).await?),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the payment provider could not be asked about a card");
            Ok(Some(row))
        }
        Err(_) => Ok(Some(row)),
    }
}

fn allowed<'a>(state: &'a ConsoleState, who: &SignedIn) -> Result<&'a Payments, Problem> {
    if !may_pay(who) {
        return Err(Problem::Forbidden);
    }
    state.payments.as_ref().ok_or(Problem::NotFound)
}

/// `POST /console/wallet/recharge/card`
pub(crate) async fn card(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::Recharge).await {
        return Ok(off);
    }
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let payments = allowed(&state, &who)?;
    let event = who.member.did("recharge.card_begun");
    let entry = state.accounts.audit.entry(&who.origin, event);
    let page = CardPage {
        org_id: who.member.org_id(),
        email: who.member.email(),
        form_key: &state.world.id("card"),
        language: visit.locale.code(),
        console_path: &visit.link("/console"),
    };
    match payments.card_page(&page, &entry).await {
        Ok(()) => Ok(see_other(&visit.link(&format!("{PATH}?go=1")))),
        Err(ApplyError::Provider(error)) => {
            tracing::error!(%error, "a page to save a card on could not be made");
            form.refuse("card", visit.t().recharge.error.provider);
            let row = payments.recharge(who.member.org_id()).await?;
            Ok(show((&visit, &who), payments, row.as_ref(), Some(form)).await)
        }
        Err(ApplyError::Database(error)) => Err(error.into()),
        Err(ApplyError::Ledger(_)) => Err(Problem::Unavailable),
    }
}

/// `POST /console/wallet/recharge`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::Recharge).await {
        return Ok(off);
    }
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let payments = allowed(&state, &who)?;
    let Some(new) = read(&mut form, (&visit, &who)) else {
        let row = payments.recharge(who.member.org_id()).await?;
        return Ok(show((&visit, &who), payments, row.as_ref(), Some(form)).await);
    };
    let after = json!({
        "threshold_nano": new.threshold.0, "currency": new.currency.code(), "amount_minor": new.amount_minor,
        "month_most_minor": new.month_most_minor,
    });
    let event = who.member.did("recharge.turned_on").changed(json!(null), after);
    let entry = state.accounts.audit.entry(&who.origin, event);
    match payments.turn_recharge_on(who.member.org_id(), &new, &entry).await {
        Ok(()) => Ok(see_other(&visit.link(PATH))),
        Err(RechargeError::Database(error)) => Err(error.into()),
        Err(error) => {
            let currency = new.currency;
            refuse(&mut form, &visit, (currency, &error));
            let row = payments.recharge(who.member.org_id()).await?;
            Ok(show((&visit, &who), payments, row.as_ref(), Some(form)).await)
        }
    }
}

/// `POST /console/wallet/recharge/off`
pub(crate) async fn off(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let payments = allowed(&state, &who)?;
    let forgets_card = form.value("forget") == "on";
    let event = who.member.did("recharge.turned_off").detail(json!({ "card_removed": forgets_card }));
    let entry = state.accounts.audit.entry(&who.origin, event);
    payments.turn_recharge_off(who.member.org_id(), forgets_card, &entry).await?;
    Ok(see_other(&visit.link(PATH)))
}

/// What was typed; what is wrong with it is noted in the form.
fn read<'a>(form: &mut Form, (visit, who): (&'a Visit, &'a SignedIn)) -> Option<NewRecharge<'a>> {
    let t = &visit.t().recharge;
    if form.value("consent") != "on" {
        form.refuse("consent", t.error.consent);
    }
    let threshold = amount::parse_usd(form.value("threshold")).ok().flatten();
    if threshold.is_none() {
        form.refuse("threshold", t.error.number);
    }
    let minor = |text: &str| {
        let nano = amount::parse_usd(text.trim().trim_start_matches(['¥', '￥'])).ok().flatten()?;
        (nano % NANO_PER_MINOR == 0).then_some(nano / NANO_PER_MINOR)
    };
    let (amount_minor, most) = (minor(form.value("amount")), minor(form.value("most")));
    for (field, value) in [("amount", amount_minor), ("most", most)] {
        if value.is_none() {
            form.refuse(field, t.error.number);
        }
    }
    if form.has_faults() {
        return None;
    }
    Some(NewRecharge {
        threshold: NanoUsd(threshold?),
        currency: Currency::parse(form.value("currency")).unwrap_or(Currency::Usd),
        amount_minor: amount_minor?,
        month_most_minor: most?,
        person_id: &who.session.person_id,
        text: t.form.consent,
    })
}

fn refuse(form: &mut Form, visit: &Visit, (currency, error): (Currency, &RechargeError)) {
    let t = &visit.t().recharge.error;
    let written = |minor: i64| money(visit.numbers, (currency, minor));
    let (field, words) = match error {
        RechargeError::NoCard => ("card", t.no_card.to_owned()),
        RechargeError::NotOffered => ("currency", t.not_offered.to_owned()),
        RechargeError::Amount { least_minor, most_minor } => {
            ("amount", t.amount(written(*least_minor), written(*most_minor)))
        }
        RechargeError::Threshold => ("threshold", t.threshold.to_owned()),
        RechargeError::Month => ("most", t.month.to_owned()),
        RechargeError::Database(_) => ("amount", t.provider.to_owned()),
    };
    form.refuse(field, words);
}

async fn show(
    (visit, who): (&Visit, &SignedIn),
    payments: &Payments,
    row: Option<&RechargeRow>,
    faulty: Option<Form>,
) -> Response {
    let t = &visit.t().recharge.page;
    let titled = if faulty.is_some() { Titled::faulty(visit, t.title) } else { Titled::ok(t.title) };
    let above = vec![(visit.link("/console/wallet"), visit.t().wallet.page.title.to_owned())];
    let off = row.is_none_or(|row| !row.is_on).then_some(t.lead_off);
    let has_card = row.is_some_and(|row| row.payment_method_id.is_some());
    let summary = faulty.as_ref().map(|form| form.summary(visit.locale));
    let settings = has_card.then(|| settings((visit, who), payments, row, faulty));
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.title/>
            <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead} {visit.locale.gap()} {off}</p></div></div>
        </div>
        {summary}
        {standing(visit, row)}
        {card_part((visit, who), row)}
        {settings}
        {end_part((visit, who), row)}
    };
    shell::signed_in((visit, who), Section::Wallet, titled, content).await
}

/// How it stands.
fn standing(visit: &Visit, row: Option<&RechargeRow>) -> AnyView {
    let (t, why) = (&visit.t().recharge.page, &visit.t().recharge.why);
    let stopped = row.and_then(|row| row.off_reason.as_deref()).map(|reason| {
        let why = if reason == "authentication_required" { why.authentication } else { why.refused };
        view! { <Callout kind=CalloutKind::Warning><p>{t.stopped(why)}</p></Callout> }
    });
    let is_on = row.is_some_and(|row| row.is_on);
    let running = row.is_some_and(|row| row.order_id.is_some());
    let kind = if is_on { CalloutKind::Tip } else { CalloutKind::Note };
    let text = if is_on { t.on } else { t.off };
    let running = running.then(|| view! { <p>{t.running}</p> });
    let state = stopped.is_none().then(|| view! { <Callout kind=kind><p>{text}</p>{running}</Callout> });
    view! { {stopped} {state} }.into_any()
}

fn card_part((visit, who): (&Visit, &SignedIn), row: Option<&RechargeRow>) -> AnyView {
    let t = &visit.t().recharge.page;
    let card = row.and_then(|row| row.payment_method_id.as_ref().and(row.card.as_deref()));
    let label = card.map_or_else(|| t.no_card.to_owned(), card_words);
    let (kind, submit) = match card {
        Some(_) => (ButtonKind::Secondary, t.other_card),
        None => (ButtonKind::Primary, t.save_card),
    };
    view! {
        <section class="stack" id="card">
            <h2>{t.card}</h2>
            <p class="num">{label}</p>
            <form method="post" action=visit.link(&format!("{PATH}/card"))>
                <Hidden name="csrf" value=who.token.clone()/>
                <Button kind=kind>{submit}</Button>
                <p class="hint">{t.card_note}</p>
            </form>
        </section>
    }
    .into_any()
}

/// Turning it off, and letting the card go: what there is to take back stands last.
fn end_part((visit, who): (&Visit, &SignedIn), row: Option<&RechargeRow>) -> Option<AnyView> {
    let row = row.filter(|row| row.payment_method_id.is_some())?;
    let t = &visit.t().recharge.page;
    let (title, note, forget) = match row.is_on {
        true => (t.turn_off, t.turn_off_note, t.forget_card),
        false => (t.remove_card, t.remove_note, t.remove_card),
    };
    let turn_off = row.is_on.then(|| view! { <Button>{t.turn_off}</Button> });
    let view = view! {
        <div class="danger-zone">
            <div><h2>{title}</h2><p>{note}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/off"))>
                <Hidden name="csrf" value=who.token.clone()/>
                <p class="actions">
                    {turn_off}
                    <Button kind=ButtonKind::Danger name="forget" value="on">{forget}</Button>
                </p>
            </form>
        </div>
    };
    Some(view.into_any())
}

/// `visa 4242` as people know it.
fn card_words(label: &str) -> String {
    let (brand, last4) = label.rsplit_once(' ').unwrap_or(("", label));
    let mut letters = brand.chars();
    let brand = letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str()));
    format!("{} •••• {last4}", brand.unwrap_or_default()).trim_start().to_owned()
}

fn settings(
    (visit, who): (&Visit, &SignedIn),
    payments: &Payments,
    row: Option<&RechargeRow>,
    faulty: Option<Form>,
) -> AnyView {
    let (t, top_up) = (&visit.t().recharge.form, &visit.t().payments.form);
    let form = faulty.unwrap_or_else(|| filled(row));
    let is_on = row.is_some_and(|row| row.is_on);
    let name = |currency| if currency == Currency::Usd { top_up.usd } else { top_up.cny };
    let offers = payments.offer.currencies.iter();
    let options: Vec<SelectOption> =
        offers.map(|offer| SelectOption::new(offer.currency.code(), name(offer.currency))).collect();
    let consented = form.value("consent") == "on";
    let chosen = form.value("currency").to_owned();
    let submit = if is_on { t.change } else { t.submit };
    view! {
        <section class="stack">
            <h2>{t.title}</h2>
            <form method="post" action=visit.link(PATH) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="threshold" label=t.threshold kind=InputKind::Number value=form.value("threshold")
                    hint=t.threshold_hint nostrip:fault=form.fault("threshold") placeholder="$" autocomplete="off" max_length=16
                />
                <Select
                    id="currency" label=t.currency options=options selected=chosen nostrip:fault=form.fault("currency")
                />
                <Field
                    id="amount" label=t.amount kind=InputKind::Number value=form.value("amount")
                    nostrip:fault=form.fault("amount") autocomplete="off" max_length=16
                />
                <Field
                    id="most" label=t.most kind=InputKind::Number value=form.value("most") hint=t.most_hint
                    nostrip:fault=form.fault("most") autocomplete="off" max_length=16
                />
                <Checkbox id="consent" label=t.consent checked=consented nostrip:fault=form.fault("consent")/>
                <Button kind=ButtonKind::Primary>{submit}</Button>
            </form>
        </section>
    }
    .into_any()
}

fn filled(row: Option<&RechargeRow>) -> Form {
    let Some(row) = row.filter(|row| row.amount_minor > 0) else { return Form::default() };
    let plain = |minor: i64| amount::usd_field(minor.saturating_mul(NANO_PER_MINOR));
    Form::filled([
        ("threshold", amount::usd_field(row.threshold_nano)),
        ("amount", plain(row.amount_minor)),
        ("most", plain(row.month_most_minor)),
        ("currency", row.currency.clone()),
    ])
}

/// How it stands, in the wallet.
pub(super) async fn part(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
) -> Result<Option<AnyView>, Problem> {
    let Some(payments) = state.payments.as_ref().filter(|_| may_pay(who)) else { return Ok(None) };
    let t = &visit.t().recharge.part;
    let row = payments.recharge(who.member.org_id()).await?.filter(|row| row.is_on);
    let off = switched_off::remark(state, visit, Feature::Recharge);
    if off.is_some() && row.is_none() {
        return Ok(off);
    }
    let said = row.as_ref().and_then(|row| {
        let currency = Currency::parse(&row.currency)?;
        let written = |minor: i64| money(visit.numbers, (currency, minor));
        let (amount, most) = (written(row.amount_minor), written(row.month_most_minor));
        Some(t.on(amount, card_words(row.card.as_deref()?), most, visit.numbers.usd(row.threshold_nano)))
    });
    let link = if said.is_some() { t.change } else { t.link };
    let text = said.unwrap_or_else(|| t.off.to_owned());
    let view = view! {
        {off}
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{text}</p></div>
            <p><ButtonLink href=visit.link(PATH)>{link}</ButtonLink></p>
        </section>
    };
    Ok(Some(view.into_any()))
}
