//! What an alert says to its reader: the balance is low, a payment was undone, a spend limit is used up or nearly so, a key
//! leaked, more was asked for.
use crate::mail::{Brief, Mail, Rendered, brief, render};
use crate::when::Moments;
use bytespike_accounts::call_limits::CallLimitKind;
use bytespike_accounts::orgs::Language;
use bytespike_catalog::NanoUsd;
use bytespike_gateway::quota::Which;
use bytespike_ledger::{Names, NodeId, Window};
use bytespike_payments::{Currency, INVOICE_ISSUED, RECHARGE_OFF, amount_text};
use bytespike_ui::{Locale, Numbers, Surface, Urls, Visit};
use serde::Deserialize;

/// An event as the ledger wrote it.
#[derive(Clone, Copy, Debug)]
pub struct AlertEvent<'a> {
    pub kind: &'a str,
    /// What it is about: a limit node, or the org.
    pub subject: &'a str,
    pub payload_json: &'a str,
}

#[derive(Deserialize)]
struct LowBalance {
    balance_credits: String,
    threshold_credits: String,
}

#[derive(Deserialize)]
struct QuotaRequest {
    request: String,
    node: String,
    limit: String,
    wanted: i64,
    reason: String,
    granted: Option<i64>,
    answer: String,
}

#[derive(Deserialize)]
struct KeyLeak {
    /// `key` or `credential`
    ended: String,
    found_at: String,
}

#[derive(Deserialize)]
struct KeyExpiring {
    expires_at_ms: i64,
    days: i64,
}

#[derive(Deserialize)]
struct StatementClosed {
    month: String,
    charged_credits: String,
}

#[derive(Deserialize)]
struct WebhookFailed {
    url: String,
}

#[derive(Deserialize)]
struct PaymentUndone {
    claimed_credits: String,
    owed_credits: String,
}

#[derive(Deserialize)]
struct RechargeOff {
    reason: String,
    currency: String,
    amount_minor: i64,
}

#[derive(Deserialize)]
struct InvoiceIssued {
    invoice: String,
    kind: String,
    number: String,
    amount: String,
    buyer: String,
    email: String,
    language: String,
}

#[derive(Deserialize)]
struct LimitShare {
    node: String,
    window: String,
    percent: i64,
    limit_credits: String,
    used_credits: String,
}

/// What pages tell of and no letter does.
const PAGES_ALONE: [&str; 1] = ["statement_closed"];
/// Whom a letter goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// Those who answer for the org, or are the member or hold the key that it is about.
    Readers,
    One(String, Language),
    /// There is nobody who wants one.
    Nobody,
}

/// Whom the event's letter goes to: of an invoice, to the address of the billing details.
pub fn addressee(event: AlertEvent<'_>) -> Addressee {
    let issued = serde_json::from_str(event.payload_json).ok().filter(|_| event.kind == INVOICE_ISSUED);
    let Some(InvoiceIssued { email, language, .. }) = issued else { return Addressee::Readers };
    if email.is_empty() { Addressee::Nobody } else { Addressee::One(email, Language::from_tag(&language)) }
}

/// The message in its reader's language; `None` for an event that nobody writes about.
pub fn write(event: AlertEvent<'_>, names: &Names, (locale, urls): (Locale, &Urls)) -> Option<Rendered> {
    let mail = mail_of(event, names, (locale, urls, Numbers::default()))
        .filter(|_| !PAGES_ALONE.contains(&event.kind))?;
    Some(render(&mail, locale, urls.base(Surface::Console)))
}

/// The same on a page; `None` for an event that has no words.
pub(crate) fn show(event: AlertEvent<'_>, names: &Names, visit: &Visit) -> Option<Brief> {
    let mail = mail_of(event, names, (visit.locale, &visit.urls, visit.numbers))?;
    Some(brief(&mail, visit.locale))
}

