//! The example receipt. Its numbers are computed from the quantities below, so that the sum is right by construction.

use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Receipt, ReceiptEquation};
use bytespike_ui::format;
use leptos::prelude::*;

const MODEL: &str = "claude-sonnet-5-5";
/// Credits per token, which is USD per 1M tokens.
const INPUT_PRICE: i64 = 2;
const OUTPUT_PRICE: i64 = 10;
const INPUT_TOKENS: i64 = 612;
const OUTPUT_TOKENS: i64 = 43;
/// What the hold assumed: a careful estimate of the input, and the whole output limit.
const HELD_INPUT_TOKENS: i64 = 706;
const MAX_OUTPUT_TOKENS: i64 = 1_500;
const NANO_PER_CREDIT: i64 = 1_000;

pub(super) fn receipt(visit: &Visit) -> AnyView {
    let t = &visit.t().home.example;
    view! {
        <figure class="paper" aria-label=t.label>
            <div class="paper-head">
                <p class="paper-title"><span translate="no" class="id">{MODEL}</span></p>
                <Badge kind=BadgeKind::Plain label=t.label/>
            </div>
            <ol class="attempts">
                {attempt(t.first, t.overloaded, amount(0), "failed")}
                {attempt(t.second, t.landed, amount(charged()), "landed")}
            </ol>
            <table class="paper-lines">
                <caption class="visually-hidden">{visit.t().common.receipt.lines}</caption>
                <tbody>
                    {line(t.input, INPUT_TOKENS, INPUT_PRICE)}
                    {line(t.output, OUTPUT_TOKENS, OUTPUT_PRICE)}
                </tbody>
            </table>
            <ReceiptEquation locale=visit.locale receipt=equation()/>
            <figcaption>{t.caption(format::count(MAX_OUTPUT_TOKENS.unsigned_abs()))}</figcaption>
        </figure>
    }
    .into_any()
}

fn attempt(name: &'static str, what: &'static str, amount: String, class: &'static str) -> AnyView {
    view! {
        <li class=class>
            <span class="attempt-dot" aria-hidden="true"></span>
            <span class="attempt-name">{name}</span>
            <span class="attempt-what">{what}</span>
            <span class="num">{amount}</span>
        </li>
    }
    .into_any()
}

fn line(component: &'static str, tokens: i64, price: i64) -> AnyView {
    let sum = format!("{tokens} × {price}.00");
    view! {
        <tr>
            <th scope="row">{component}</th>
            <td class="num">{sum}</td>
            <td class="num">{amount(tokens * price)}</td>
        </tr>
    }
    .into_any()
}

fn equation() -> Receipt {
    Receipt {
        held: amount(held()),
        charged: amount(charged()),
        returned: amount(held() - charged()),
        is_delivered: true,
        lines: Vec::new(),
    }
}

const fn held() -> i64 {
    HELD_INPUT_TOKENS * INPUT_PRICE + MAX_OUTPUT_TOKENS * OUTPUT_PRICE
}

const fn charged() -> i64 {
    INPUT_TOKENS * INPUT_PRICE + OUTPUT_TOKENS * OUTPUT_PRICE
}

fn amount(credits: i64) -> String {
    format::credits(credits * NANO_PER_CREDIT)
}
