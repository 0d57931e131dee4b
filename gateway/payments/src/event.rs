//! An event of the provider: kept once, understood, and applied.
use crate::Payments;
use crate::apply::{Applied, ApplyError, Fate};
use crate::saved_card::Intent;
use crate::stripe::Session;
use bytespike_store::payment_event;
use serde::Deserialize;
use serde_json::value::RawValue;

const DAY_MS: i64 = 86_400_000;
/// An event's body names people; so long it may still be needed to settle a question.
const KEEP_BODIES_MS: i64 = 90 * DAY_MS;
/// An id of Stripe's is shorter.
const MOST_ID_CHARS: usize = 255;

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    livemode: bool,
    /// Set on events of other accounts that are connected to ours; there are none.
    account: Option<String>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Why an event is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    #[error("this is not an event: {0}")]
    Malformed(String),
    #[error(transparent)]
    NotYet(#[from] ApplyError),
}

impl From<sqlx::Error> for EventError {
    fn from(error: sqlx::Error) -> Self {
        Self::NotYet(error.into())
    }
}

impl Payments {
    /// Takes an event whose signature was checked. Answers when it is kept and applied; the same again changes nothing.
    pub(crate) async fn take(&self, body: &str) -> Result<(), EventError> {
        let event: Event<'_> =
            serde_json::from_str(body).map_err(|error| EventError::Malformed(error.to_string()))?;
        if event.id.is_empty() || event.id.len() > MOST_ID_CHARS || event.kind.len() > MOST_ID_CHARS {
            return Err(EventError::Malformed("its id or its type".to_owned()));
        }
        let now_ms = self.world.now_ms();
        let name = (event.id.as_str(), event.kind.as_str());
        if !payment_event::receive(&self.store, name, body, now_ms).await? {
            return Ok(());
        }
        let applied = self.understand(&event).await?;
        let (outcome, reason) = match &applied {
            Applied::Changed => ("applied", None),
            Applied::Known => ("known", None),
            Applied::Unknown => ("unknown", None),
            Applied::Refused(reason) => ("refused", Some(reason.as_str())),
        };
        if let Some(reason) = reason {
            tracing::error!(event_id = event.id, kind = event.kind, reason, "a payment event was refused");
        }
        payment_event::handled(&self.store, &event.id, (outcome, reason), self.world.now_ms()).await?;
        if applied == Applied::Changed {
            self.invoice_now().await;
        }
        Ok(())
    }

    async fn understand(&self, event: &Event<'_>) -> Result<Applied, ApplyError> {
        if let Some(account) = &event.account {
            return Ok(Applied::Refused(format!("it is about the account {account}")));
        }
        if event.livemode != self.stripe.is_live() {
            return Ok(Applied::Refused(format!("livemode is {}", event.livemode)));
        }
        match event.kind.as_str() {
            "checkout.session.completed"
            | "checkout.session.async_payment_succeeded"
            | "checkout.session.async_payment_failed"
            | "checkout.session.expired" => self.session_event(event).await,
            "payment_intent.succeeded" | "payment_intent.payment_failed" | "payment_intent.canceled" => {
                match serde_json::from_str::<Intent>(event.data.object.get()) {
                    Ok(intent) => self.charged(&intent).await,
                    Err(error) => Ok(Applied::Refused(error.to_string())),
                }
            }
            kind if kind.starts_with("charge.dispute.") || kind.starts_with("refund.") => {
                self.reversal_event(kind, event.data.object.get()).await
            }
            _ => Ok(Applied::Unknown),
        }
    }

    async fn session_event(&self, event: &Event<'_>) -> Result<Applied, ApplyError> {
        let session: Session = match serde_json::from_str(event.data.object.get()) {
            Ok(session) => session,
            Err(error) => return Ok(Applied::Refused(error.to_string())),
        };
        if session.mode == "setup" {
            return self.card_saved(&session).await;
        }
        let fate = match event.kind.as_str() {
            "checkout.session.async_payment_failed" => Ok(Fate::Failed),
            _ => session.fate(),
        };
        match fate {
            Ok(fate) => self.apply(&session, fate).await,
            Err(reason) => Ok(Applied::Refused(reason)),
        }
    }

    /// Empties the bodies of old events; how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_bodies(&self) -> sqlx::Result<u64> {
        payment_event::forget_bodies(&self.store, self.world.now_ms() - KEEP_BODIES_MS).await
    }
}
