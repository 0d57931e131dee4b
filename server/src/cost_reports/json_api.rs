//! What the providers' own cost APIs answer with: one page, or several in an array.
//!
//! - Anthropic, `GET /v1/organizations/cost_report`: `amount` is text, in cents and fractions of them.
//! - OpenAI, `GET /v1/organization/costs`: `amount.value` is a number of dollars.
//!
//! Both group lines into buckets of one UTC day. (Their API references, read 2026-11.)

use bytespike_catalog::NanoUsd;
use bytespike_ledger::{CostLine, CostReport};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::Failure;

/// One page, or several in an array.
pub fn parse(source: &str, text: &str) -> Result<Vec<CostReport>, Failure> {
    let pages: Vec<Page> = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text)?,
        false => vec![Page::read(text)?],
    };
    reports(source, pages)
}

/// Tells the two apart by what their buckets begin with. A day without a line is reported as a day that cost nothing.
pub fn reports(source: &str, pages: Vec<Page>) -> Result<Vec<CostReport>, Failure> {
    let mut reports = Vec::new();
    for bucket in pages.into_iter().flat_map(|page| page.data) {
        let (provider, day, mut lines) = match bucket {
            Bucket::Anthropic { starting_at, results } => {
                let day = anthropic_day(&starting_at)?;
                ("anthropic", day, anthropic(day, results)?)
            }
            Bucket::OpenAi { start_time, results } => {
                let day = utc(Timestamp::from_second(start_time)?);
                ("openai", day, openai(day, results)?)
            }
        };
        if lines.is_empty() {
            lines.push(CostLine { day, description: String::new(), amount: NanoUsd::ZERO });
        }
        add(&mut reports, (provider, source), lines);
    }
    Ok(reports)
}

/// A page of an answer.
#[derive(Deserialize)]
pub struct Page {
    data: Vec<Bucket>,
    #[serde(default)]
    has_more: bool,
    next_page: Option<String>,
}

impl Page {
    pub fn read(text: &str) -> Result<Self, Failure> {
        Ok(serde_json::from_str(text)?)
    }

