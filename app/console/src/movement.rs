//! What a movement of money is called, in the reader's language: for the journal in the wallet and for statements.
use crate::model_test::TEST_NOTE;
use crate::trial::TRIAL_NOTE;
use crate::voucher::VOUCHER_NOTE;
use bytespike_ui::Visit;
use leptos::prelude::*;

/// Its name, and behind it what was noted, where that says more. `kind` as in the journal.
pub(crate) fn described(visit: &Visit, kind: &str, note: Option<&str>) -> AnyView {
    let t = &visit.t().wallet.line;
    let note = note.unwrap_or_default();
    let voucher = note.strip_prefix(VOUCHER_NOTE).filter(|_| kind == "grant");
    let (name, more) = match (kind, note) {
        ("grant", TRIAL_NOTE) => (t.trial, ""),
        ("grant", TEST_NOTE) => (t.model_test, ""),
        ("grant", _) if voucher.is_some() => (visit.t().vouchers.line.voucher, voucher.unwrap_or_default()),
        ("grant", _) => (t.grant, note),
        ("top_up", _) => (t.top_up, note),
        ("breakage", _) => (t.breakage, note),
        ("withdrawal", _) => (t.withdrawal, note),
        ("debit", _) => (t.debit, note),
        _ => (t.charge, note),
    };
    let more = Some(more.to_owned()).filter(|more| !more.is_empty());
    view! { <span>{name} {more.map(|more| view! { <span class="note">{more}</span> })}</span> }.into_any()
}
