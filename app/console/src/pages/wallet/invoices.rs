//! Invoices and credit notes: their list in the wallet, and the page of each, made to be printed. Everything on it but its words
//! is as it was when it was issued.
use super::billing::kind_words;
use super::top_up::{may_pay, money};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_payments::{BillingDetails, Cause, Invoice, PrintedSeller, TaxIdKind};
use bytespike_ui::components::{Breadcrumbs, ButtonLink, KeyValues, TableFrame};
use bytespike_ui::{Locale, Visit, format};
use leptos::prelude::*;

const LINES: u32 = 50;

/// `GET /console/wallet/invoices/{id}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let payments = state.payments.as_ref().ok_or(Problem::NotFound)?;
    if !may_pay(&who) {
        return Err(Problem::Forbidden);
    }
    let found = payments.invoice(who.member.org_id(), &id).await?;
    let invoice = found.ok_or(Problem::NotFound)?;
    let t = &visit.t().invoices.page;
    let title =
        if invoice.is_credit_note { t.credit_note(&invoice.number) } else { t.invoice(&invoice.number) };
    let above = vec![(visit.link("/console/wallet"), visit.t().wallet.page.title.to_owned())];
    let order = visit.link(&format!("/console/wallet/orders/{}", invoice.order_id));
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title.clone()/>
            <div class="page-head">
                <h1>{title.clone()}</h1>
                <p class="actions"><ButtonLink href=order>{t.order}</ButtonLink></p>
            </div>
        </div>
        <p class="hint screen-only" data-print=t.print_button>{t.print}</p>
        <article class="invoice stack">
            <div class="invoice-parties">
                <section><h2>{t.from}</h2>{seller(&invoice.content.seller)}</section>
                <section><h2>{t.to}</h2>{buyer(visit.locale, &invoice.content.buyer)}</section>
            </div>
            <KeyValues pairs=facts((&visit, &moments), &invoice)/>
            {lines(&visit, &invoice)}
            {closing(visit.locale, &invoice)}
        </article>
    };
    Ok(shell::signed_in((&visit, &who), Section::Wallet, Titled::ok(title), content).await)
}

/// Lines of an address block; empty ones are left out.
fn block(lines: Vec<String>) -> AnyView {
    let lines = lines.into_iter().filter(|line| !line.is_empty()).map(|line| view! { <span>{line}</span> });
    let lines: Vec<_> = lines.collect();
    view! { <p class="address">{lines}</p> }.into_any()
}

fn seller(seller: &PrintedSeller) -> AnyView {
    let mut lines = vec![seller.name.clone()];
    lines.extend(seller.address.clone());
    lines.extend(seller.tax_ids.clone());
    lines.push(seller.email.clone());
    block(lines)
}

fn buyer(locale: Locale, buyer: &BillingDetails) -> AnyView {
    let mut lines = vec![buyer.legal_name.clone()];
    lines.extend(buyer.address.lines().map(str::to_owned));
    lines.push(buyer.country.clone());
    let named = |kind| {
        if kind == TaxIdKind::Other { String::new() } else { format!("{} ", kind_words(locale, kind)) }
    };
    lines.extend(buyer.tax_ids.iter().map(|id| format!("{}{}", named(id.kind), id.value)));
    block(lines)
}

