//! The form of a batch: how many codes, what each is worth and how often it can be redeemed, and until when.
use super::PATH;
use crate::admin::who::Operator;
use crate::forms::{Form, amount};
use bytespike_accounts::vouchers::{MOST_CODES, NewBatch, NewVoucher, VoucherError};
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use bytespike_ui::{Locale, Visit, format};
use leptos::prelude::*;

const DAY_MS: i64 = 86_400_000;
const MOST_DAYS: i64 = 3_650;

/// What was typed, read.
pub(super) struct Wanted {
    amount_nano: i64,
    codes: i64,
    uses: i64,
    per_org: i64,
    expires_at_ms: Option<i64>,
    credit_lasts_ms: Option<i64>,
    note: String,
}

impl Wanted {
    pub fn borrowed(&self) -> NewBatch<'_> {
        let each = NewVoucher {
            amount_nano: self.amount_nano,
            uses: self.uses,
            expires_at_ms: self.expires_at_ms,
            credit_lasts_ms: self.credit_lasts_ms,
            note: &self.note,
        };
        NewBatch { each, codes: self.codes, per_org: self.per_org }
    }
}

pub(super) fn blank() -> Form {
    let one = || "1".to_owned();
    Form::filled([("codes", "10".to_owned()), ("uses", one()), ("per_org", one())])
}

/// What was typed; nothing, with a fault beside its field, when a number cannot be read.
pub(super) fn read(form: &mut Form, locale: Locale, now_ms: i64) -> Option<Wanted> {
    let t = &locale.t().operating.voucher_form;
    let amount_nano = match amount::parse_usd(form.value("amount")) {
        Ok(Some(nano)) => nano,
        Ok(None) | Err(_) => {
            form.refuse("amount", t.amount_fault);
            0
        }
    };
    let mut number = |field: &'static str, may_be_empty: bool, most: i64| {
        let typed = form.value(field).trim().to_owned();
        let read = typed.parse().ok().filter(|number| (1..=most).contains(number));
        if read.is_none() && !(may_be_empty && typed.is_empty()) {
            form.refuse(field, t.number_fault(most));
        }
        read
    };
    let codes = number("codes", false, MOST_CODES);
    let uses = number("uses", false, 1_000_000);
    let per_org = number("per_org", false, MOST_CODES);
    let days = number("days", true, MOST_DAYS);
    let credit_days = number("credit_days", true, MOST_DAYS);
    if form.has_faults() {
        return None;
    }
    Some(Wanted {
        amount_nano,
        codes: codes?,
        uses: uses?,
        per_org: per_org?,
        expires_at_ms: days.map(|days| now_ms + days * DAY_MS),
        credit_lasts_ms: credit_days.map(|days| days * DAY_MS),
        note: form.value("note").to_owned(),
    })
}

pub(super) fn refuse(form: &mut Form, locale: Locale, error: &VoucherError) {
    let t = &locale.t().operating.voucher_form;
    match error {
        VoucherError::Amount => form.refuse("amount", t.amount_fault),
        VoucherError::Uses => form.refuse("uses", t.number_fault(1_000_000)),
        VoucherError::Codes => form.refuse("codes", t.number_fault(MOST_CODES)),
        VoucherError::PerOrg => form.refuse("per_org", t.per_org_fault),
        VoucherError::Past => form.refuse("days", t.number_fault(MOST_DAYS)),
        VoucherError::Note | VoucherError::Unavailable(_) => form.refuse("note", t.note_fault),
    }
}

pub(super) fn part((visit, operator): (&Visit, &Operator), form: &Form, alone_nano: Option<i64>) -> AnyView {
    let t = &visit.t().operating.voucher_form;
    let alone = alone_nano.map(|nano| t.alone(format::usd(nano)));
    let field = |id: &'static str, label: &'static str, hint: &'static str| {
        view! {
            <Field
                id=id label=label hint=hint.to_owned() kind=InputKind::Number value=form.value(id)
                nostrip:fault=form.fault(id) autocomplete="off"
            />
        }
        .into_any()
    };
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead} {visit.locale.gap()} {alone}</p></div>
            <form method="post" action=visit.link(&format!("{PATH}/new")) class="sheet">
                <Hidden name="csrf" value=operator.token.clone()/>
                <Field
                    id="note" label=t.note hint=t.note_hint.to_owned() value=form.value("note")
                    nostrip:fault=form.fault("note") max_length=200 autocomplete="off"
                />
                {field("amount", t.amount, t.amount_hint)}
                {field("codes", t.codes, t.codes_hint)}
                {field("uses", t.uses, t.uses_hint)}
                {field("per_org", t.per_org, t.per_org_hint)}
                {field("days", t.days, t.days_hint)}
                {field("credit_days", t.credit_days, t.credit_days_hint)}
                <Button kind=ButtonKind::Primary>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}
