//! Providers' own cost APIs, asked page by page for the days that are compared. (Their API references, read 2026-11.)

use std::time::Duration;

use bytespike_ledger::{COMPARED_DAYS, CostReport};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::{CostSource, json_api};
use crate::Failure;
use crate::config::{Reconciliation, Secret};

const TIMEOUT: Duration = Duration::from_secs(30);
/// A larger page is none.
const MAX_PAGE_BYTES: usize = 16 << 20;
/// A month has a page or a few; a report without an end is a mistake.
const MOST_PAGES: usize = 100;

/// One provider's cost API, and the key of its administration.
#[derive(Clone, Debug)]
pub struct Api {
    kind: Kind,
    base_url: String,
    admin_key: Secret,
    now_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Anthropic,
    OpenAi,
}

impl Api {
    /// Those that a key is configured for. They are asked for the days before `now_ms`.
    pub fn configured(config: &Reconciliation, now_ms: i64) -> Vec<Self> {
        let of = |kind, base_url: &str, admin_key: &Secret| {
            let base_url = base_url.trim_end_matches('/').to_owned();
            admin_key.reveal().map(|_| Self { kind, base_url, admin_key: admin_key.clone(), now_ms })
        };
        [
            of(Kind::Anthropic, &config.anthropic_url, &config.anthropic_admin_key),
            of(Kind::OpenAi, &config.openai_url, &config.openai_admin_key),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    async fn fetch(&self) -> Result<Vec<CostReport>, Failure> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let mut pages = Vec::new();
        let mut next = None;
        while pages.len() < MOST_PAGES {
            let page = json_api::Page::read(&self.page(&client, next.as_deref()).await?)?;
            next = page.next();
            pages.push(page);
            if next.is_none() {
                return json_api::reports(&self.name(), pages);
            }
        }
        Err(format!("it has more than {MOST_PAGES} pages").into())
    }

    async fn page(&self, client: &reqwest::Client, after: Option<&str>) -> Result<String, Failure> {
        let request = client.get(format!("{}?{}", self.name(), self.query(after)?));
        let key = self.admin_key.reveal().unwrap_or_default();
        let request = match self.kind {
            Kind::Anthropic => request.header("x-api-key", key).header("anthropic-version", "2023-06-01"),
            Kind::OpenAi => request.bearer_auth(key),
        };
        let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
        if !answer.status().is_success() {
            let (status, setting) = (answer.status(), self.kind.setting());
            return Err(format!("it answers {status}; reconciliation.{setting} has to be a key of the provider's administration that may read costs").into());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_PAGE_BYTES {
                return Err("a page of it is larger than any report".into());
            }
        }
        Ok(String::from_utf8(body)?)
    }

    /// Whole days of the past: what is reported of today is not all of it.
    fn query(&self, after: Option<&str>) -> Result<String, Failure> {
        let today = Timestamp::from_millisecond(self.now_ms)?.to_zoned(TimeZone::UTC).date();
        let from = today.saturating_sub(Span::new().days(COMPARED_DAYS));
        let start = |day: Date| day.to_zoned(TimeZone::UTC).map(|start| start.timestamp());
        let (from, to) = (start(from)?, start(today)?);
        let day = ("bucket_width", "1d".to_owned());
        let pairs = match self.kind {
            Kind::Anthropic => vec![
                ("starting_at", from.to_string()),
                ("ending_at", to.to_string()),
                day,
                ("group_by[]", "description".to_owned()),
                ("limit", "31".to_owned()),
            ],
            Kind::OpenAi => vec![
                ("start_time", from.as_second().to_string()),
                ("end_time", to.as_second().to_string()),
                day,
                ("group_by[]", "line_item".to_owned()),
                ("limit", "180".to_owned()),
            ],
        };
        let page = after.map(|after| ("page", after.to_owned()));
        Ok(form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.into_iter().chain(page))
            .finish())
    }
}

impl CostSource for Api {
    fn name(&self) -> String {
        format!("{}{}", self.base_url, self.kind.path())
    }

    fn reports(&self) -> BoxFuture<'_, Result<Vec<CostReport>, Failure>> {
        self.fetch().boxed()
    }
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/organizations/cost_report",
            Self::OpenAi => "/v1/organization/costs",
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic_admin_key",
            Self::OpenAi => "openai_admin_key",
        }
    }
}
