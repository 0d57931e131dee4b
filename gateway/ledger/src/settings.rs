//! Wallets and limits as they are set by people. Every change takes the wallet's row first, as the writer does.
use crate::alerts::{AlertSetting, Alerts};
use crate::call::{BookingError, GrantEnd, SetLimit, Unavailable};
use crate::node::NodeId;
use crate::rows::LimitRow;
use crate::window::{NEVER_MS, Window, time_zone};
use bytespike_catalog::NanoUsd;
use bytespike_store::audit_event::{Appends as _, Entry};
use bytespike_store::{Store, on_database};
use jiff::tz::TimeZone;
use serde_json::json;

pub(crate) async fn open_wallet(
    store: &Store,
    org_id: &str,
    (zone, now_ms): (&str, i64),
    entry: Option<&Entry>,
) -> Result<(), BookingError> {
    if time_zone(zone).is_none() {
        return Err(BookingError::NoTimeZone(zone.to_owned()));
    }
    put_wallet(store, org_id, (zone, now_ms), entry).await.map_err(unavailable)
}

/// The time zone that was there goes into the entry; where it is the same, nothing is written.
async fn put_wallet(
    store: &Store,
    org_id: &str,
    (zone, now_ms): (&str, i64),
    entry: Option<&Entry>,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let before: Option<(String,)> = sqlx::query_as(
            "update wallet set held_nano = held_nano where org_id = $1 returning time_zone")
            .bind(org_id).fetch_optional(&mut *tx).await?;
        let before = before.map(|(zone,)| zone);
        if before.as_deref() == Some(zone) {
            return Ok(());
        }
        sqlx::query(
            "insert into wallet (org_id, time_zone, created_at_ms) values ($1, $2, $3)
             on conflict (org_id) do update set time_zone = excluded.time_zone")
            .bind(org_id).bind(zone).bind(now_ms).execute(&mut *tx).await?;
        sqlx::query("insert into usage_mark (org_id) values ($1) on conflict (org_id) do nothing")
            .bind(org_id).execute(&mut *tx).await?;
        if let Some(entry) = entry {
            tx.append(&entry.before(json!({ "time_zone": before }))).await?;
        }
        tx.commit().await
    })
}

/// When the org wants to be told of its balance, if at all, and whether of its limits.
pub(crate) async fn set_alerts(
    store: &Store,
    org_id: &str,
    alerts: Alerts,
    entry: Option<&Entry>,
) -> Result<(), BookingError> {
    if alerts.low_balance.is_some_and(|balance| balance.0 <= 0) {
        return Err(BookingError::NotPositive);
    }
    let told = |before: Alerts| {
        let low_balance_nano = before.low_balance.map(|balance| balance.0);
        entry.map(|entry| {
            entry.before(json!({ "low_balance_nano": low_balance_nano, "limits": before.limits }))
        })
    };
    put_alerts(store, org_id, |before| (alerts, told(before))).await
}

/// Changes one alert; the event is made of what was and what is then.
pub(crate) async fn set_alert(
    store: &Store,
    (org_id, to): (&str, AlertSetting),
    told: impl Fn(Alerts, Alerts) -> Entry,
) -> Result<(), BookingError> {
    if matches!(to, AlertSetting::LowBalance(Some(balance)) if balance.0 <= 0) {
        return Err(BookingError::NotPositive);
    }
    put_alerts(store, org_id, |before| {
        let after = before.with(to);
        (after, Some(told(before, after)))
    })
    .await
}

/// The wallet is locked first, so that two who change different alerts do not undo each other.
async fn put_alerts(
    store: &Store,
    org_id: &str,
    change: impl Fn(Alerts) -> (Alerts, Option<Entry>),
) -> Result<(), BookingError> {
    let changed = put_changed(store, org_id, change).await.map_err(unavailable)?;
    if changed { Ok(()) } else { Err(BookingError::NoWallet) }
}

