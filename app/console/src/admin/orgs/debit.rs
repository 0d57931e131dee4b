//! Taking credit out of an organisation's wallet: of one kind, all of it or nothing, with a reason that it reads.
use super::PATH;
use super::detail::{Faulty, done, hand, show, why};
use crate::admin::act::Act;
use crate::admin::credits;
use crate::admin::notice::{self, Did};
use crate::admin::who::Operator;
use crate::forms::{Form, amount};
use crate::problem::Problem;
use crate::shell::see_other;
use axum::response::Response;
use bytespike_catalog::NanoUsd;
use bytespike_gateway::operations::{Deed, Moved, MovedCredit};
use bytespike_ledger::{BookingError, CreditKind, Credited, FreeCredit};
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind, Select, SelectOption};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

/// `POST /admin/orgs/{id}/debit`
pub(in crate::admin) async fn debit(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, id } = act;
    let _ = state.ledger.org(&id).await?.ok_or(Problem::NotFound)?;
    let t = &visit.t().operating.debit;
    let why = why(&visit, &mut form, "debit_reason");
    let amount = amount::parse_usd(form.value("debit_amount")).ok().flatten();
    if amount.is_none() {
        form.refuse("debit_amount", visit.t().admin.org.amount_fault);
    }
    let (Some(why), Some(amount)) = (why, amount) else {
        let faulty = Faulty { debit: Some(form), ..Faulty::default() };
        return show(&state, (&visit, &operator), &id, faulty).await;
    };
    let kind = if form.value("debit_kind") == "top_up" { CreditKind::TopUp } else { CreditKind::Grant };
    let moved = MovedCredit {
        org_id: id.clone(),
        amount: NanoUsd(amount),
        deed: Deed::Take(kind),
        once: form.value("debit_once").to_owned(),
        expires_at_ms: None,
    };
    match state.operations().move_credit(hand(&operator), moved, &why).await {
        Ok(Moved::Booked(Credited::Booked { .. })) => return Ok(done(&visit, &id, Did::DebitBooked)),
        Ok(Moved::Booked(Credited::Already { .. }) | Moved::Decided(_)) => {
            return Ok(done(&visit, &id, Did::DebitBookedBefore));
        }
        Ok(Moved::Waits(_)) => {
            return Ok(see_other(&notice::with(&visit.link(credits::PATH), Did::DebitWaits)));
        }
        Err(BookingError::NotEnough { free }) => {
            form.refuse("debit_amount", t.not_enough(format::usd(free.0)));
        }
        Err(BookingError::IdempotencyMismatch) => form.refuse("debit_amount", t.sent_before),
        Err(BookingError::NoWallet) => return Err(Problem::NotFound),
        Err(error) => return Err(error.into()),
    }
    show(&state, (&visit, &operator), &id, Faulty { debit: Some(form), ..Faulty::default() }).await
}

pub(super) fn part(
    (visit, operator): (&Visit, &Operator),
    org_id: &str,
    (faulty, once): (Option<Form>, String),
    (free, alone_nano): (FreeCredit, Option<i64>),
) -> AnyView {
    let (t, org) = (&visit.t().operating.debit, &visit.t().admin.org);
    let free = t.free(format::usd(free.given.0), format::usd(free.paid.0));
    let second = alone_nano.map(|nano| t.above(format::usd(nano)));
    let form = faulty.unwrap_or_else(|| Form::filled([("debit_kind", "grant".to_owned())]));
    let kinds = vec![SelectOption::new("grant", t.grant), SelectOption::new("top_up", t.top_up)];
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead} {visit.locale.gap()} {free} {visit.locale.gap()} {second}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/{org_id}/debit")) class="sheet">
                <Hidden name="csrf" value=operator.token.clone()/>
                <Hidden name="debit_once" value=once/>
                <Field
                    id="debit_amount" label=t.amount kind=InputKind::Number value=form.value("debit_amount")
                    nostrip:fault=form.fault("debit_amount") autocomplete="off"
                />
                <Select
                    id="debit_kind" label=t.from options=kinds selected=form.value("debit_kind").to_owned()
                />
                <Field
                    id="debit_reason" label=org.reason hint=org.reason_hint.to_owned()
                    value=form.value("debit_reason") nostrip:fault=form.fault("debit_reason") max_length=500
                    autocomplete="off"
                />
                <Button kind=ButtonKind::Danger>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}
