//! The one-time notice after an operator's form: a code from a closed set in the address, as in the console.
use crate::query::Query;
use bytespike_ui::components::{Flash, FlashKind};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

macro_rules! did {
    ($($name:ident $code:literal $text:ident;)*) => {
        /// What an operator just did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Did { $($name,)* }

        impl Did {
            const ALL: &[Self] = &[$(Self::$name,)*];

            const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            fn text(self, locale: Locale) -> &'static str {
                let t = &locale.t().admin.did;
                match self { $(Self::$name => t.$text,)* }
            }
        }
    };
}

did! {
    CreditBooked "credit-booked" credit_booked;
    CreditBookedBefore "credit-booked-before" credit_booked_before;
    WalletFrozen "wallet-frozen" wallet_frozen;
    WalletUnfrozen "wallet-unfrozen" wallet_unfrozen;
    PersonSuspended "person-suspended" person_suspended;
    PersonLetIn "person-let-in" person_let_in;
    SessionsEnded "sessions-ended" sessions_ended;
    ResetSent "reset-sent" reset_sent;
    ResetNotSent "reset-not-sent" reset_not_sent;
    ChannelSaved "channel-saved" channel_saved;
    ChannelOn "channel-on" channel_on;
    ChannelOff "channel-off" channel_off;
    ChannelRemoved "channel-removed" channel_removed;
    PriceKept "price-kept" price_kept;
    PriceDropped "price-dropped" price_dropped;
    DraftDiscarded "draft-discarded" draft_discarded;
    Published "published" published;
    DebitBooked "debit-booked" debit_booked;
    DebitBookedBefore "debit-booked-before" debit_booked_before;
    DebitWaits "debit-waits" debit_waits;
    DebitFailed "debit-failed" debit_failed;
    VouchersWait "vouchers-wait" vouchers_wait;
    CreditWaits "credit-waits" credit_waits;
    CreditConfirmed "credit-confirmed" credit_confirmed;
    CreditRefused "credit-refused" credit_refused;
    BatchMade "batch-made" batch_made;
    BatchEnded "batch-ended" batch_ended;
    VoucherEnded "voucher-ended" voucher_ended;
    RetentionChanged "retention-changed" retention_changed;
    RulesKept "rules-kept" rules_kept;
    Announced "announced" announced;
    AnnouncementChanged "announcement-changed" announcement_changed;
    AnnouncementEnded "announcement-ended" announcement_ended;
    SignUpDecided "sign-up-decided" sign_up_decided;
    FeatureOn "feature-on" feature_on;
    FeatureOff "feature-off" feature_off;
    SignUpApproved "sign-up-approved" sign_up_approved;
    SignUpRefused "sign-up-refused" sign_up_refused;
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
    let did = *Did::ALL.iter().find(|did| did.code() == code)?;
    Some(view! { <Flash kind=FlashKind::Done text=did.text(visit.locale)/> }.into_any())
}
