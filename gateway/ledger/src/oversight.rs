//! What an operator sees across organisations: what failures cost us, what is held, which wallets are frozen.
use crate::ledger::Ledger;
use bytespike_store::{like, on_database};

const DAY_MS: i64 = 86_400_000;

/// How to add up absorbed cost; what is not chosen is summed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbsorbedBy {
    pub cause: bool,
    pub org: bool,
    pub key: bool,
    /// UTC days.
    pub day: bool,
}

/// Cost that failures caused and nobody was charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsorbedSum {
    pub cause: Option<String>,
    pub org_id: Option<String>,
    pub key_id: Option<String>,
    /// Start of the day.
    pub day_ms: Option<i64>,
    pub calls: i64,
    pub amount_pico: i128,
}

#[derive(sqlx::FromRow)]
struct AbsorbedRow {
    cause: Option<String>,
    org_id: Option<String>,
    key_id: Option<String>,
    day_ms: Option<i64>,
    calls: i64,
    nano: i64,
    pico: i64,
}

/// A hold that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenHold {
    pub id: String,
    pub org_id: String,
    pub key_id: String,
    pub model_requested: String,
    pub protocol: String,
    pub stream: bool,
    pub held_nano: i64,
    pub held_at_ms: i64,
    /// When its lease runs out unless it is renewed.
    pub expires_at_ms: i64,
    /// The process that works on it.
    pub owner: String,
}

/// A wallet in an operator's list.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WalletRow {
    pub org_id: String,
    pub org_name: String,
    pub posted_nano: i64,
    pub held_nano: i64,
    pub owed_nano: i64,
    pub frozen: bool,
    pub created_at_ms: i64,
}

/// An org in an operator's list, with what is in its wallet.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OrgRow {
    pub id: String,
    pub name: String,
    /// `active` or `closed`
    pub state: String,
    pub preset: String,
    pub created_at_ms: i64,
    /// People and service accounts that belong to it now.
    pub members: i64,
    /// Keys that work or are switched off.
    pub keys: i64,
    pub posted_nano: i64,
    pub held_nano: i64,
    pub owed_nano: i64,
    pub frozen: bool,
}

/// A place in a list, newest first: when the last row of the page before came to be, and its id.
pub type Before = (i64, String);

impl Ledger {
    /// Orgs whose name contains `text` in any case, or whose id it is, or to which a person of that address belongs.
    /// Newest first.
    pub async fn orgs(&self, text: &str, before: Option<&Before>, limit: u32) -> sqlx::Result<Vec<OrgRow>> {
        let (before_ms, before_id) = before.map_or((i64::MAX, ""), |(at_ms, id)| (*at_ms, id.as_str()));
        let text = text.trim().to_lowercase();
        on_database!(read &self.store, db => sqlx::query_as(
            "select org.id, org.name, org.state, org.preset, org.created_at_ms,
                    (select count(*) from member m where m.org_id = org.id and m.state = 'active') as members,
                    (select count(*) from api_key k where k.org_id = org.id and k.state in ('active', 'disabled')) as keys,
                    coalesce(posted_nano, 0) as posted_nano, coalesce(held_nano, 0) as held_nano,
                    coalesce(owed_nano, 0) as owed_nano, coalesce(frozen, false) as frozen
             from org left join wallet on wallet.org_id = org.id
             where (org.created_at_ms < $1 or (org.created_at_ms = $1 and org.id < $2))
               and ($3 = '' or org.id = $3 or lower(org.name) like $4 escape '!'
                    or exists (select 1 from member m join person p on p.id = m.person_id
                               where m.org_id = org.id and m.state = 'active' and p.email_key = $3))
             order by org.created_at_ms desc, org.id desc limit $5")
            .bind(before_ms).bind(before_id).bind(&text).bind(like::containing(&text)).bind(i64::from(limit))
            .fetch_all(db).await)
    }

    /// One of them.
    pub async fn org(&self, id: &str) -> sqlx::Result<Option<OrgRow>> {
        Ok(self.orgs(id, None, 50).await?.into_iter().find(|org| org.id == id))
    }

    /// Absorbed cost from `from_ms`, inclusive, to `to_ms`, exclusive; the largest sums first.
    pub async fn absorbed(
        &self,
        by: AbsorbedBy,
        (from_ms, to_ms): (i64, i64),
        limit: u32,
    ) -> sqlx::Result<Vec<AbsorbedSum>> {
        let chosen = i64::from;
        let rows: Vec<AbsorbedRow> = on_database!(read &self.store, db => sqlx::query_as(
            "select case when $1 = 1 then cause end as cause, case when $2 = 1 then org_id end as org_id,
                    case when $3 = 1 then key_id end as key_id,
                    case when $4 = 1 then at_ms - at_ms % $5 end as day_ms,
                    count(*) as calls,
                    cast(sum(amount_pico / 1000) as bigint) as nano, cast(sum(amount_pico % 1000) as bigint) as pico
             from absorbed_cost where at_ms >= $6 and at_ms < $7
             group by 1, 2, 3, 4 order by 6 desc, 4, 1, 2, 3 limit $8")
            .bind(chosen(by.cause)).bind(chosen(by.org)).bind(chosen(by.key)).bind(chosen(by.day)).bind(DAY_MS)
            .bind(from_ms).bind(to_ms).bind(i64::from(limit)).fetch_all(db).await)?;
        Ok(rows.into_iter().map(AbsorbedSum::from).collect())
    }

    /// Holds that have not ended, the oldest first, after the one with this id.
    pub async fn open_holds(&self, after_id: &str, limit: u32) -> sqlx::Result<Vec<OpenHold>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select id, org_id, key_id, model_requested, protocol, stream, held_nano, held_at_ms, expires_at_ms, owner
             from reservation where state = 'held' and id > $1 order by id limit $2")
            .bind(after_id).bind(i64::from(limit)).fetch_all(db).await)
    }

    /// The hold, if it has not ended.
    pub async fn open_hold(&self, id: &str) -> sqlx::Result<Option<OpenHold>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select id, org_id, key_id, model_requested, protocol, stream, held_nano, held_at_ms, expires_at_ms, owner
             from reservation where state = 'held' and id = $1")
            .bind(id).fetch_optional(db).await)
    }

    /// Wallets by org id, after this one; all of them, or only the frozen (or not frozen) ones.
    pub async fn wallets(
        &self,
        frozen: Option<bool>,
        after_org_id: &str,
        limit: u32,
    ) -> sqlx::Result<Vec<WalletRow>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select wallet.org_id, coalesce(org.name, '') as org_name, posted_nano, held_nano, owed_nano, frozen, wallet.created_at_ms
             from wallet left join org on org.id = wallet.org_id
             where wallet.org_id > $1 and (cast($2 as boolean) is null or frozen = $2)
             order by wallet.org_id limit $3")
            .bind(after_org_id).bind(frozen).bind(i64::from(limit)).fetch_all(db).await)
    }
}

impl From<AbsorbedRow> for AbsorbedSum {
    fn from(row: AbsorbedRow) -> Self {
        Self {
            cause: row.cause,
            org_id: row.org_id,
            key_id: row.key_id,
            day_ms: row.day_ms,
            calls: row.calls,
            amount_pico: i128::from(row.nano) * 1_000 + i128::from(row.pico),
        }
    }
}
