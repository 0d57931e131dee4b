//! What a caller sends about a webhook, read strictly.

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Fault, invalid};
use crate::webhooks::{EndpointChange, EventType, Events, NewEndpoint};

const DEFAULT_OVERLAP_S: i64 = 24 * 3_600;

/// A webhook to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookBody {
    /// An `https` address on port 443 that anybody on the internet could reach.
    url: String,
    /// For people; at most 200 characters.
    description: Option<String>,
    /// Types of events. Left out or null: every type, those that come later included.
    events: Option<Vec<String>>,
}

/// What is to be changed about a webhook. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeWebhookBody {
    url: Option<String>,
    description: Option<String>,
    /// Types of events; `["*"]` for every type.
    events: Option<Vec<String>>,
    /// `on` or `off`
    #[schema(pattern = "^(on|off)$")]
    state: Option<String>,
}

/// How a secret is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateWebhookBody {
    /// How long the former secret signs too; a day unless said, at most 7 days.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<i64>,
}

impl NewWebhookBody {
    /// Without a creation key, which is no part of the body.
    ///
    /// # Errors
    /// An event type that is not known.
    pub fn read(self) -> Result<NewEndpoint, Fault> {
        Ok(NewEndpoint {
            events: self.events.map_or(Ok(Events::All), |names| events(&names))?,
            url: self.url,
            description: self.description.unwrap_or_default(),
            creation_key: None,
        })
    }
}

impl ChangeWebhookBody {
    /// # Errors
    /// An event type or a state that is not known.
    pub fn read(self) -> Result<EndpointChange, Fault> {
        let is_on = match self.state.as_deref() {
            None => None,
            Some("on") => Some(true),
            Some("off") => Some(false),
            Some(_) => return Err(invalid("state must be on or off").with_param("state").into()),
        };
        let events = self.events.map(|names| events(&names)).transpose()?;
        Ok(EndpointChange { url: self.url, description: self.description, events, is_on })
    }
}

impl RotateWebhookBody {
    /// In milliseconds; a number too large to be one is too long in any case.
    pub fn overlap_ms(&self) -> i64 {
        self.overlap_seconds.unwrap_or(DEFAULT_OVERLAP_S).saturating_mul(1_000)
    }
}

fn events(names: &[String]) -> Result<Events, Fault> {
    if names.len() == 1 && names[0] == "*" {
        return Ok(Events::All);
    }
    Events::only(names.iter().map(String::as_str)).ok_or_else(|| {
        let known = EventType::ALL.map(EventType::name).join(", ");
        invalid(&format!("events must name at least one of: {known}")).with_param("events").into()
    })
}
