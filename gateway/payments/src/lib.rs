//! Money on its way in: an order of ours, the page on which it is paid, what the provider tells us about it, and the
//! credit it becomes. The ledger books; nothing here touches a wallet.
mod apply;
mod billing;
mod endpoint;
mod event;
mod invoice;
mod offer;
mod order;
mod recharge;
mod reversal;
mod saved_card;
mod signature;
mod stripe;
mod tax_id;

pub use apply::{Applied, ApplyError};
pub use billing::{BillingDetails, PrintedSeller, Seller, is_country};
pub use bytespike_store::payment_order::OrderRow;
pub use endpoint::{WEBHOOK_PATH, router};
pub use invoice::{Cause, INVOICE_ISSUED, Invoice, InvoiceContent, PrintedRate};
pub use offer::{Currency, CurrencyOffer, Offer, Rung, amount_text, worth};
pub use order::{NewOrder, OrderError};
pub use recharge::{CardPage, NewRecharge, RECHARGE_OFF, RechargeError, RechargeRow, RechargeRule};
pub use signature::{SignatureError, TOLERANCE_MS, verify};
pub use stripe::{Stripe, StripeError};
pub use tax_id::{TaxId, TaxIdError, TaxIdKind};

use bytespike_ledger::Ledger;
use bytespike_store::Store;
use bytespike_store::audit_event::Entry;
use bytespike_store::world::World;
use std::sync::Arc;

/// Makes the entry of an event that no person caused: its name, the org, and what it is about.
pub type Audited = Arc<dyn Fn(&'static str, &str, &str) -> Entry + Send + Sync>;

/// Payments of one installation. Clones share it.
#[derive(Clone)]
pub struct Payments(Arc<PaymentsParts>);

/// What it is given.
pub struct PaymentsParts {
    pub store: Store,
    pub world: World,
    pub ledger: Ledger,
    pub stripe: Stripe,
    /// Signing secrets of the webhook endpoint: the current one, and those that are being replaced. Never empty.
    pub webhook_secrets: Vec<String>,
    pub offer: Offer,
    /// Who sells; without it no invoice is issued.
    pub seller: Option<Seller>,
    pub recharge_rule: RechargeRule,
    /// Writes what no person caused into the audit log.
    pub audited: Audited,
    /// The console's public address, without a trailing slash: people come back to it.
    pub console_url: String,
}

impl Payments {
    #[must_use]
    pub fn new(parts: PaymentsParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for Payments {
    type Target = PaymentsParts;

    fn deref(&self) -> &PaymentsParts {
        &self.0
    }
}