fn mail_of(
    event: AlertEvent<'_>,
    names: &Names,
    (locale, urls, numbers): (Locale, &Urls, Numbers),
) -> Option<Mail> {
    let usd = |credits: &str| NanoUsd::from_credits(credits).map(|amount| numbers.usd(amount.0));
    let link = |page: &str| format!("{}{}", urls.base(Surface::Console), locale.path(page));
    Some(match event.kind {
        "low_balance" => {
            let low: LowBalance = serde_json::from_str(event.payload_json).ok()?;
            let (balance, threshold) = (usd(&low.balance_credits)?, usd(&low.threshold_credits)?);
            Mail::LowBalance { link: link("/console/wallet"), balance, threshold }
        }
        "payment_undone" => {
            let undone: PaymentUndone = serde_json::from_str(event.payload_json).ok()?;
            let owed = NanoUsd::from_credits(&undone.owed_credits)?;
            Mail::PaymentUndone {
                link: link("/console/wallet"),
                amount: usd(&undone.claimed_credits)?,
                owed: (owed > NanoUsd::ZERO).then(|| numbers.usd(owed.0)),
            }
        }
        INVOICE_ISSUED => {
            let issued: InvoiceIssued = serde_json::from_str(event.payload_json).ok()?;
            let t = locale.t();
            let document = match issued.kind.as_str() {
                "credit_note" => t.invoices.page.credit_note(&issued.number),
                _ => t.invoices.page.invoice(&issued.number),
            };
            Mail::Notice {
                link: link(&format!("/console/wallet/invoices/{}", issued.invoice)),
                subject: t.invoices.mail.subject(&issued.amount, &document),
                intro: t.invoices.mail.intro(&issued.amount, &issued.buyer, &document),
                button: t.invoices.mail.button,
            }
        }
        RECHARGE_OFF => {
            let off: RechargeOff = serde_json::from_str(event.payload_json).ok()?;
            let t = &locale.t().recharge;
            let currency = Currency::parse(&off.currency)?;
            let amount = numbers.marked(&amount_text(currency, off.amount_minor));
            let why =
                if off.reason == "authentication_required" { t.why.authentication } else { t.why.refused };
            Mail::Notice {
                link: link("/console/wallet/recharge"),
                subject: t.mail.subject.to_owned(),
                intro: t.mail.intro(amount, why),
                button: t.mail.button,
            }
        }
        "limit_share" => {
            let share: LimitShare = serde_json::from_str(event.payload_json).ok()?;
            let node = NodeId::parse(&share.node)?;
            let page = if node.kind() == "key" {
                format!("/console/keys/{}", node.id())
            } else {
                "/console".to_owned()
            };
            Mail::LimitShare {
                link: link(&page),
                what: node_words(locale, &node, names),
                window: window_words(locale, Window::parse(&share.window)?),
                used: usd(&share.used_credits)?,
                limit: usd(&share.limit_credits)?,
                is_reached: share.percent >= 100,
            }
        }
        "key_expiring" => {
            let ending: KeyExpiring = serde_json::from_str(event.payload_json).ok()?;
            let node = NodeId::parse(event.subject)?;
            let (t, what) = (&locale.t().notices.letter, node_words(locale, &node, names));
            let at = Moments::new(locale, "UTC", ending.expires_at_ms).written(ending.expires_at_ms);
            Mail::Notice {
                link: link(&format!("/console/keys/{}", node.id())),
                subject: t.key_expiring_subject(ending.days.unsigned_abs(), &what),
                intro: t.key_expiring(&at, &what),
                button: t.see_key,
            }
        }
        "statement_closed" => {
            let closed: StatementClosed = serde_json::from_str(event.payload_json).ok()?;
            let t = &locale.t().notices.letter;
            Mail::Notice {
                link: link(&format!("/console/statements/{}", closed.month)),
                subject: t.statement_closed_subject(&closed.month),
                intro: t.statement_closed(usd(&closed.charged_credits)?),
                button: t.see_statement,
            }
        }
        "webhook_failed" => {
            let failed: WebhookFailed = serde_json::from_str(event.payload_json).ok()?;
            let (t, (_, id)) = (&locale.t().webhooks.letter, event.subject.split_once(':')?);
            Mail::Notice {
                link: link(&format!("/console/webhooks/{id}")),
                subject: t.subject(&failed.url),
                intro: t.intro(&failed.url),
                button: t.button,
            }
        }
        "key_leaked" => {
            let leak: KeyLeak = serde_json::from_str(event.payload_json).ok()?;
            let node = NodeId::parse(event.subject)?;
            Mail::KeyLeaked {
                link: link(&format!("/console/keys/{}", node.id())),
                what: node_words(locale, &node, names),
                found_at: leak.found_at,
                is_whole_key: leak.ended == "key",
            }
        }
        "quota_requested" | "quota_decided" => {
            let request: QuotaRequest = serde_json::from_str(event.payload_json).ok()?;
            let (node, asker) = (NodeId::parse(&request.node)?, NodeId::parse(event.subject)?);
            let which = Which::parse(&request.limit)?;
            let (limit, what) = (limit_words(locale, which), node_words(locale, &node, names));
            let who = names.get(asker.id()).split_whitespace().collect::<Vec<_>>().join(" ");
            match event.kind {
                "quota_requested" => Mail::QuotaRequested {
                    link: link(&format!("/console/limits/requests/{}", request.request)),
                    wanted: said(numbers, (which, request.wanted)),
                    reason: request.reason,
                    who,
                    limit,
                    what,
                },
                _ => Mail::QuotaDecided {
                    link: link("/console/limits"),
                    granted: request.granted.map(|granted| said(numbers, (which, granted))),
                    answer: request.answer,
                    who,
                    limit,
                    what,
                },
            }
        }
        _ => return None,
    })
}

