//! The fields that keys and the rules of nodes share, read from what a caller sends.

use std::collections::BTreeSet;

use bytespike_accounts::keys::{AllowList, IpRule, MOST_NETWORKS, Scope, Tags};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::answer::{Fault, invalid};
use crate::Gateway;
use crate::{model_list, place_list};

pub fn wrong(field: &'static str, wanted: &str) -> Fault {
    invalid(&format!("{field}: {wanted}")).with_param(field).into()
}

pub fn scopes(names: &[String]) -> Result<BTreeSet<Scope>, Fault> {
    let all = || Scope::ALL.map(Scope::as_str).join(", ");
    let read = names.iter().map(|name| Scope::parse(name));
    read.collect::<Option<_>>().ok_or_else(|| wrong("scopes", &format!("some of {}", all())))
}

pub fn models(gateway: &Gateway, list: Option<Vec<String>>) -> Result<AllowList, Fault> {
    let Some(list) = list else { return Ok(AllowList::Any) };
    let read = model_list::read(&gateway.prices.current().book, list.iter().map(String::as_str));
    read.map_err(|error| wrong("models", &error.to_string()))
}

pub fn ips(list: &[String]) -> Result<IpRule, Fault> {
    if list.len() > MOST_NETWORKS {
        return Err(wrong("ips", "at most 100 networks"));
    }
    IpRule::parse(list.iter().map(String::as_str)).map_err(|error| wrong("ips", &error.to_string()))
}

pub fn providers(gateway: &Gateway, list: Option<Vec<String>>) -> Result<AllowList, Fault> {
    let list = list.unwrap_or_default();
    let read = place_list::providers(&gateway.prices.current().book, list.iter().map(String::as_str));
    read.map_err(|error| wrong("providers", &error.to_string()))
}

pub fn regions(list: Option<Vec<String>>) -> Result<AllowList, Fault> {
    let list = list.unwrap_or_default();
    let read = place_list::regions(list.iter().map(String::as_str));
    read.map_err(|error| wrong("regions", &error.to_string()))
}

pub fn tags(list: &[String]) -> Result<Tags, Fault> {
    Tags::parse(list.iter().map(String::as_str)).map_err(|error| wrong("tags", &error.to_string()))
}

pub fn moment_ms(text: &str) -> Result<i64, Fault> {
    let moment: Option<Timestamp> = text.parse().ok();
    moment
        .map(Timestamp::as_millisecond)
        .ok_or_else(|| wrong("expires_at", "a time such as 2027-01-31T08:00:00Z"))
}

/// Tells a field that is null from one that is left out.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}