async fn put_changed(
    store: &Store,
    org_id: &str,
    change: impl Fn(Alerts) -> (Alerts, Option<Entry>),
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let before: Option<(Option<i64>, bool)> = sqlx::query_as(
            "update wallet set held_nano = held_nano where org_id = $1 returning low_balance_nano, alert_limits")
            .bind(org_id).fetch_optional(&mut *tx).await?;
        let Some((low_balance_nano, limits)) = before else { return Ok(false) };
        let (after, entry) = change(Alerts { low_balance: low_balance_nano.map(NanoUsd), limits });
        sqlx::query("update wallet set low_balance_nano = $2, alert_limits = $3 where org_id = $1")
            .bind(org_id).bind(after.low_balance.map(|balance| balance.0)).bind(after.limits)
            .execute(&mut *tx).await?;
        if let Some(entry) = entry {
            tx.append(&entry).await?;
        }
        tx.commit().await?;
        Ok(true)
    })
}

pub(crate) async fn set_frozen(store: &Store, org_id: &str, frozen: bool) -> Result<(), BookingError> {
    let changed: u64 =
        on_database!(store, db => sqlx::query("update wallet set frozen = $2 where org_id = $1")
        .bind(org_id).bind(frozen).execute(db).await.map(|done| done.rows_affected()))
        .map_err(unavailable)?;
    if changed == 1 { Ok(()) } else { Err(BookingError::NoWallet) }
}

/// The same, with its event in the same transaction.
pub(crate) async fn change_frozen(
    store: &Store,
    (org_id, frozen): (&str, bool),
    entry: &Entry,
) -> Result<(), BookingError> {
    let changed = put_frozen(store, (org_id, frozen), entry).await.map_err(unavailable)?;
    if changed { Ok(()) } else { Err(BookingError::NoWallet) }
}

async fn put_frozen(store: &Store, (org_id, frozen): (&str, bool), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let changed = sqlx::query("update wallet set frozen = $2 where org_id = $1")
            .bind(org_id).bind(frozen).execute(&mut *tx).await?.rows_affected();
        if changed == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// With an entry the change is audited in its transaction.
pub(crate) async fn set_limit(
    store: &Store,
    set: &SetLimit,
    (now_ms, end): (i64, Option<GrantEnd>),
    entry: Option<&Entry>,
) -> Result<(), BookingError> {
    match set.limit {
        None => remove(store, set, entry).await.map_err(unavailable),
        Some(limit) if limit.0 < 0 || end.is_some_and(|end| end.then.0 < 0) => Err(BookingError::NotPositive),
        Some(limit) => {
            let zone = zone_of(store, &set.org_id).await?;
            put(store, set, (limit.0, end, &zone, now_ms), entry).await.map_err(unavailable)
        }
    }
}

/// Where a new limit's window is, and from when on it counts calls that were made before it was set. `latest_ms` is now,
/// or the org's last call if the clock has gone back since.
fn start_of(window: Window, latest_ms: i64, zone: &TimeZone) -> (i64, i64) {
    match window {
        Window::Lifetime => (0, NEVER_MS),
        Window::Month => Window::Month.opening_at(latest_ms, zone),
        Window::FiveHours | Window::Day | Window::Week => LimitRow::unopened(latest_ms),
    }
}

async fn zone_of(store: &Store, org_id: &str) -> Result<TimeZone, BookingError> {
    let found: Option<(String,)> = on_database!(read store, db => sqlx::query_as(
        "select time_zone from wallet where org_id = $1").bind(org_id).fetch_optional(db).await)
    .map_err(unavailable)?;
    let (name,) = found.ok_or(BookingError::NoWallet)?;
    Ok(time_zone(&name).unwrap_or(TimeZone::UTC))
}

/// A limit that is there keeps its window and counters; a new one starts with what its window already holds.
async fn put(
    store: &Store,
    set: &SetLimit,
    (limit_nano, end, zone, now_ms): (i64, Option<GrantEnd>, &TimeZone, i64),
    entry: Option<&Entry>,
) -> sqlx::Result<()> {
    let (node, window) = (set.node.as_str(), set.window.name());
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update wallet set held_nano = held_nano where org_id = $1")
            .bind(&set.org_id).execute(&mut *tx).await?;
        let last_ms: Option<i64> = sqlx::query_scalar("select max(held_at_ms) from reservation where org_id = $1")
            .bind(&set.org_id).fetch_one(&mut *tx).await?;
        let (opened, ends) = start_of(set.window, now_ms.max(last_ms.unwrap_or(now_ms)), zone);
        // Its whole life is in the sums that are there already and in what they do not have yet: no history is read.
        let lifetime = set.window == Window::Lifetime;
        sqlx::query(
            "insert into spend_limit (node_id, window_kind, org_id, limit_nano, opened_at_ms, ends_at_ms, grant_ends_at_ms,
                                      after_nano, used_nano, held_nano)
             select $1, $2, $3, $4, $5, $6, cast($8 as bigint), cast($9 as bigint), cast(coalesce(sum(spent_nano), 0) as bigint),
                    cast(coalesce(sum(open_nano), 0) as bigint)
             from (select org_id, deployment_id, member_id, key_path, charged_nano as spent_nano, 0 as open_nano
                   from usage_quarter where $7 and org_id = $3
                   union all
                   select r.org_id, r.deployment_id, r.member_id, r.key_path, r.charged_nano, 0
                   from usage_mark m join reservation r on r.org_id = m.org_id and r.resolved_seq > m.resolved_seq
                   where $7 and m.org_id = $3
                   union all
                   select org_id, deployment_id, member_id, key_path, 0, held_nano from reservation
                   where $7 and org_id = $3 and state = 'held'
                   union all
                   select org_id, deployment_id, member_id, key_path, coalesce(charged_nano, 0),
                          case when state = 'held' then held_nano else 0 end
                   from reservation where not $7 and org_id = $3 and held_at_ms >= $5 and held_at_ms < $6) calls
             where 'org:' || org_id = $1 or 'dep:' || deployment_id = $1 or 'mem:' || member_id = $1
                   or (substr($1, 1, 4) = 'key:' and key_path like '%/' || substr($1, 5) || '/%')
             on conflict (node_id, window_kind) do update set limit_nano = excluded.limit_nano, alerted_percent = 0,
                 grant_ends_at_ms = excluded.grant_ends_at_ms, after_nano = excluded.after_nano")
            .bind(node).bind(window).bind(&set.org_id).bind(limit_nano).bind(opened).bind(ends).bind(lifetime)
            .bind(end.map(|end| end.at_ms)).bind(end.map(|end| end.then.0))
            .execute(&mut *tx).await?;
        if let Some(entry) = entry {
            tx.append(entry).await?;
        }
        tx.commit().await
    })
}