/// A name comes from people: it is put on one line, so that it can neither forge a header nor a paragraph.
fn node_words(locale: Locale, node: &NodeId, names: &Names) -> String {
    let t = &locale.t().mail.limit_share;
    let name = names.get(node.id()).split_whitespace().collect::<Vec<_>>().join(" ");
    match node.kind() {
        "org" => t.of_org(name),
        "dep" => t.of_deployment(name),
        "mem" => t.of_member(name),
        _ => t.of_key(name),
    }
}

fn limit_words(locale: Locale, which: Which) -> &'static str {
    let t = &locale.t().mail.limit_share;
    match which {
        Which::Spend(window) => window_words(locale, window),
        Which::Calls(CallLimitKind::CreditsPerCall) => t.one_call,
        Which::Calls(CallLimitKind::RequestsPerMinute) => t.requests,
        Which::Calls(CallLimitKind::ConcurrentCalls) => t.at_once,
    }
}

fn said(numbers: Numbers, (which, value): (Which, i64)) -> String {
    if which.is_credits() { numbers.usd(value) } else { value.to_string() }
}

fn window_words(locale: Locale, window: Window) -> &'static str {
    let t = &locale.t().mail.limit_share;
    match window {
        Window::Lifetime => t.lifetime,
        Window::Month => t.month,
        Window::Week => t.seven_days,
        Window::Day => t.one_day,
        Window::FiveHours => t.five_hours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: &str, payload_json: &str, locale: Locale) -> Option<Rendered> {
        let urls = Urls::single("https://byte.example");
        write(AlertEvent { kind, subject: "key:key_1", payload_json }, &Names::default(), (locale, &urls))
    }

    #[test]
    fn an_alert_says_what_it_is_about_in_both_languages() {
        let low = r#"{"balance_credits":"490000.000","threshold_credits":"500000.000"}"#;
        let share = |node: &str, percent: i64| {
            format!(
                r#"{{"node":"{node}","window":"month","percent":{percent},"limit_credits":"5000000.000","used_credits":"4100000.000","resets_at_ms":null}}"#
            )
        };
        for locale in Locale::ALL {
            let mail = written("low_balance", low, locale).expect("written");
            assert!(mail.subject.contains("$0.50") && mail.text.contains("$0.49"), "{mail:?}");
            assert!(mail.text.contains("/console/wallet"));
            let near = written("limit_share", &share("key:key_1", 80), locale).expect("written");
            let reached = written("limit_share", &share("org:org_1", 100), locale).expect("written");
            assert_ne!(near.subject, reached.subject);
            assert!(near.text.contains("/console/keys/key_1") && near.text.contains("$4.10"), "{near:?}");
            assert!(reached.text.contains("$5.00") && !reached.subject.contains('\n'));
        }
        let failed = r#"{"url":"https://hooks.example/1","failing_since_ms":1}"#;
        for locale in Locale::ALL {
            let urls = Urls::single("https://byte.example");
            let about = AlertEvent { kind: "webhook_failed", subject: "webhook:whe_1", payload_json: failed };
            let mail = write(about, &Names::default(), (locale, &urls)).expect("written");
            assert!(mail.subject.contains("https://hooks.example/1"), "{mail:?}");
            assert!(mail.text.contains("/console/webhooks/whe_1"), "{mail:?}");
        }
        let (ending, closed) = (
            r#"{"expires_at_ms":1795512600000,"days":7}"#,
            r#"{"month":"2026-11","charged_credits":"4100000.000"}"#,
        );
        for locale in Locale::ALL {
            let mail = written("key_expiring", ending, locale).expect("written");
            assert!(mail.subject.contains('7') && mail.text.contains("2026"), "{mail:?}");
            assert_eq!(written("statement_closed", closed, locale), None, "pages alone tell of it");
            let visit = Visit::new(&locale.path("/console/notices"), Urls::single("https://byte.example"));
            let about = AlertEvent { kind: "statement_closed", subject: "org:o", payload_json: closed };
            let shown = show(about, &Names::default(), &visit).expect("shown");
            assert!(
                shown.text.contains("$4.10") && shown.link.ends_with("/console/statements/2026-11"),
                "{shown:?}"
            );
            assert!(!shown.title.contains("ByteSpike"), "{shown:?}");
            let visit = Visit { numbers: Numbers::PointComma, ..visit };
            assert!(show(about, &Names::default(), &visit).expect("shown").text.contains("$4,10"));
        }
        let leak = r#"{"credential_id":"7Qm3Zt9aLk2P","ended":"key","found_at":"https://gist.example/1"}"#;
        for locale in Locale::ALL {
            let mail = written("key_leaked", leak, locale).expect("written");
            assert!(
                mail.text.contains("https://gist.example/1") && mail.text.contains("/console/keys/key_1"),
                "{mail:?}"
            );
        }
        let request = |granted: &str| {
            format!(
                r#"{{"request":"qrq_1","node":"key:key_1","limit":"month","wanted":9000000000,"reason":"a launch",
                     "granted":{granted},"answer":"until Friday"}}"#
            )
        };
        for locale in Locale::ALL {
            let asked = written("quota_requested", &request("null"), locale).expect("written");
            assert!(asked.text.contains("$9.00") && asked.text.contains("a launch"), "{asked:?}");
            assert!(asked.text.contains("/console/limits/requests/qrq_1"));
            let granted = written("quota_decided", &request("8000000000"), locale).expect("written");
            let declined = written("quota_decided", &request("null"), locale).expect("written");
            assert!(granted.text.contains("$8.00") && declined.text.contains("until Friday"), "{granted:?}");
            assert_ne!(granted.subject, declined.subject);
        }
        for locale in Locale::ALL {
            let undone = |owed: &str| {
                let payload = format!(
                    r#"{{"claimed_credits":"60000000.000","taken_credits":"0.000","owed_credits":"{owed}"}}"#
                );
                written("payment_undone", &payload, locale).expect("written")
            };
            let (taken, owed) = (undone("0.000"), undone("12500000.000"));
            assert!(taken.subject.contains("$60.00") && !taken.text.contains("$0.00"), "{taken:?}");
            assert!(owed.subject.contains("$12.50") && owed.text.contains("$60.00"), "{owed:?}");
        }
        assert_eq!(written("price_change", "{}", Locale::En), None);
        assert_eq!(written("low_balance", "{}", Locale::En), None);
    }

    #[test]
    fn s136_a_name_stays_on_its_line() {
        let node = NodeId::key("x\r\nBcc: b@example.com");
        assert!(!node_words(Locale::En, &node, &Names::default()).contains(['\r', '\n']));
    }
}
