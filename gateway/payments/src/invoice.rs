//! Invoices of paid orders, and credit notes of what was undone: numbered without a gap, and frozen. What was printed then is
//! what is printed for ever, whatever the org or the operator say of themselves later.
use crate::Payments;
use crate::billing::{BillingDetails, PrintedSeller, Seller};
use crate::offer::{Currency, amount_text};
use bytespike_store::invoice::{self, InvoiceRow, numbered};
use bytespike_store::org;
use bytespike_store::outbox::Event;
use bytespike_store::payment_order::{self, OrderRow};
use bytespike_store::payment_reversal::ReversalRow;
use serde::{Deserialize, Serialize};
use serde_json::json;

const AT_ONCE: u32 = 100;
/// What the outbox calls it.
pub const INVOICE_ISSUED: &str = "invoice_issued";

/// Everything that is printed, but the number and the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceContent {
    pub seller: PrintedSeller,
    pub buyer: BillingDetails,
    pub cause: Cause,
    pub order_id: String,
    /// Stripe's name of the payment.
    pub payment_id: Option<String>,
    /// What the amount is worth in credit, in nano-USD.
    pub paid_nano: i64,
    /// What was given on top; free of charge, so it is no part of the amount.
    pub bonus_nano: i64,
    pub rate: Option<PrintedRate>,
    /// When the money came or went.
    pub moved_at_ms: i64,
    /// The number of the document that this one undoes.
    pub about: Option<String>,
}

/// Why there is a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Paid,
    /// The payer's bank took it back.
    Disputed,
    /// It was given back at Stripe.
    GivenBack,
    /// What was undone was undone in turn.
    CameAgain,
}

/// The rate that a payment in CNY was converted at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedRate {
    pub day: String,
    pub usd_cny_micro: i64,
}

/// A document as it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    pub id: String,
    pub order_id: String,
    /// Such as `INV-000042`.
    pub number: String,
    pub is_credit_note: bool,
    pub currency: Currency,
    pub amount_minor: i64,
    pub issued_at_ms: i64,
    pub content: InvoiceContent,
}

impl Payments {
    /// Issues what is missing, oldest first; how many. Nothing as long as nobody said who sells.
    ///
    /// # Errors
    /// The database does not answer; what is missing is issued the next time.
    pub async fn issue_invoices(&self) -> sqlx::Result<usize> {
        let Some(seller) = &self.seller else { return Ok(0) };
        let mut issued = 0;
        for order in invoice::orders_without(&self.store, AT_ONCE).await? {
            issued += usize::from(self.issue(seller, &order, Subject::Order).await?);
        }
        for reversal in invoice::reversals_without(&self.store, AT_ONCE).await? {
            let Some(order) = payment_order::find(&self.store, &reversal.order_id).await? else { continue };
            if reversal.left_at_ms.is_some() {
                issued += usize::from(self.issue(seller, &order, Subject::Left(&reversal)).await?);
            }
            if reversal.left_at_ms.is_some() && reversal.back_at_ms.is_some() {
                issued += usize::from(self.issue(seller, &order, Subject::Back(&reversal)).await?);
            }
        }
        Ok(issued)
    }

    /// The same right after a payment moved. What fails is issued by the job.
    pub(crate) async fn invoice_now(&self) {
        if let Err(error) = self.issue_invoices().await {
            tracing::warn!(%error, "an invoice could not be issued yet; it is tried again");
        }
    }

    /// Issued already, it stays as it is.
    async fn issue(&self, seller: &Seller, order: &OrderRow, subject: Subject<'_>) -> sqlx::Result<bool> {
        let about = match subject.undoes(order) {
            Some(undone) => invoice::about(&self.store, &undone).await?.map(|row| row.printed_number()),
            None => None,
        };
        let mut buyer = self.billing_details(&order.org_id).await?;
        if buyer.legal_name.is_empty() {
            buyer.legal_name = org::name(&self.store, &order.org_id).await?.unwrap_or_default();
        }
        let amount_minor = subject.amount_minor(order);
        let share = |nano: i64| crate::reversal::share(order, nano, amount_minor).0;
        let content = InvoiceContent {
            seller: seller.printed.clone(),
            buyer,
            cause: subject.cause(),
            order_id: order.id.clone(),
            payment_id: order.payment_intent_id.clone(),
            paid_nano: share(order.paid_nano),
            bonus_nano: if matches!(subject, Subject::Back(_)) { 0 } else { share(order.bonus_nano) },
            rate: printed_rate(order),
            moved_at_ms: subject.moved_at_ms(order),
            about,
        };
        let is_credit_note = matches!(subject, Subject::Left(_));
        let row = InvoiceRow {
            id: self.world.id("inv"),
            org_id: order.org_id.clone(),
            order_id: order.id.clone(),
            subject: subject.key(order),
            kind: if is_credit_note { "credit_note" } else { "invoice" }.to_owned(),
            series: if is_credit_note { &seller.credit_note_series } else { &seller.invoice_series }.clone(),
            number: 0,
            currency: order.currency.clone(),
            amount_minor,
            content_json: serde_json::to_string(&content)
                .map_err(|error| sqlx::Error::Encode(Box::new(error)))?,
            issued_at_ms: self.world.now_ms(),
        };
        Ok(invoice::issue(&self.store, &row, |number| self.told(&row, &content.buyer, number))
            .await?
            .is_some())
    }

