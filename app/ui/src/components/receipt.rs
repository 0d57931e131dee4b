//! What a call cost, as an equation anyone can check: held = charged + returned.

use crate::Locale;
use leptos::prelude::*;

/// Amounts in credits, already formatted with three decimals.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub held: String,
    pub charged: String,
    pub returned: String,
    /// Whether something landed; decides the first words.
    pub is_delivered: bool,
    pub lines: Vec<ReceiptLine>,
}

/// One component of the charge.
#[derive(Clone, Debug)]
pub struct ReceiptLine {
    pub component: String,
    pub quantity: String,
    pub price: String,
    pub credits: String,
}

/// The equation alone; `money` says what the charge is in a currency.
#[component]
pub fn ReceiptEquation(
    locale: Locale,
    receipt: Receipt,
    #[prop(optional)] money: Option<String>,
) -> impl IntoView {
    let t = &locale.t().common.receipt;
    let landed = if receipt.is_delivered { t.delivered } else { t.nothing_landed };
    let class = if receipt.is_delivered { "equation landed" } else { "equation" };
    view! {
        <div class=class>
            <p class="equation-outcome">{landed}</p>
            <p class="equation-terms">
                <span class="term held"><span class="term-name">{t.held}</span><span class="num">{receipt.held}</span></span>
                <span class="operator">"="</span>
                <span class="term charged"><span class="term-name">{t.charged}</span><span class="num">{receipt.charged}</span></span>
                <span class="operator">"+"</span>
                <span class="term returned"><span class="term-name">{t.returned}</span><span class="num">{receipt.returned}</span></span>
                <span class="unit">{t.unit}</span>
            </p>
            {money.map(|money| view! { <p class="equation-money num">{money}</p> })}
        </div>
    }
}

/// The lines of a receipt as a table: quantity × price = credits.
#[component]
pub fn ReceiptLines(locale: Locale, lines: Vec<ReceiptLine>) -> impl IntoView {
    let t = &locale.t().common.receipt;
    let rows = lines.into_iter().map(|line| {
        view! {
            <tr>
                <th scope="row">{line.component}</th>
                <td class="num" data-label=t.quantity>{line.quantity}</td>
                <td class="num" data-label=t.price>{line.price}</td>
                <td class="num" data-label=t.credits>{line.credits}</td>
            </tr>
        }
    });
    view! {
        <crate::components::TableFrame caption=t.lines>
            <thead>
                <tr>
                    <th scope="col">{t.component}</th>
                    <th scope="col" class="num">{t.quantity}</th>
                    <th scope="col" class="num">{t.price}</th>
                    <th scope="col" class="num">{t.credits}</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </crate::components::TableFrame>
    }
}
