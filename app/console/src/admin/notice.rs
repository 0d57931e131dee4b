//! The one-time notice after an operator's form: a code from a closed set in the address, as in the console.
use crate::query::Query;
use bytespike_ui::components::{Flash, FlashKind};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// What an operator just did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Did {
    CreditBooked,
    CreditBookedBefore,
    WalletFrozen,
    WalletUnfrozen,
    PersonSuspended,
    PersonLetIn,
    SessionsEnded,
    ResetSent,
    ResetNotSent,
    ChannelSaved,
    ChannelOn,
    ChannelOff,
    ChannelRemoved,
    PriceKept,
    PriceDropped,
    DraftDiscarded,
    Published,
}

impl Did {
    const ALL: [Self; 17] = [
        Self::CreditBooked,
        Self::CreditBookedBefore,
        Self::WalletFrozen,
        Self::WalletUnfrozen,
        Self::PersonSuspended,
        Self::PersonLetIn,
        Self::SessionsEnded,
        Self::ResetSent,
        Self::ResetNotSent,
        Self::ChannelSaved,
        Self::ChannelOn,
        Self::ChannelOff,
        Self::ChannelRemoved,
        Self::PriceKept,
        Self::PriceDropped,
        Self::DraftDiscarded,
        Self::Published,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::CreditBooked => "credit-booked",
            Self::CreditBookedBefore => "credit-booked-before",
            Self::WalletFrozen => "wallet-frozen",
            Self::WalletUnfrozen => "wallet-unfrozen",
            Self::PersonSuspended => "person-suspended",
            Self::PersonLetIn => "person-let-in",
            Self::SessionsEnded => "sessions-ended",
            Self::ResetSent => "reset-sent",
            Self::ResetNotSent => "reset-not-sent",
            Self::ChannelSaved => "channel-saved",
            Self::ChannelOn => "channel-on",
            Self::ChannelOff => "channel-off",
            Self::ChannelRemoved => "channel-removed",
            Self::PriceKept => "price-kept",
            Self::PriceDropped => "price-dropped",
            Self::DraftDiscarded => "draft-discarded",
            Self::Published => "published",
        }
    }

    fn text(self, locale: Locale) -> &'static str {
        let t = &locale.t().admin.did;
        match self {
            Self::CreditBooked => t.credit_booked,
            Self::CreditBookedBefore => t.credit_booked_before,
            Self::WalletFrozen => t.wallet_frozen,
            Self::WalletUnfrozen => t.wallet_unfrozen,
            Self::PersonSuspended => t.person_suspended,
            Self::PersonLetIn => t.person_let_in,
            Self::SessionsEnded => t.sessions_ended,
            Self::ResetSent => t.reset_sent,
            Self::ResetNotSent => t.reset_not_sent,
            Self::ChannelSaved => t.channel_saved,
            Self::ChannelOn => t.channel_on,
            Self::ChannelOff => t.channel_off,
            Self::ChannelRemoved => t.channel_removed,
            Self::PriceKept => t.price_kept,
            Self::PriceDropped => t.price_dropped,
            Self::DraftDiscarded => t.draft_discarded,
            Self::Published => t.published,
        }
    }
}

/// The address of a page that says so; it may have a query.
pub(super) fn with(address: &str, did: Did) -> String {
    let mark = if address.contains('?') { '&' } else { '?' };
    format!("{address}{mark}did={}", did.code())
}

/// The notice this page's address asks for; an unknown code is none.
pub(super) fn of(visit: &Visit) -> Option<AnyView> {
    let query = Query::of(visit);
    let code = query.get("did")?;
    let did = Did::ALL.into_iter().find(|did| did.code() == code)?;
    Some(view! { <Flash kind=FlashKind::Done text=did.text(visit.locale)/> }.into_any())
}
