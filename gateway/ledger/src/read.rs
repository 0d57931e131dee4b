//! What the ledger shows: wallets, limits, calls, receipts, and the money that moved.
use crate::alerts::Alerts;
use crate::call::LimitState;
use crate::ledger::Ledger;
use crate::rows::{LimitRow, Row as _};
use crate::usage::Quantities;
use crate::window::time_zone;
use bytespike_catalog::NanoUsd;
use bytespike_store::names::Names;
use bytespike_store::on_database;
use jiff::tz::TimeZone;
use sqlx::AssertSqlSafe;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    pub org_id: String,
    /// Money in the wallet, whether set aside or not.
    pub posted: NanoUsd,
    /// Set aside for calls that run.
    pub held: NanoUsd,
    /// The part of `posted` that was given, not paid.
    pub bonus: NanoUsd,
    /// What payments that were undone left owed. Until it is paid nothing is held.
    pub owed: NanoUsd,
    pub frozen: bool,
    pub time_zone: String,
    pub alerts: Alerts,
}

/// Credit of one source, in the order in which it burns.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Lot {
    pub id: String,
    /// `principal` was paid, `bonus` was given.
    pub kind: String,
    pub granted_nano: i64,
    pub remaining_nano: i64,
    /// Set aside for calls that run.
    pub pinned_nano: i64,
    pub expires_at_ms: Option<i64>,
    pub created_at_ms: i64,
}

impl Wallet {
    pub fn available(&self) -> NanoUsd {
        NanoUsd(self.posted.0 - self.held.0)
    }
}

/// A receipt as it was written, never changed since.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Receipt {
    pub id: String,
    pub org_id: String,
    pub key_id: String,
    /// `/root/…/key/`
    pub key_path: String,
    pub member_id: String,
    /// Compact JSON.
    pub body: String,
}

/// Which calls to list; `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    pub key_id: Option<String>,
    pub member_id: Option<String>,
    pub deployment_id: Option<String>,
    pub model: Option<String>,
    /// `held`, `settled`, `released` or `expired`.
    pub state: Option<String>,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The last row of the page before: `(held_at_ms, id)`.
    pub after: Option<(i64, String)>,
    pub limit: u32,
}

