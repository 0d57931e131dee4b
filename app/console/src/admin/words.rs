//! What an event of operators says, in the reader's language.
use bytespike_ui::Locale;

pub(super) fn event(locale: Locale, name: &str) -> Option<&'static str> {
    let t = &locale.t().admin.event;
    Some(match name {
        "operator.created" => t.operator_created,
        "operator.reset" => t.operator_reset,
        "operator.signed_in" => t.operator_signed_in,
        "operator.signed_out" => t.operator_signed_out,
        "operator.sign_in_failed" => t.operator_sign_in_failed,
        "operator.confirmed" => t.operator_confirmed,
        "operator.sessions_ended" => t.operator_sessions_ended,
        "wallet.frozen" => t.wallet_frozen,
        "wallet.unfrozen" => t.wallet_unfrozen,
        "wallet.credited" => t.wallet_credited,
        "reservation.released" => t.reservation_released,
        "person.disabled" => t.person_disabled,
        "person.let_in" => t.person_let_in,
        "person.sessions_ended" => t.person_sessions_ended,
        "person.reset_sent" => t.person_reset_sent,
        "channel.put" => t.channel_put,
        "channel.enabled" => t.channel_enabled,
        "channel.disabled" => t.channel_disabled,
        "channel.removed" => t.channel_removed,
        "channel.costs_set" => t.channel_costs_set,
        "channel.tested" => t.channel_tested,
        "price.drafted" => t.price_drafted,
        "price.own_dropped" => t.price_own_dropped,
        "price.draft_discarded" => t.price_draft_discarded,
        "prices.published" => t.prices_published,
        _ => return None,
    })
}