/// A grant that is over is written down as over.
pub(crate) async fn end_grant(
    store: &Store,
    org_id: &str,
    (node, window): (&NodeId, Window),
    now_ms: i64,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update wallet set held_nano = held_nano where org_id = $1")
            .bind(org_id).execute(&mut *tx).await?;
        sqlx::query(
            "update spend_limit set limit_nano = after_nano, after_nano = null, grant_ends_at_ms = null
             where org_id = $1 and node_id = $2 and window_kind = $3 and grant_ends_at_ms <= $4")
            .bind(org_id).bind(node.as_str()).bind(window.name()).bind(now_ms).execute(&mut *tx).await?;
        tx.commit().await
    })
}

async fn remove(store: &Store, set: &SetLimit, entry: Option<&Entry>) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update wallet set held_nano = held_nano where org_id = $1")
            .bind(&set.org_id).execute(&mut *tx).await?;
        sqlx::query("delete from spend_limit where org_id = $1 and node_id = $2 and window_kind = $3")
            .bind(&set.org_id).bind(set.node.as_str()).bind(set.window.name()).execute(&mut *tx).await?;
        sqlx::query("delete from verified_limit where node_id = $1 and window_kind = $2")
            .bind(set.node.as_str()).bind(set.window.name()).execute(&mut *tx).await?;
        if let Some(entry) = entry {
            tx.append(entry).await?;
        }
        tx.commit().await
    })
}

pub(crate) async fn orgs_with_lapsed_credit(store: &Store, now_ms: i64) -> sqlx::Result<Vec<String>> {
    on_database!(read store, db => sqlx::query_scalar(
        "select distinct org_id from lot
         where remaining_nano > pinned_nano and expires_at_ms is not null and expires_at_ms <= $1")
        .bind(now_ms).fetch_all(db).await)
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn unavailable(error: sqlx::Error) -> BookingError {
    BookingError::Unavailable(Unavailable(error.to_string()))
}
