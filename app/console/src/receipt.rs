//! A receipt as the ledger wrote it, read back for a page; and why a call ended, in a plain sentence.
use bytespike_dialects::ErrorCode;
use bytespike_ui::Locale;
use serde::Deserialize;

/// The parts of a receipt's JSON that the page shows. What an older receipt lacks is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Body {
    pub id: String,
    pub outcome: String,
    pub reason: String,
    pub held: Credits,
    pub charged: Charged,
    pub returned: Credits,
    pub model: Models,
    pub price: Price,
    pub lines: Vec<Line>,
    pub sum_exact_credits: String,
    pub rounding_credits: String,
    pub over_hold_credits: String,
    pub usage_source: Option<String>,
    pub attempts: Vec<Attempt>,
    pub timing: Timing,
    pub caller: Caller,
    pub request: Request,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credits {
    pub credits: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Charged {
    pub credits: String,
    pub usd: String,
    pub cny: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Models {
    pub requested: String,
    pub served: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Price {
    pub version: i64,
    pub hash: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub component: String,
    pub qty: String,
    pub price_usd: String,
    pub per: String,
    pub credits: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attempt {
    pub n: i64,
    pub channel: String,
    pub status: Option<u16>,
    pub outcome: String,
    pub ms: i64,
    pub first_content_ms: Option<i64>,
    pub charged_credits: String,
    pub native_finish: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Timing {
    pub held_at: String,
    pub first_content_at: Option<String>,
    pub resolved_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Caller {
    pub deployment: String,
    pub member_id: String,
    pub member: String,
    pub key_id: String,
    pub key_name: String,
    pub key: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub id: String,
    pub protocol: String,
    pub stream: bool,
}

/// Why a call ended as it did; `None` for a reason there are no words for.
pub(crate) fn reason_text(locale: Locale, reason: &str) -> Option<&'static str> {
    let t = &locale.t().receipt.reason;
    Some(match reason {
        "stop" | "end_turn" | "stop_sequence" => t.stop,
        "length" | "max_tokens" => t.length,
        "tool_use" | "tool_calls" => t.tool_use,
        "content_filter" | "refusal" | "filtered" => t.content_filter,
        "cancelled_after_content" => t.cancelled_after_content,
        "revoked_after_content" => t.revoked_after_content,
        "upstream_error" => t.upstream_error,
        "upstream_overloaded" => t.upstream_overloaded,
        "upstream_unavailable" => t.upstream_unavailable,
        "upstream_timeout" => t.upstream_timeout,
        "upstream_rate_limited" => t.upstream_rate_limited,
        "upstream_credential_rejected" => t.upstream_credential_rejected,
        "upstream_200_error_body" => t.upstream_200_error_body,
        "upstream_garbled" => t.upstream_garbled,
        "timeout_connect" => t.timeout_connect,
        "timeout_first_byte" => t.timeout_first_byte,
        "timeout_idle" => t.timeout_idle,
        "stream_broke" => t.stream_broke,
        "moderation_rejected" => t.moderation_rejected,
        "nothing_landed" => t.nothing_landed,
        "cancelled_before_content" => t.cancelled_before_content,
        "gateway_restart" => t.gateway_restart,
        "gateway_fault" => t.gateway_fault,
        "ledger_unavailable" => t.ledger_unavailable,
        "released_by_operator" => t.released_by_operator,
        "expired" => t.expired,
        "job_failed" => t.job_failed,
        "job_timed_out" => t.job_timed_out,
        "asset_undeliverable" => t.asset_undeliverable,
        "cancelled_queued" => t.cancelled_queued,
        "cancelled_running" => t.cancelled_running,
        code => return error_text(locale, code),
    })
}

/// What the table of errors says of a code: an attempt may end with any that a provider's answer is read as.
fn error_text(locale: Locale, code: &str) -> Option<&'static str> {
    let row = ErrorCode::rows().iter().find(|row| row.name == code)?;
    Some(match locale {
        Locale::En => row.docs_en,
        Locale::Zh => row.docs_zh,
    })
}

/// What a receipt's line is for; an unknown component keeps its own name.
pub(crate) fn component_text(locale: Locale, component: &str) -> String {
    let t = &locale.t().receipt.component;
    match component {
        "input" => t.input,
        "output" => t.output,
        "reasoning" => t.reasoning,
        "cache_read" | "cache_read_explicit" => t.cache_read,
        "cache_write" => t.cache_write,
        "cache_write_5m" => t.cache_write_5m,
        "cache_write_1h" => t.cache_write_1h,
        "search" => t.search,
        "request" => t.request,
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_ledger::Reason;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_for_a_free_call_has_its_own_sentence_in_both_languages() {
        for locale in Locale::ALL {
            let sentences: BTreeSet<&str> = Reason::ALL
                .iter()
                .map(|reason| {
                    reason_text(locale, reason.name()).unwrap_or_else(|| panic!("{}", reason.name()))
                })
                .collect();
            assert_eq!(sentences.len(), Reason::ALL.len(), "two reasons share a sentence");
            assert!(sentences.iter().all(|sentence| sentence.is_ascii() == (locale == Locale::En)));
        }
    }

    #[test]
    fn every_code_an_attempt_may_end_with_has_words_in_both_languages() {
        let codes = ErrorCode::rows().iter().map(|row| row.name);
        for code in codes.chain(["cancelled_after_content", "revoked_after_content"]) {
            let [english, chinese] = Locale::ALL.map(|locale| {
                reason_text(locale, code).unwrap_or_else(|| panic!("a receipt has no words for {code}"))
            });
            assert!(!english.is_empty() && english != chinese, "{code}");
        }
        assert_eq!(reason_text(Locale::En, "end_of_the_world"), None);
    }

    #[test]
    fn a_receipt_from_the_future_still_reads() {
        let body: Body =
            serde_json::from_str(r#"{"id":"rcp_1","held":{"credits":"5.000","new":1},"asset":null}"#)
                .expect("reads");
        assert_eq!((body.held.credits.as_str(), body.lines.len()), ("5.000", 0));
        assert_eq!(component_text(Locale::Zh, "telepathy"), "telepathy");
    }
}
