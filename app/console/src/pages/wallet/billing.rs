//! Who the organisation is on its invoices.
use super::top_up::may_pay;
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::email::EmailAddress;
use bytespike_accounts::names;
use bytespike_payments::{BillingDetails, Payments, TaxId, TaxIdError, TaxIdKind, is_country};
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, Field, Hidden, InputKind, Select, SelectOption, TextArea,
};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;
use serde_json::json;

const MOST_NAME_CHARS: usize = 160;
const MOST_LINES: usize = 6;
const MOST_LINE_CHARS: usize = 120;
/// The fields of each tax number: its kind and itself.
const TAX_FIELDS: [(&str, &str); 2] = [("tax_kind", "tax_number"), ("tax_second_kind", "tax_second_number")];

/// `GET /console/wallet/billing`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let payments = allowed(&state, &who)?;
    let details = payments.billing_details(who.member.org_id()).await?;
    Ok(show((&visit, &who), filled(&details)).await)
}

/// `POST /console/wallet/billing`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let payments = allowed(&state, &who)?;
    let details = read(&mut form, visit.locale);
    if form.has_faults() {
        return Ok(show((&visit, &who), form).await);
    }
    let event = who.member.did("org.billing_changed").changed(json!(null), json!(null));
    let entry = state.accounts.audit.entry(&who.origin, event);
    payments.save_billing_details(who.member.org_id(), &details, &entry).await?;
    Ok(see_other(&flash::with(&visit.link("/console/wallet"), Notice::BillingSaved)))
}

fn allowed<'a>(state: &'a ConsoleState, who: &SignedIn) -> Result<&'a Payments, Problem> {
    if !may_pay(who) {
        return Err(Problem::Forbidden);
    }
    state.payments.as_ref().ok_or(Problem::NotFound)
}

/// What was typed, as it would be printed; what is wrong with it is noted in the form.
fn read(form: &mut Form, locale: Locale) -> BillingDetails {
    let t = &locale.t().invoices.error;
    let legal_name = names::visible(form.value("legal_name"));
    if legal_name.chars().count() > MOST_NAME_CHARS {
        form.refuse("legal_name", t.long(MOST_NAME_CHARS));
    }
    let lines: Vec<String> =
        form.value("address").lines().map(names::visible).filter(|line| !line.is_empty()).collect();
    if lines.len() > MOST_LINES {
        form.refuse("address", t.lines);
    } else if lines.iter().any(|line| line.chars().count() > MOST_LINE_CHARS) {
        form.refuse("address", t.long(MOST_LINE_CHARS));
    }
    let country = form.value("country").trim().to_ascii_uppercase();
    if !country.is_empty() && !is_country(&country) {
        form.refuse("country", t.country);
    }
    let email = form.value("email").trim().to_owned();
    if !email.is_empty() && EmailAddress::parse(&email).is_err() {
        form.refuse("email", t.email);
    }
    BillingDetails {
        legal_name,
        address: lines.join("\n"),
        country,
        tax_ids: TAX_FIELDS.iter().filter_map(|fields| tax_id(form, locale, *fields)).collect(),
        email,
        language: locale.code().to_owned(),
    }
}

fn tax_id(form: &mut Form, locale: Locale, (kind, number): (&str, &str)) -> Option<TaxId> {
    let t = &locale.t().invoices.error;
    let typed = form.value(number).trim().to_owned();
    if typed.is_empty() {
        return None;
    }
    let Some(wanted) = TaxIdKind::parse(form.value(kind)) else {
        form.refuse(kind, t.tax_kind);
        return None;
    };
    match TaxId::parse(wanted, &typed) {
        Ok(id) => Some(id),
        Err(error) => {
            let words = if error == TaxIdError::Check { t.tax_check } else { t.tax_form };
            form.refuse(number, words);
            None
        }
    }
}

fn filled(details: &BillingDetails) -> Form {
    let plain = [
        ("legal_name", &details.legal_name),
        ("address", &details.address),
        ("country", &details.country),
        ("email", &details.email),
    ];
    let plain = plain.into_iter().map(|(name, value)| (name, value.clone()));
    let ids = details.tax_ids.iter().zip(TAX_FIELDS);
    let ids =
        ids.flat_map(|(id, (kind, number))| [(kind, id.kind.code().to_owned()), (number, id.value.clone())]);
    Form::filled(plain.chain(ids))
}

/// The kind's name in the reader's language.
pub(super) fn kind_words(locale: Locale, kind: TaxIdKind) -> &'static str {
    let t = &locale.t().invoices.details;
    match kind {
        TaxIdKind::EuVat => t.eu_vat,
        TaxIdKind::GbVat => t.gb_vat,
        TaxIdKind::UsEin => t.us_ein,
        TaxIdKind::CnUscc => t.cn_uscc,
        TaxIdKind::Other => t.other,
    }
}

async fn show((visit, who): (&Visit, &SignedIn), form: Form) -> Response {
    let t = &visit.t().invoices.details;
    let titled = if form.has_faults() { Titled::faulty(visit, t.title) } else { Titled::ok(t.title) };
    let above = vec![(visit.link("/console/wallet"), visit.t().wallet.page.title.to_owned())];
    let field = |name: &'static str| (form.value(name).to_owned(), form.fault(name));
    let (legal_name, address, country, email) =
        (field("legal_name"), field("address"), field("country"), field("email"));
    let labels = [(t.tax_kind, t.tax_number), (t.tax_second_kind, t.tax_second_number)];
    let numbers = TAX_FIELDS
        .iter()
        .zip(labels)
        .map(|(fields, labels)| tax_fields(visit.locale, &form, *fields, labels));
    let numbers: Vec<AnyView> = numbers.collect();
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.title/>
            <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/wallet/billing") class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="legal_name" label=t.legal_name value=legal_name.0 hint=t.legal_name_hint nostrip:fault=legal_name.1
                autocomplete="organization" max_length=160
            />
            <TextArea id="address" label=t.address value=address.0 hint=t.address_hint nostrip:fault=address.1 rows=4/>
            <Field
                id="country" label=t.country value=country.0 hint=t.country_hint nostrip:fault=country.1
                autocomplete="country" max_length=2
            />
            {numbers}
            <Field
                id="email" label=t.email kind=InputKind::Email value=email.0 hint=t.email_hint nostrip:fault=email.1
                autocomplete="email" max_length=254
            />
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
    };
    shell::signed_in((visit, who), Section::Wallet, titled, content).await
}

fn tax_fields(
    locale: Locale,
    form: &Form,
    (kind, number): (&'static str, &'static str),
    labels: (&'static str, &'static str),
) -> AnyView {
    let t = &locale.t().invoices.details;
    let mut options = vec![SelectOption::new("", t.none)];
    options.extend(TaxIdKind::ALL.map(|kind| SelectOption::new(kind.code(), kind_words(locale, kind))));
    let chosen = form.value(kind).to_owned();
    view! {
        <Select id=kind label=labels.0 options=options selected=chosen nostrip:fault=form.fault(kind)/>
        <Field
            id=number label=labels.1 value=form.value(number) hint=t.tax_number_hint nostrip:fault=form.fault(number)
            autocomplete="off" max_length=40
        />
    }
    .into_any()
}