    /// What the next page is asked for by; `None` after the last.
    pub fn next(&self) -> Option<String> {
        self.next_page.clone().filter(|_| self.has_more)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bucket {
    Anthropic { starting_at: String, results: Vec<AnthropicLine> },
    OpenAi { start_time: i64, results: Vec<OpenAiLine> },
}

#[derive(Deserialize)]
struct AnthropicLine {
    /// Cents.
    amount: String,
    currency: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct OpenAiLine {
    amount: OpenAiAmount,
    line_item: Option<String>,
}

#[derive(Deserialize)]
struct OpenAiAmount {
    /// Dollars.
    value: serde_json::Number,
    currency: Option<String>,
}

fn anthropic_day(starting_at: &str) -> Result<Date, Failure> {
    let start = starting_at.parse().map_err(|_| format!("starting_at: `{starting_at}` is no time"))?;
    Ok(utc(start))
}

fn anthropic(day: Date, results: Vec<AnthropicLine>) -> Result<Vec<CostLine>, Failure> {
    let line = |line: AnthropicLine| {
        in_usd(line.currency.as_deref())?;
        let amount = scaled(&line.amount, 7)
            .ok_or_else(|| format!("amount: `{}` is no amount in cents", line.amount))?;
        Ok(CostLine { day, description: line.description.unwrap_or_default(), amount })
    };
    results.into_iter().map(line).collect()
}

fn openai(day: Date, results: Vec<OpenAiLine>) -> Result<Vec<CostLine>, Failure> {
    let line = |line: OpenAiLine| {
        in_usd(line.amount.currency.as_deref())?;
        let value = line.amount.value.to_string();
        let amount =
            scaled(&value, 9).ok_or_else(|| format!("amount.value: {value} is no amount in dollars"))?;
        Ok(CostLine { day, description: line.line_item.unwrap_or_default(), amount })
    };
    results.into_iter().map(line).collect()
}

fn add(reports: &mut Vec<CostReport>, (provider, source): (&str, &str), lines: Vec<CostLine>) {
    match reports.iter_mut().find(|report| report.provider == provider) {
        Some(report) => report.lines.extend(lines),
        None => reports.push(CostReport { provider: provider.to_owned(), source: source.to_owned(), lines }),
    }
}

fn in_usd(currency: Option<&str>) -> Result<(), Failure> {
    match currency {
        None => Ok(()),
        Some(currency) if currency.eq_ignore_ascii_case("usd") => Ok(()),
        Some(other) => Err(format!("currency: {other}; only USD can be compared").into()),
    }
}

fn utc(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A decimal, with or without an exponent, as an integer of `10^-places`; digits beyond that are cut off, because a
/// report's tail of binary fractions is no money.
fn scaled(text: &str, places: i32) -> Option<NanoUsd> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = mantissa.strip_prefix('-').map_or((1, mantissa), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = [whole, fraction].concat();
    if all.is_empty() || all.len() > 30 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i128 = all.parse().ok()?;
    let shift = places.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10i128.checked_pow(shift.unsigned_abs());
    let scaled = match (shift >= 0, power) {
        (true, power) => number.checked_mul(power?)?,
        (false, Some(power)) => number / power,
        (false, None) => 0,
    };
    i64::try_from(sign * scaled).ok().map(NanoUsd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_and_dollars_become_nano_dollars() {
        assert_eq!(scaled("123.45", 7), Some(NanoUsd(1_234_500_000)));
        assert_eq!(scaled("0.06", 9), Some(NanoUsd(60_000_000)));
        assert_eq!(scaled("6e-2", 9), Some(NanoUsd(60_000_000)));
        assert_eq!(scaled("-1.5E1", 9), Some(NanoUsd(-15_000_000_000)));
        assert_eq!(scaled("0.0600000000000000019", 9), Some(NanoUsd(60_000_000)));
        assert_eq!(scaled("1e-40", 9), Some(NanoUsd(0)));
        for bad in ["", "-", ".", "1e", "1e99", "NaN", "１", "0x1", "99999999999"] {
            assert_eq!(scaled(bad, 9), None, "{bad}");
        }
    }

    #[test]
    fn an_anthropic_cost_report_is_read() {
        let text = r#"{"data":[{"starting_at":"2026-11-24T00:00:00Z","ending_at":"2026-11-25T00:00:00Z","results":[
            {"currency":"USD","amount":"123.78912","workspace_id":null,"description":"Claude Sonnet input","cost_type":"tokens",
             "context_window":"0-200k","model":"claude-sonnet-5","service_tier":"standard","token_type":"uncached_input_tokens"},
            {"currency":"USD","amount":"1","workspace_id":null,"description":null}]}],"has_more":false,"next_page":null}"#;
        let reports = parse("a.json", text).unwrap();
        assert_eq!(reports.len(), 1);
        assert_eq!((reports[0].provider.as_str(), reports[0].lines.len()), ("anthropic", 2));
        assert_eq!(reports[0].lines[0].amount, NanoUsd(1_237_891_200));
        assert_eq!(reports[0].lines[0].day.to_string(), "2026-11-24");
    }

    #[test]
    fn openai_costs_are_read_also_as_several_pages() {
        let page = |start: i64, value: &str| {
            format!(
                r#"{{"object":"page","data":[{{"object":"bucket","start_time":{start},"end_time":{},"results":[
            {{"object":"organization.costs.result","amount":{{"value":{value},"currency":"usd"}},"line_item":"Image models","project_id":null}}]}}],
            "has_more":true,"next_page":"x"}}"#,
                start + 86_400
            )
        };
        let text = format!("[{},{}]", page(1_795_478_400, "0.06"), page(1_795_564_800, "1e-3"));
        let reports = parse("o.json", &text).unwrap();
        let lines: Vec<(String, i64)> =
            reports[0].lines.iter().map(|line| (line.day.to_string(), line.amount.0)).collect();
        assert_eq!(lines, [("2026-11-24".to_owned(), 60_000_000), ("2026-11-25".to_owned(), 1_000_000)]);
    }

    #[test]
    fn a_day_without_a_line_cost_nothing() {
        let text = r#"{"data":[{"starting_at":"2026-11-24T00:00:00Z","ending_at":"2026-11-25T00:00:00Z","results":[]}],"has_more":false,"next_page":null}"#;
        let lines = &parse("a.json", text).unwrap()[0].lines;
        assert_eq!(
            (lines.len(), lines[0].amount, lines[0].day.to_string()),
            (1, NanoUsd::ZERO, "2026-11-24".to_owned())
        );
    }

    #[test]
    fn what_is_something_else_is_refused_and_never_read_as_nothing() {
        for bad in [
            r#"{"error":{"message":"no"}}"#,
            r#"{"data":[{"starting_at":"soon","results":[]}]}"#,
            r#"{"data":[{"day":"2026-11-24","results":[]}]}"#,
            r#"{"data":[{"start_time":1795478400,"results":[{"amount":{"value":1,"currency":"eur"}}]}]}"#,
            "nothing",
        ] {
            assert!(parse("x.json", bad).is_err(), "{bad}");
        }
    }
}
