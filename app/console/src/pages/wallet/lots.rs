//! Credit by where it came from, in the order in which it is used.
use super::about;
use crate::cny::Cny;
use crate::when::Moments;
use bytespike_ledger::Lot;
use bytespike_ui::Visit;
use bytespike_ui::components::TableFrame;
use leptos::prelude::*;

pub(super) fn table((visit, moments): (&Visit, &Moments), cny: Option<&Cny>, lots: &[Lot]) -> AnyView {
    let t = &visit.t().wallet.lots;
    if lots.is_empty() {
        return view! { <p class="soft">{t.empty}</p> }.into_any();
    }
    let rows: Vec<AnyView> = lots.iter().map(|lot| row((visit, moments), cny, lot)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.source}</th>
                    <th scope="col">{t.received}</th>
                    <th scope="col">{t.expires}</th>
                    <th scope="col" class="num">{t.was}</th>
                    <th scope="col" class="num">{t.held}</th>
                    <th scope="col" class="num">{t.left}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row((visit, moments): (&Visit, &Moments), cny: Option<&Cny>, lot: &Lot) -> AnyView {
    let t = &visit.t().wallet.lots;
    let never = || t.never.into_any();
    let source = if lot.kind == "principal" { t.paid } else { t.granted };
    view! {
        <tr>
            <th scope="row">{source}</th>
            <td data-label=t.received>{moments.exact(lot.created_at_ms)}</td>
            <td data-label=t.expires>{lot.expires_at_ms.map_or_else(never, |at_ms| moments.exact(at_ms))}</td>
            <td class="num" data-label=t.was>{visit.numbers.credits(lot.granted_nano)}</td>
            <td class="num" data-label=t.held>{visit.numbers.credits(lot.pinned_nano)}</td>
            <td class="num" data-label=t.left>{visit.numbers.credits(lot.remaining_nano)} {about(cny, lot.remaining_nano)}</td>
        </tr>
    }
    .into_any()
}