fn facts((visit, moments): (&Visit, &Moments), invoice: &Invoice) -> Vec<(String, AnyView)> {
    let (t, content) = (&visit.t().invoices.page, &invoice.content);
    let moved = match content.cause {
        Cause::Paid => t.paid,
        Cause::Disputed => t.disputed,
        Cause::GivenBack => t.given_back,
        Cause::CameAgain => t.came_again,
    };
    let plain = |text: String| view! { <span class="num">{text}</span> }.into_any();
    let mut facts = vec![
        (t.number, plain(invoice.number.clone())),
        (t.issued, plain(moments.date(invoice.issued_at_ms))),
        (moved, plain(moments.date(content.moved_at_ms))),
    ];
    facts.extend(content.about.clone().map(|about| (t.about, plain(about))));
    if let Some(rate) = &content.rate {
        let micro = rate.usd_cny_micro;
        let value = format!("{}.{:04}", micro / 1_000_000, micro % 1_000_000 / 100);
        let day = format::iso_date(visit.locale, &rate.day);
        facts.push((t.rate, plain(visit.t().payments.order.rate_value(day, value))));
    }
    let code = |text: &String| view! { <code>{text.clone()}</code> }.into_any();
    facts.push((t.order_number, code(&content.order_id)));
    facts.extend(content.payment_id.as_ref().map(|id| (t.payment, code(id))));
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn lines(visit: &Visit, invoice: &Invoice) -> AnyView {
    let (t, content) = (&visit.t().invoices.page, &invoice.content);
    let (credit, bonus, total) = match invoice.is_credit_note {
        true => (t.credit_back, t.bonus_back, t.total_back),
        false => (t.credit, t.bonus, t.total),
    };
    let sign = if invoice.is_credit_note { "−" } else { "" };
    let amount = format!("{sign}{}", money(visit.numbers, (invoice.currency, invoice.amount_minor)));
    let free = money(visit.numbers, (invoice.currency, 0));
    let mut rows = vec![line(
        visit,
        credit,
        (format!("{sign}{}", visit.numbers.credits(content.paid_nano)), amount.clone()),
    )];
    if content.bonus_nano > 0 {
        rows.push(line(visit, bonus, (format!("{sign}{}", visit.numbers.credits(content.bonus_nano)), free)));
    }
    let quantity = format!("{sign}{}", format::credits(content.paid_nano.saturating_add(content.bonus_nano)));
    let sum = view! {
        <tr class="total">
            <th scope="row">{total}</th>
            <td class="num" data-label=t.quantity>{quantity}</td>
            <td class="num" data-label=t.amount>{amount}</td>
        </tr>
    };
    rows.push(sum.into_any());
    view! {
        <TableFrame caption=t.what>
            <thead>
                <tr>
                    <th scope="col">{t.what}</th>
                    <th scope="col" class="num">{t.quantity}</th>
                    <th scope="col" class="num">{t.amount}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn line(visit: &Visit, what: &'static str, (quantity, amount): (String, String)) -> AnyView {
    let t = &visit.t().invoices.page;
    view! {
        <tr>
            <th scope="row">{what}</th>
            <td class="num" data-label=t.quantity>{quantity}</td>
            <td class="num" data-label=t.amount>{amount}</td>
        </tr>
    }
    .into_any()
}

fn closing(locale: Locale, invoice: &Invoice) -> AnyView {
    let (t, content) = (&locale.t().invoices.page, &invoice.content);
    let note = match locale {
        Locale::En => content.seller.note_en.clone(),
        Locale::Zh => content.seller.note_zh.clone(),
    };
    let is_chinese = content.buyer.country == "CN" || locale == Locale::Zh;
    let mut sentences = Vec::new();
    if !invoice.is_credit_note {
        sentences.push(t.settled.to_owned());
    }
    sentences.push(note);
    if is_chinese {
        sentences.push(t.not_fapiao.to_owned());
    }
    let sentences = sentences.into_iter().filter(|sentence| !sentence.is_empty());
    let sentences: Vec<_> = sentences.map(|sentence| view! { <p>{sentence}</p> }).collect();
    view! { <div class="soft">{sentences}</div> }.into_any()
}

/// The org's documents and the way to its billing details, for those who may pay.
pub(super) async fn list(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
) -> Result<Option<AnyView>, Problem> {
    let Some(payments) = state.payments.as_ref().filter(|_| may_pay(who)) else { return Ok(None) };
    let invoices = payments.invoices(who.member.org_id(), None, LINES).await?;
    let t = &visit.t().invoices.list;
    let has_seller = payments.seller.is_some();
    let href = visit.link("/console/wallet/billing");
    let table = (!invoices.is_empty()).then(|| table((visit, moments), &invoices));
    let view = view! {
        <section class="stack">
            <div>
                <h2>{t.title}</h2>
                <p class="soft">{if has_seller { t.lead } else { t.no_seller }}</p>
            </div>
            {table}
            <p class="hint">{t.details_lead}</p>
            <p class="actions"><ButtonLink href=href>{t.details}</ButtonLink></p>
        </section>
    };
    Ok(Some(view.into_any()))
}

/// Documents, one a line.
pub(super) fn table((visit, moments): (&Visit, &Moments), invoices: &[Invoice]) -> AnyView {
    let (t, kind) = (&visit.t().invoices.list, &visit.t().invoices.kind);
    let rows = invoices.iter().map(|invoice| {
        let href = visit.link(&format!("/console/wallet/invoices/{}", invoice.id));
        let sign = if invoice.is_credit_note { "−" } else { "" };
        view! {
            <tr>
                <th scope="row"><a href=href>{invoice.number.clone()}</a></th>
                <td data-label=t.kind>{if invoice.is_credit_note { kind.credit_note } else { kind.invoice }}</td>
                <td data-label=t.issued>{moments.date(invoice.issued_at_ms)}</td>
                <td class="num" data-label=t.amount>{format!("{sign}{}", money(visit.numbers, (invoice.currency, invoice.amount_minor)))}</td>
            </tr>
        }
    });
    let rows: Vec<_> = rows.collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.number}</th>
                    <th scope="col">{t.kind}</th>
                    <th scope="col">{t.issued}</th>
                    <th scope="col" class="num">{t.amount}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}
