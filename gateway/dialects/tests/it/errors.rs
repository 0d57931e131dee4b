//! The error table, errors in each dialect, and what becomes of upstream errors.

use std::collections::HashSet;

use bytespike_dialects::error::Retry;
use bytespike_dialects::upstream_failure::FailureHeaders;
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo, UpstreamFailure};
use serde_json::{Value, json};

use crate::support::*;

fn classify(status: u16, body: Value) -> UpstreamFailure {
    UpstreamFailure::classify(status, FailureHeaders::default(), body.to_string().as_bytes())
}

fn rendered(error: &ErrorInfo, dialect: Dialect) -> (u16, Value) {
    let (status, body) = error.render(dialect);
    (status, serde_json::from_slice(&body).unwrap())
}

#[test]
fn every_row_is_complete_and_named_once() {
    let rows = ErrorCode::rows();
    let names: HashSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len());
    for row in rows {
        assert_eq!(row.code.row().name, row.name, "variants and rows are in one order");
        assert!((400..600).contains(&row.status) && (400..600).contains(&row.anthropic_status));
        assert!(row.docs_en.ends_with('.') && row.docs_zh.ends_with('。'), "{}", row.name);
        assert!(row.message.ends_with(['.', '}']), "{}", row.name);
        assert_eq!(row.retry == Retry::AfterReset, row.name == "spend_window_exceeded");
    }
}

#[test]
fn an_error_is_in_the_envelope_of_its_dialect() {
    let error = ErrorInfo::new(ErrorCode::ModelNotFound, &[("model", "gpt-9")]).with_request_id("req_1");
    let (status, body) = rendered(&error, MESSAGES);
    assert_eq!(
        (status, &body["type"], &body["error"]["type"], &body["request_id"]),
        (404, &json!("error"), &json!("not_found_error"), &json!("req_1"))
    );
    let (status, body) = rendered(&error, CHAT);
    assert_eq!(
        (status, &body["error"]["code"], &body["error"]["param"]),
        (404, &json!("model_not_found"), &Value::Null)
    );
    assert!(body["error"]["message"].as_str().unwrap().contains("'gpt-9'"));
}

#[test]
fn money_is_402_and_windows_are_429() {
    let lifetime = ErrorInfo::new(ErrorCode::QuotaExceeded, &[]);
    let window = ErrorInfo::new(ErrorCode::SpendWindowExceeded, &[]).with_retry_after_ms(3_600_000);
    let wallet = ErrorInfo::new(ErrorCode::InsufficientCredits, &[]);
    for (error, status, code) in [
        (&lifetime, 402, "quota_exceeded"),
        (&window, 429, "quota_exceeded"),
        (&wallet, 402, "insufficient_credits"),
    ] {
        let (seen, body) = rendered(error, MESSAGES);
        assert_eq!((seen, body["error"]["type"].as_str()), (status, Some("billing_error")));
        assert_eq!(rendered(error, CHAT).1["error"]["code"], code);
        assert!(error.retry_headers().contains(&("x-should-retry", "false".to_owned())));
    }
    let soon = ErrorInfo::new(ErrorCode::SpendWindowExceeded, &[]).with_retry_after_ms(30_500);
    assert_eq!(
        soon.retry_headers(),
        [("x-should-retry", "true".to_owned()), ("retry-after", "31".to_owned())]
    );
}

#[test]
fn statuses_become_errors_of_ours() {
    for (status, code, client) in [
        (401, ErrorCode::UpstreamCredentialRejected, 502),
        (403, ErrorCode::UpstreamCredentialRejected, 502),
        (404, ErrorCode::UpstreamError, 502),
        (429, ErrorCode::UpstreamRateLimited, 429),
        (500, ErrorCode::UpstreamError, 502),
        (503, ErrorCode::UpstreamOverloaded, 503),
        (504, ErrorCode::UpstreamTimeout, 504),
    ] {
        let failure = classify(status, json!({ "error": { "message": "m" } }));
        assert_eq!((failure.code, failure.elsewhere), (code, true));
        assert_eq!(failure.error_info("m").render(CHAT).0, client);
    }
    let bad = classify(
        400,
        json!({ "error": { "message": "'x' is wrong", "type": "invalid_request_error", "param": "x" } }),
    );
    assert_eq!((bad.code, bad.elsewhere), (ErrorCode::InvalidRequest, false));
    assert_eq!(bad.error_info("m").param.as_deref(), Some("x"));
}

#[test]
fn words_weigh_more_than_statuses() {
    for (status, error, code) in [
        (429, json!({ "code": "insufficient_quota" }), ErrorCode::UpstreamCredentialRejected),
        (400, json!({ "code": "content_filter" }), ErrorCode::ContentFiltered),
        (500, json!({ "type": "overloaded_error" }), ErrorCode::UpstreamOverloaded),
        (400, json!({ "status": "RESOURCE_EXHAUSTED", "code": 429 }), ErrorCode::UpstreamRateLimited),
    ] {
        assert_eq!(classify(status, json!({ "error": error })).code, code, "{error}");
    }
}

#[test]
fn v19_a_context_overflow_reads_the_same_whoever_reports_it() {
    for message in [
        "This model's maximum context length is 128,000 tokens. However, your messages resulted in 131072 tokens.",
        "prompt is too long: 131072 tokens > 128000 maximum",
        "The input token count (131072) exceeds the maximum number of tokens allowed (128000).",
    ] {
        let failure = classify(400, json!({ "error": { "message": message } }));
        assert_eq!((failure.code, failure.elsewhere), (ErrorCode::ContextLengthExceeded, false));
        let (status, body) = rendered(&failure.error_info("m"), MESSAGES);
        assert_eq!((status, &body["error"]["type"]), (400, &json!("invalid_request_error")));
        assert_eq!(body["error"]["message"], "prompt is too long: 131072 tokens > 128000 maximum");
        assert_eq!(rendered(&failure.error_info("m"), CHAT).1["error"]["code"], "context_length_exceeded");
    }
}

#[test]
fn nothing_of_the_upstream_leaks() {
    let message = "Incorrect API key sk-live-abc123 for org-42 at https://api.secret.com/v1 (host api.secret.com, 10.0.0.7:8080, ops@secret.com)";
    for status in [400, 401, 429, 500] {
        let text = classify(status, json!({ "error": { "message": message } })).error_info("m").message;
        for secret in ["sk-live", "org-42", "secret.com", "10.0.0.7"] {
            assert!(!text.contains(secret), "{status}: {text}");
        }
    }
}

#[test]
fn waits_are_read_in_both_spellings() {
    let wait = |retry_after, retry_after_ms| {
        let headers = FailureHeaders { retry_after, retry_after_ms };
        UpstreamFailure::classify(429, headers, b"").retry_after_ms
    };
    assert_eq!(wait(Some("2"), None), Some(2000));
    assert_eq!(wait(Some("1.5"), Some("250")), Some(250));
    for odd in ["", "-1", "NaN", "inf", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        assert_eq!(wait(Some(odd), None), None, "{odd}");
    }
    assert_eq!(wait(Some("1e300"), None), Some(86_400_000));
}

#[test]
fn an_upstreams_html_is_not_shown() {
    let failure =
        UpstreamFailure::classify(502, FailureHeaders::default(), b"<html><body>nginx</body></html>");
    assert!(!failure.error_info("m").message.contains('<'));
}
