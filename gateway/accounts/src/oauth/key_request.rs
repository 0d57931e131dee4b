//! The key a program asks for (`authorization_details` of type `bytespike_api_key`, RFC 9396), and the bounds that the
//! person then sets. A program may ask for less than the person allows, never for more.
use serde::{Deserialize, Serialize};

const MOST_BYTES: usize = 4 * 1024;
pub const KEY_REQUEST_TYPE: &str = "bytespike_api_key";
const MOST_LABEL_CHARACTERS: usize = 64;
const MOST_MODELS: usize = 100;
const NANO_DIGITS: usize = 9;

/// What the program asks for; everything may be left to the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend_limit: Option<SpendRequest>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
}

/// A cap as the wire has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendRequest {
    /// Decimal US dollars.
    pub amount: String,
    pub currency: String,
    pub window: String,
}

/// Within which bounds a program may make its key, as the person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBounds {
    pub label: String,
    /// Per calendar month, in nano-USD.
    pub month_limit_nano: Option<i64>,
    /// From the making of the key.
    pub expires_in_ms: Option<i64>,
    /// `None`: every model of the org.
    pub models: Option<Vec<String>>,
    /// How many keys may live at once.
    pub most_keys: i64,
}

/// Why the details are no request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRequestProblem {
    #[error("authorization_details is a JSON array of at most 4096 bytes with one object in it")]
    Form,
    #[error("the one type known here is bytespike_api_key, with label, spend_limit, expires_in and models")]
    Type,
    #[error("spend_limit is an amount above 0 with at most nine decimals, in USD, for the window month")]
    SpendLimit,
    #[error("expires_in is a number of seconds above 0")]
    ExpiresIn,
    #[error("a label has 1 to 64 characters, and models are at most 100 names")]
    Text,
}

/// Reads the parameter; absent, the program leaves everything to the person.
///
/// # Errors
/// What is wrong with it.
pub fn parse(json: Option<&str>) -> Result<KeyRequest, KeyRequestProblem> {
    let Some(json) = json else {
        return Ok(KeyRequest { kind: KEY_REQUEST_TYPE.to_owned(), ..KeyRequest::default() });
    };
    if json.len() > MOST_BYTES {
        return Err(KeyRequestProblem::Form);
    }
    let values: Vec<serde_json::Value> = serde_json::from_str(json).map_err(|_| KeyRequestProblem::Form)?;
    let [value] = values.try_into().map_err(|_| KeyRequestProblem::Form)?;
    let request: KeyRequest = serde_json::from_value(value).map_err(|_| KeyRequestProblem::Type)?;
    request.check()?;
    Ok(request)
}

impl KeyRequest {
    fn check(&self) -> Result<(), KeyRequestProblem> {
        if self.kind != KEY_REQUEST_TYPE {
            return Err(KeyRequestProblem::Type);
        }
        if self.spend_limit.is_some() && self.month_limit_nano().is_none() {
            return Err(KeyRequestProblem::SpendLimit);
        }
        if self.expires_in.is_some_and(|seconds| seconds <= 0 || seconds > i64::from(i32::MAX)) {
            return Err(KeyRequestProblem::ExpiresIn);
        }
        let labelled = self.label.as_deref().is_none_or(is_label);
        let named = |model: &String| {
            (1..=128).contains(&model.len()) && model.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let modelled =
            self.models.as_ref().is_none_or(|models| models.len() <= MOST_MODELS && models.iter().all(named));
        if labelled && modelled { Ok(()) } else { Err(KeyRequestProblem::Text) }
    }

    /// The cap it asks for.
    pub fn month_limit_nano(&self) -> Option<i64> {
        let asked =
            self.spend_limit.as_ref().filter(|limit| limit.currency == "USD" && limit.window == "month")?;
        parse_usd(&asked.amount)
    }
}

fn is_label(text: &str) -> bool {
    let characters = text.chars().count();
    (1..=MOST_LABEL_CHARACTERS).contains(&characters) && !text.chars().any(char::is_control)
}

/// Decimal dollars as nano-USD; nothing for zero, a sign, or more decimals than there are nanos.
pub fn parse_usd(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 9
        || decimals.len() > NANO_DIGITS
        || !digits(whole)
        || !digits(decimals)
    {
        return None;
    }
    format!("{whole}{decimals:0<NANO_DIGITS$}").parse().ok().filter(|nano| *nano > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whole_or_not_at_all() {
        let text = r#"[{"type":"bytespike_api_key","label":"DOSIA on anna-laptop","spend_limit":{"amount":"10.5","currency":"USD","window":"month"},"expires_in":7776000,"models":["claude-sonnet-5-5"]}]"#;
        let request = parse(Some(text)).expect("a request");
        assert_eq!(request.month_limit_nano(), Some(10_500_000_000));
        assert_eq!(request.expires_in, Some(7_776_000));
        assert_eq!(parse(None).expect("nothing asked").label, None);
    }

    #[test]
    fn n18_anything_else_says_what_is_wrong() {
        let with = |inside: &str| format!(r#"[{{"type":"bytespike_api_key"{inside}}}]"#);
        for (text, problem) in [
            ("not json".to_owned(), KeyRequestProblem::Form),
            ("[]".to_owned(), KeyRequestProblem::Form),
            (r#"[{"type":"payment"}]"#.to_owned(), KeyRequestProblem::Type),
            (with(r#","role":"admin""#), KeyRequestProblem::Type),
            (with(r#","expires_in":0"#), KeyRequestProblem::ExpiresIn),
            (with(r#","label":"""#), KeyRequestProblem::Text),
            (
                with(r#","spend_limit":{"amount":"0","currency":"USD","window":"month"}"#),
                KeyRequestProblem::SpendLimit,
            ),
            (
                with(r#","spend_limit":{"amount":"-1","currency":"USD","window":"month"}"#),
                KeyRequestProblem::SpendLimit,
            ),
            (
                with(r#","spend_limit":{"amount":"1","currency":"CNY","window":"month"}"#),
                KeyRequestProblem::SpendLimit,
            ),
            (format!("[{}]", " ".repeat(5_000)), KeyRequestProblem::Form),
        ] {
            assert_eq!(parse(Some(&text)), Err(problem), "{text}");
        }
    }
}