/// The columns of [`CallRow`].
pub(crate) fn call_columns() -> String {
    let quantities = Quantities::COLUMNS.join(", ");
    format!(
        "id, state, reason, deployment_id, member_id, key_id, key_name, protocol, stream, model_requested,
         model_served, held_nano, charged_nano, usage_source, {quantities}, attempts, first_content_ms,
         duration_ms, price_version, held_at_ms, resolved_at_ms, expires_at_ms"
    )
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CallRow {
    pub id: String,
    pub state: String,
    pub reason: Option<String>,
    pub deployment_id: String,
    pub member_id: String,
    pub key_id: String,
    pub key_name: String,
    pub protocol: String,
    pub stream: bool,
    pub model_requested: String,
    pub model_served: Option<String>,
    pub held_nano: i64,
    pub charged_nano: Option<i64>,
    pub usage_source: Option<String>,
    #[sqlx(flatten)]
    pub quantities: Quantities,
    pub attempts: i64,
    pub first_content_ms: Option<i64>,
    pub duration_ms: Option<i64>,
    pub price_version: i64,
    pub held_at_ms: i64,
    pub resolved_at_ms: Option<i64>,
    pub expires_at_ms: i64,
}

/// Money that moved in a wallet, newest first.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Transaction {
    pub id: String,
    /// `top_up`, `grant`, `settle`, `breakage`, `withdrawal` or `debit`.
    pub kind: String,
    pub amount_nano: i64,
    pub note: Option<String>,
    pub reservation_id: Option<String>,
    pub at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct WalletSums {
    posted_nano: i64,
    held_nano: i64,
    bonus_nano: i64,
    owed_nano: i64,
    frozen: bool,
    time_zone: String,
    low_balance_nano: Option<i64>,
    alert_limits: bool,
}

impl Ledger {
    /// The org's wallet; `None` before it was opened.
    pub async fn wallet(&self, org_id: &str) -> sqlx::Result<Option<Wallet>> {
        let found: Option<WalletSums> = on_database!(read &self.store, db => sqlx::query_as(
            "select posted_nano, held_nano, owed_nano, frozen, time_zone, low_balance_nano, alert_limits,
                    (select cast(coalesce(sum(remaining_nano), 0) as bigint) from lot
                     where lot.org_id = wallet.org_id and lot.kind = 'bonus' and lot.remaining_nano > 0) as bonus_nano
             from wallet where org_id = $1")
            .bind(org_id).fetch_optional(db).await)?;
        Ok(found.map(|sums| Wallet {
            org_id: org_id.to_owned(),
            posted: NanoUsd(sums.posted_nano),
            held: NanoUsd(sums.held_nano),
            bonus: NanoUsd(sums.bonus_nano),
            owed: NanoUsd(sums.owed_nano),
            frozen: sums.frozen,
            time_zone: sums.time_zone,
            alerts: Alerts { low_balance: sums.low_balance_nano.map(NanoUsd), limits: sums.alert_limits },
        }))
    }

    /// What the org's keys, members and deployments are called.
    pub async fn names(&self, org_id: &str) -> sqlx::Result<Names> {
        bytespike_store::names::of_org(&self.store, org_id).await
    }

    /// What is left of each credit, in the order in which it burns.
    pub async fn lots(&self, org_id: &str) -> sqlx::Result<Vec<Lot>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select id, kind, granted_nano, remaining_nano, pinned_nano, expires_at_ms, created_at_ms from lot
             where org_id = $1 and remaining_nano > 0
             order by priority, coalesce(expires_at_ms, $2), created_at_ms, id")
            .bind(org_id).bind(i64::MAX).fetch_all(db).await)
    }

    /// Every spend limit of the org, in its current window.
    pub async fn limits(&self, org_id: &str) -> sqlx::Result<Vec<LimitState>> {
        let sql = LimitRow::select_where() + "org_id = $1 order by node_id, window_kind";
        let rows: Vec<LimitRow> = on_database!(read &self.store, db => sqlx::query_as(AssertSqlSafe(sql))
            .bind(org_id).fetch_all(db).await)?;
        let wallet = self.wallet(org_id).await?;
        let zone = wallet.and_then(|wallet| time_zone(&wallet.time_zone)).unwrap_or(TimeZone::UTC);
        let now_ms = self.world.now_ms();
        Ok(rows.iter().map(|row| row.current(now_ms, &zone).state_at(now_ms)).collect())
    }

    /// The receipt of a resolved call; `None` while it runs, or when there is none.
    pub async fn receipt(&self, id: &str) -> sqlx::Result<Option<Receipt>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select receipt.id, receipt.org_id, reservation.key_id, reservation.key_path, reservation.member_id,
                    receipt.body_json as body
             from receipt join reservation on reservation.id = receipt.id where receipt.id = $1")
            .bind(id).fetch_optional(db).await)
    }

    /// Newest first.
    pub async fn calls(&self, org_id: &str, filter: &CallFilter, page: &Page) -> sqlx::Result<Vec<CallRow>> {
        let (after_ms, after_id) = page.after.clone().unwrap_or((i64::MAX, String::new()));
        let columns = call_columns();
        on_database!(read &self.store, db => sqlx::query_as(
            AssertSqlSafe(format!("select {columns} from reservation
             where org_id = $1
               and (held_at_ms < $2 or (held_at_ms = $2 and id < $3))
               and (cast($4 as text) is null or key_id = $4)
               and (cast($5 as text) is null or member_id = $5)
               and (cast($6 as text) is null or deployment_id = $6)
               and (cast($7 as text) is null or model_requested = $7)
               and (cast($8 as text) is null or state = $8)
               and (cast($9 as bigint) is null or held_at_ms >= $9)
               and (cast($10 as bigint) is null or held_at_ms < $10)
             order by held_at_ms desc, id desc limit $11")))
            .bind(org_id).bind(after_ms).bind(&after_id)
            .bind(&filter.key_id).bind(&filter.member_id).bind(&filter.deployment_id).bind(&filter.model)
            .bind(&filter.state).bind(filter.from_ms).bind(filter.to_ms).bind(i64::from(page.limit))
            .fetch_all(db).await)
    }

    /// The newest movements of money in the wallet.
    pub async fn transactions(&self, org_id: &str, limit: u32) -> sqlx::Result<Vec<Transaction>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select t.id, t.kind, t.note, t.reservation_id, t.at_ms,
                    cast(coalesce(sum(e.amount_nano), 0) as bigint) as amount_nano
             from journal_tx t left join journal_entry e on e.tx_id = t.id and e.org_id is not null
             where t.org_id = $1
             group by t.id, t.kind, t.note, t.reservation_id, t.at_ms, t.seq
             order by t.seq desc limit $2")
            .bind(org_id).bind(i64::from(limit)).fetch_all(db).await)
    }
}