    /// What is told of it: to webhooks and in the console, and by a letter to the address of the billing details, if there is
    /// one.
    fn told(&self, row: &InvoiceRow, buyer: &BillingDetails, number: i64) -> Option<Event> {
        let amount = amount_text(Currency::parse(&row.currency)?, row.amount_minor);
        let told = json!({
            "invoice": row.id, "kind": row.kind, "number": numbered(&row.series, number), "amount": amount,
            "currency": row.currency, "amount_minor": row.amount_minor, "order": row.order_id,
            "buyer": buyer.legal_name, "email": buyer.email, "language": buyer.language,
        });
        Some(Event {
            id: self.world.id("evt"),
            org_id: row.org_id.clone(),
            kind: INVOICE_ISSUED.to_owned(),
            subject: format!("org:{}", row.org_id),
            payload_json: told.to_string(),
            created_at_ms: row.issued_at_ms,
        })
    }

    /// One of the org's documents.
    pub async fn invoice(&self, org_id: &str, id: &str) -> sqlx::Result<Option<Invoice>> {
        Ok(invoice::find(&self.store, org_id, id).await?.and_then(Invoice::read))
    }

    /// The org's documents, the newest first; with `order_id`, only those of that order.
    pub async fn invoices(
        &self,
        org_id: &str,
        order_id: Option<&str>,
        limit: u32,
    ) -> sqlx::Result<Vec<Invoice>> {
        let rows = invoice::of_org(&self.store, (org_id, order_id), limit).await?;
        Ok(rows.into_iter().filter_map(Invoice::read).collect())
    }
}

impl Invoice {
    /// A document that cannot be read was not written by us.
    fn read(row: InvoiceRow) -> Option<Self> {
        let content = serde_json::from_str(&row.content_json).inspect_err(
            |error| tracing::error!(%error, invoice_id = row.id, "an invoice's content cannot be read"),
        );
        Some(Self {
            number: row.printed_number(),
            is_credit_note: row.kind == "credit_note",
            currency: Currency::parse(&row.currency)?,
            content: content.ok()?,
            id: row.id,
            order_id: row.order_id,
            amount_minor: row.amount_minor,
            issued_at_ms: row.issued_at_ms,
        })
    }
}

fn printed_rate(order: &OrderRow) -> Option<PrintedRate> {
    let id = order.fx_rate_id.as_deref()?;
    let day = id.strip_prefix("fx_").unwrap_or(id).to_owned();
    Some(PrintedRate { day, usd_cny_micro: order.usd_cny_micro? })
}

/// What a document is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Order,
    Left(&'a ReversalRow),
    Back(&'a ReversalRow),
}

impl Subject<'_> {
    /// Its name, which has one document.
    fn key(self, order: &OrderRow) -> String {
        match self {
            Self::Order => format!("order:{}", order.id),
            Self::Left(reversal) => format!("left:{}", reversal.id),
            Self::Back(reversal) => format!("back:{}", reversal.id),
        }
    }

    /// What it undoes, by that name.
    fn undoes(self, order: &OrderRow) -> Option<String> {
        match self {
            Self::Order => None,
            Self::Left(_) => Some(Self::Order.key(order)),
            Self::Back(reversal) => Some(Self::Left(reversal).key(order)),
        }
    }

    fn amount_minor(self, order: &OrderRow) -> i64 {
        match self {
            Self::Order => order.amount_minor,
            Self::Left(reversal) | Self::Back(reversal) => reversal.amount_minor,
        }
    }

    fn cause(self) -> Cause {
        match self {
            Self::Order => Cause::Paid,
            Self::Left(reversal) if reversal.kind == "dispute" => Cause::Disputed,
            Self::Left(_) => Cause::GivenBack,
            Self::Back(_) => Cause::CameAgain,
        }
    }

    fn moved_at_ms(self, order: &OrderRow) -> i64 {
        let at_ms = match self {
            Self::Order => order.paid_at_ms,
            Self::Left(reversal) => reversal.left_at_ms,
            Self::Back(reversal) => reversal.back_at_ms,
        };
        at_ms.unwrap_or(order.created_at_ms)
    }
}
