//! One organisation: its wallet, who belongs to it, and what an operator can do about its money, each with a reason.
use super::{PATH, debit};
use crate::admin::act::Act;
use crate::admin::credits;
use crate::admin::notice::{self, Did};
use crate::admin::shell::{self, Part};
use crate::admin::who::Operator;
use crate::forms::{Form, amount};
use crate::pages::members::words;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::audit::Actor;
use bytespike_accounts::role::Role;
use bytespike_catalog::NanoUsd;
use bytespike_gateway::operations::{Deed, Hand, Moved, MovedCredit, Why};
use bytespike_ledger::{BookingError, CreditKind, Credited, OrgRow};
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, Field, Hidden, InputKind, KeyValues, Select, SelectOption, TableFrame,
};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

/// The forms of the page that came back with faults.
#[derive(Default)]
pub(super) struct Faulty {
    pub credit: Option<Form>,
    pub debit: Option<Form>,
    pub freeze: Option<Form>,
}

/// `GET /admin/orgs/{id}`
pub(in crate::admin) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    show(&state, (&visit, &operator), &id, Faulty::default()).await
}

/// `POST /admin/orgs/{id}/credit`
pub(in crate::admin) async fn credit(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, id } = act;
    let _ = state.ledger.org(&id).await?.ok_or(Problem::NotFound)?;
    let why = why(&visit, &mut form, "reason");
    let t = &visit.t().admin.org;
    let amount = match amount::parse_usd(form.value("amount")) {
        Ok(Some(nano)) => Some(NanoUsd(nano)),
        Ok(None) | Err(_) => {
            form.refuse("amount", t.amount_fault);
            None
        }
    };
    let (Some(why), Some(amount)) = (why, amount) else {
        let faulty = Faulty { credit: Some(form), ..Faulty::default() };
        return show(&state, (&visit, &operator), &id, faulty).await;
    };
    let kind = if form.value("kind") == "top_up" { CreditKind::TopUp } else { CreditKind::Grant };
    let moved = MovedCredit {
        org_id: id.clone(),
        amount,
        deed: Deed::Give(kind),
        once: form.value("once").to_owned(),
        expires_at_ms: None,
    };
    match state.operations().move_credit(hand(&operator), moved, &why).await {
        Ok(Moved::Booked(Credited::Booked { .. })) => Ok(done(&visit, &id, Did::CreditBooked)),
        Ok(Moved::Booked(Credited::Already { .. }) | Moved::Decided(_)) => {
            Ok(done(&visit, &id, Did::CreditBookedBefore))
        }
        Ok(Moved::Waits(_)) => Ok(see_other(&notice::with(&visit.link(credits::PATH), Did::CreditWaits))),
        Err(BookingError::IdempotencyMismatch) => {
            form.refuse("amount", t.sent_before);
            let faulty = Faulty { credit: Some(form), ..Faulty::default() };
            show(&state, (&visit, &operator), &id, faulty).await
        }
        Err(BookingError::NoWallet) => Err(Problem::NotFound),
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/orgs/{id}/freeze`
pub(in crate::admin) async fn freeze(act: Act) -> Result<Response, Problem> {
    set_frozen(act, true).await
}

/// `POST /admin/orgs/{id}/unfreeze`
pub(in crate::admin) async fn unfreeze(act: Act) -> Result<Response, Problem> {
    set_frozen(act, false).await
}

async fn set_frozen(act: Act, frozen: bool) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, id } = act;
    let Some(why) = why(&visit, &mut form, "why") else {
        let faulty = Faulty { freeze: Some(form), ..Faulty::default() };
        return show(&state, (&visit, &operator), &id, faulty).await;
    };
    match state.operations().set_frozen(hand(&operator), (&id, frozen), &why).await {
        Ok(()) => Ok(done(&visit, &id, if frozen { Did::WalletFrozen } else { Did::WalletUnfrozen })),
        Err(BookingError::NoWallet) => Err(Problem::NotFound),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn done(visit: &Visit, id: &str, did: Did) -> Response {
    see_other(&notice::with(&visit.link(&format!("{PATH}/{id}")), did))
}

pub(super) fn hand(operator: &Operator) -> Hand<'_> {
    Hand { actor: Actor::Operator(&operator.row().id), origin: &operator.origin }
}

pub(super) fn why(visit: &Visit, form: &mut Form, field: &str) -> Option<Why> {
    let why = Why::parse(form.value(field));
    if why.is_none() {
        form.refuse(field, visit.t().admin.org.reason_fault);
    }
    why
}

pub(super) async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    id: &str,
    faulty: Faulty,
) -> Result<Response, Problem> {
    let org = state.ledger.org(id).await?.ok_or(Problem::NotFound)?;
    let people = state.accounts.people.of_org(id).await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let free = state.ledger.free_credit(id).await?.unwrap_or_default();
    let wrong = [&faulty.credit, &faulty.debit, &faulty.freeze].into_iter().flatten().next().cloned();
    let titled =
        if wrong.is_some() { Titled::faulty(visit, &org.name) } else { Titled::ok(org.name.as_str()) };
    let above = vec![(visit.link(PATH), visit.t().admin.orgs.title.to_owned())];
    let (once, debit_once) = (state.world.id("form"), state.world.id("form"));
    let alone_nano = state.accounts.waiting_credits.above_nano();
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=org.name.clone()/>
            <div class="page-head"><h1>{org.name.clone()}</h1></div>
        </div>
        {wrong.map(|form| form.summary(visit.locale))}
        {facts(visit, &org, &moments)}
        {members(visit, &people)}
        {credit_part((visit, operator), &org, (faulty.credit, once), alone_nano)}
        {debit::part((visit, operator), &org.id, (faulty.debit, debit_once), (free, alone_nano))}
        {freeze_part((visit, operator), &org, faulty.freeze)}
    };
    Ok(shell::page((visit, operator), Part::Orgs, titled, content).await)
}

fn facts(visit: &Visit, org: &OrgRow, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.org;
    let text = |text: String| text.into_any();
    let money = |nano: i64| view! { <span class="num">{format::usd(nano)}</span> }.into_any();
    let owed = (org.owed_nano > 0).then(|| (t.owed.to_owned(), money(org.owed_nano)));
    let log = format!("{}?org={}", visit.link("/admin/audit"), org.id);
    let pairs = [
        (t.id.to_owned(), view! { <code>{org.id.clone()}</code> }.into_any()),
        (t.balance.to_owned(), money(org.posted_nano - org.held_nano)),
        (t.held.to_owned(), money(org.held_nano)),
    ];
    let rest = [
        (t.wallet.to_owned(), text(if org.frozen { t.frozen } else { t.open }.to_owned())),
        (t.keys.to_owned(), view! { <span class="num">{org.keys}</span> }.into_any()),
        (t.created.to_owned(), text(moments.date(org.created_at_ms))),
        (t.log.to_owned(), view! { <a href=log>{t.log_link}</a> }.into_any()),
    ];
    let pairs: Vec<(String, AnyView)> = pairs.into_iter().chain(owed).chain(rest).collect();
    view! { <KeyValues pairs=pairs/> }.into_any()
}

fn members(visit: &Visit, people: &[(String, String, String)]) -> AnyView {
    let t = &visit.t().admin.org;
    let rows: Vec<AnyView> = people
        .iter()
        .map(|(id, email, role)| {
            let href = visit.link(&format!("/admin/users/{id}"));
            let role =
                Role::parse(role).map_or(role.clone(), |role| words::role(visit.locale, role).to_owned());
            view! { <tr><th scope="row"><a href=href>{email.clone()}</a></th><td data-label=t.role>{role}</td></tr> }
                .into_any()
        })
        .collect();
    view! {
        <section class="stack">
            <h2>{t.people}</h2>
            <TableFrame caption=t.people>
                <thead><tr><th scope="col">{t.person}</th><th scope="col">{t.role}</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    }
    .into_any()
}

fn credit_part(
    (visit, operator): (&Visit, &Operator),
    org: &OrgRow,
    (faulty, once): (Option<Form>, String),
    alone_nano: Option<i64>,
) -> AnyView {
    let t = &visit.t().admin.org;
    let second = alone_nano.map(|nano| visit.t().operating.credits.above(format::usd(nano)));
    let form = faulty.unwrap_or_else(|| Form::filled([("kind", "grant".to_owned())]));
    let kinds = vec![SelectOption::new("grant", t.grant), SelectOption::new("top_up", t.top_up)];
    view! {
        <section class="stack">
            <div><h2>{t.credit}</h2><p class="soft">{t.credit_lead} {visit.locale.gap()} {second}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/{}/credit", org.id)) class="sheet">
                <Hidden name="csrf" value=operator.token.clone()/>
                <Hidden name="once" value=once/>
                <Field
                    id="amount" label=t.amount kind=InputKind::Number value=form.value("amount")
                    nostrip:fault=form.fault("amount") autocomplete="off"
                />
                <Select id="kind" label=t.kind options=kinds selected=form.value("kind").to_owned()/>
                <Field
                    id="reason" label=t.reason hint=t.reason_hint.to_owned() value=form.value("reason")
                    nostrip:fault=form.fault("reason") max_length=500 autocomplete="off"
                />
                <Button kind=ButtonKind::Primary>{t.credit_submit}</Button>
            </form>
        </section>
    }
    .into_any()
}

fn freeze_part((visit, operator): (&Visit, &Operator), org: &OrgRow, faulty: Option<Form>) -> AnyView {
    let t = &visit.t().admin.org;
    let form = faulty.unwrap_or_default();
    let (title, lead, submit, verb, kind) = if org.frozen {
        (t.unfreeze, t.unfreeze_lead, t.unfreeze_submit, "unfreeze", ButtonKind::Secondary)
    } else {
        (t.freeze, t.freeze_lead, t.freeze_submit, "freeze", ButtonKind::Danger)
    };
    view! {
        <section class="stack">
            <div><h2>{title}</h2><p class="soft">{lead}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/{}/{verb}", org.id)) class="sheet">
                <Hidden name="csrf" value=operator.token.clone()/>
                <Field
                    id="why" label=t.reason value=form.value("why") nostrip:fault=form.fault("why")
                    max_length=500 autocomplete="off"
                />
                <Button kind=kind>{submit}</Button>
            </form>
        </section>
    }
    .into_any()
}
