//! What a request for usage asks: its query, read strictly, because a filter that is misspelt and ignored shows the
//! wrong sums.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{Outcome, UsageFilter, time_zone};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::reader::Reader;
use crate::Gateway;
use crate::http::Inbound;
use crate::http::receipts::unavailable;

const DAY_MS: i64 = 24 * 3_600_000;
/// How far back is looked when nothing says how far.
const DEFAULT_DAYS: i64 = 30;
/// The longest span.
const MOST_DAYS: i64 = 400;
const DEFAULT_LIMIT: u32 = 100;
const MOST_ROWS: u32 = 1_000;

/// What every request for usage may filter by.
pub(super) const FILTERS: [&str; 8] =
    ["from", "to", "time_zone", "model", "key", "member", "deployment", "outcome"];

/// A query, read.
pub(super) struct Asked {
    pairs: Vec<(String, String)>,
    pub filter: UsageFilter,
    pub zone: TimeZone,
    pub zone_name: String,
}

impl Asked {
    /// Reads the query; `also` names the parameters this address knows beside the filters.
    ///
    /// # Errors
    /// A parameter that nobody knows or that cannot be read, named.
    pub async fn read(
        gateway: &Gateway,
        inbound: &Inbound,
        reader: &Reader,
        also: &[&str],
    ) -> Result<Self, Box<ErrorInfo>> {
        let query = inbound.uri.query().unwrap_or_default();
        let mut pairs: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // Where a key may stand, see `credentials`.
        pairs.retain(|(name, value)| !(value.is_empty() || name == "key" && value.starts_with("sk-")));
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_known(name, also)) {
            let known = [&FILTERS[..], also].concat().join(", ");
            return Err(refuse(name, &format!("'{name}' is not a parameter here; there are {known}")));
        }
        let zone_name = match value(&pairs, "time_zone") {
            Some(name) => name.to_owned(),
            None => zone_of_org(gateway, &reader.org_id).await?,
        };
        let no_zone = || refuse("time_zone", "'time_zone' is an IANA name such as Asia/Shanghai");
        let zone = time_zone(&zone_name).ok_or_else(no_zone)?;
        let mut asked = Self { filter: UsageFilter::default(), zone, zone_name, pairs };
        asked.filter = asked.read_filter(reader, gateway.world.now_ms())?;
        Ok(asked)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        value(&self.pairs, name)
    }

    /// Rows of a page.
    pub fn limit(&self) -> Result<u32, Box<ErrorInfo>> {
        let Some(text) = self.get("limit") else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit));
        limit.ok_or_else(|| refuse("limit", &format!("'limit' is a number from 1 to {MOST_ROWS}")))
    }

    /// What the answer before gave as `next_cursor`, decoded.
    pub fn cursor(&self) -> Result<Option<String>, Box<ErrorInfo>> {
        let Some(text) = self.get("cursor") else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        bytes.map(Some).ok_or_else(no_cursor)
    }

    fn read_filter(&self, reader: &Reader, now_ms: i64) -> Result<UsageFilter, Box<ErrorInfo>> {
        // What ended in this very millisecond is part of the answer.
        let to_ms = self.moment("to")?.unwrap_or(now_ms + 1);
        let from_ms = self.moment("from")?.unwrap_or(to_ms - DEFAULT_DAYS * DAY_MS);
        if from_ms >= to_ms {
            return Err(refuse("from", "'from' must be earlier than 'to'; 'to' is not part of the span"));
        }
        if to_ms - from_ms > MOST_DAYS * DAY_MS {
            return Err(refuse("from", &format!("a span has at most {MOST_DAYS} days; ask for parts of it")));
        }
        let text = |name: &str| self.get(name).map(str::to_owned);
        Ok(UsageFilter {
            from_ms,
            to_ms,
            below_path: reader.below_path.clone(),
            key_id: text("key"),
            member_id: self.member(reader)?,
            deployment_id: text("deployment"),
            model: text("model"),
            outcomes: self.outcomes()?,
        })
    }

    /// Who reads one member's calls alone asks for them or for nobody's.
    fn member(&self, reader: &Reader) -> Result<Option<String>, Box<ErrorInfo>> {
        let asked = self.get("member");
        match &reader.member_id {
            Some(own) if asked.is_some_and(|asked| asked != own) => {
                let reason = format!("This token reads the calls of the member {own} alone.");
                let refused = ErrorInfo::new(ErrorCode::PermissionDenied, &[("reason", &reason)]);
                Err(Box::new(refused.with_param("member")))
            }
            Some(own) => Ok(Some(own.clone())),
            None => Ok(asked.map(str::to_owned)),
        }
    }

    /// RFC 3339, or a day, which begins at the zone's midnight.
    fn moment(&self, name: &str) -> Result<Option<i64>, Box<ErrorInfo>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Some(at.as_millisecond()));
        }
        let day = text.parse::<Date>().and_then(|day| day.to_zoned(self.zone.clone()));
        let wanted = format!("'{name}' is a day such as 2026-11-24 or a time such as 2026-11-24T08:00:00Z");
        day.map(|start| Some(start.timestamp().as_millisecond())).map_err(|_| refuse(name, &wanted))
    }

    fn outcomes(&self) -> Result<Vec<Outcome>, Box<ErrorInfo>> {
        let Some(list) = self.get("outcome") else { return Ok(Vec::new()) };
        let known = [Outcome::Settled, Outcome::Released, Outcome::Expired];
        let read = |name: &str| known.into_iter().find(|outcome| outcome.name() == name.trim());
        let wanted = "'outcome' is settled, released or expired, or several of them with commas";
        list.split(',').map(read).collect::<Option<_>>().ok_or_else(|| refuse("outcome", wanted))
    }
}

/// A place in a list as clients carry it.
pub(super) fn write_cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

pub(super) fn no_cursor() -> Box<ErrorInfo> {
    refuse("cursor", "'cursor' is the next_cursor of an answer to the same question")
}

pub(super) fn refuse(name: &str, reason: &str) -> Box<ErrorInfo> {
    let reason = format!("{reason}.");
    Box::new(ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", &reason)]).with_param(name))
}

fn is_known(name: &str, also: &[&str]) -> bool {
    FILTERS.contains(&name) || also.contains(&name)
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

async fn zone_of_org(gateway: &Gateway, org_id: &str) -> Result<String, Box<ErrorInfo>> {
    let wallet = gateway.ledger.wallet(org_id).await.map_err(|error| Box::new(unavailable(&error)))?;
    Ok(wallet.map_or_else(|| "UTC".to_owned(), |wallet| wallet.time_zone))
}
