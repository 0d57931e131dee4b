//! How the values of an event's fields are said: as money, moments, names and words instead of what is stored.
use super::Line;
use crate::pages::audit::words;
use crate::pages::keys::{limits, terms};
use crate::pages::members;
use crate::receipt;
use crate::when::Moments;
use bytespike_accounts::keys::{KeyState, Scope};
use bytespike_accounts::role::Role;
use bytespike_dialects::Dialect;
use bytespike_gateway::quota::Which;
use bytespike_payments::Currency;
use bytespike_store::names::Names;
use bytespike_ui::{Locale, Numbers, price_words};
use serde_json::Value;

/// What values are read with: times of an org, and names of what ids stand for.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub locale: Locale,
    pub numbers: Numbers,
    pub moments: &'a Moments,
    /// Of one org; without them ids stay what they are.
    pub names: Option<&'a Names>,
}

/// What some fields of an event say about others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    /// Of every amount in cents or fen.
    pub currency: Option<Currency>,
    /// What was asked for, and granted.
    pub limit: Option<Which>,
}

impl Beside {
    pub fn of(lines: &[Line]) -> Self {
        let text = |field: &str| lines.iter().find(|line| line.field == field)?.after.as_str();
        let has_amount = lines.iter().any(|line| line.field.ends_with("_minor"));
        Self {
            currency: text("currency").filter(|_| has_amount).and_then(Currency::parse),
            limit: text("limit").and_then(Which::parse),
        }
    }

    /// A currency stands in its amount, every key is live unless it is a test, and what only a database is for is left out.
    pub fn shows(self, line: &Line) -> bool {
        match line.field.as_str() {
            "request" => false,
            "currency" => self.currency.is_none(),
            "kind" => line.after.as_str() != Some("live"),
            field => !field.ends_with("_ms") || words::field(Locale::En, field).is_some(),
        }
    }
}

impl Reading<'_> {
    pub(super) fn said(self, field: &str, value: &Value, beside: Beside) -> String {
        match value {
            Value::Null => "—".to_owned(),
            Value::Bool(true) => self.locale.t().receipt.field.yes.to_owned(),
            Value::Bool(false) => self.locale.t().receipt.field.no.to_owned(),
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| number.to_string(), |number| self.number(field, number, beside)),
            Value::Array(values) => {
                let parts = values.iter().map(|value| self.said(field, value, beside));
                parts.collect::<Vec<_>>().join(", ")
            }
            Value::Object(parts) => {
                let parts = parts.iter().filter(|(_, value)| !value.is_null());
                let parts = parts.map(|(name, value)| format!("{name} = {}", self.said(name, value, beside)));
                parts.collect::<Vec<_>>().join(", ")
            }
            Value::String(text) => self.text(field, text),
        }
    }

    fn number(self, field: &str, number: i64, beside: Beside) -> String {
        match (field, beside.limit) {
            ("wanted" | "granted", Some(limit)) => limits::said(self.numbers, (limit, number)),
            _ if field.ends_with("_ms") => self.moments.written(number),
            _ if field.ends_with("_minor") => self.hundredths(number, beside.currency),
            _ if field.ends_with("_nano") => self.numbers.usd(number),
            _ => number.to_string(),
        }
    }

    /// What has words or a name is said by it; everything else is what somebody typed.
    fn text(self, field: &str, text: &str) -> String {
        let t = self.locale.t();
        let words = match field {
            "role" => Role::parse(text).map(|role| members::words::role(self.locale, role)),
            "scopes" => Scope::parse(text).map(|scope| terms::scope_label(self.locale, scope)),
            "limit" => Which::parse(text).map(|limit| limits::label_of(self.locale, limit)),
            "dialect" => Dialect::ALL.into_iter().find(|one| one.name() == text).map(Dialect::title),
            "unit" => price_words::unit(self.locale, text),
            "by" => self.by(text),
            "why" => self.why(text),
            "state" => self.state(text),
            "kind" if text == "top_up" => Some(t.operating.credits.top_up),
            "kind" if text == "grant" => Some(t.operating.credits.grant),
            "preset" if text == "global" => Some(t.settings.preset.global),
            "preset" if text == "china" => Some(t.settings.preset.china),
            _ => None,
        };
        match (words, field) {
            (Some(words), _) => words.to_owned(),
            (None, "component") => receipt::component_text(self.locale, text),
            (None, "holder" | "deployment" | "owner" | "parent_key_id" | "client") => self.named(text),
            (None, "asked_by" | "confirmed_by") => {
                self.named(text.split_once(':').map_or(text, |(_, id)| id))
            }
            _ => match text.strip_suffix(" credits") {
                Some(amount) => format!("{} credits", self.numbers.grouped(amount)),
                None => text.to_owned(),
            },
        }
    }

    /// Cents or fen as money of their currency, where that is known.
    fn hundredths(self, minor: i64, currency: Option<Currency>) -> String {
        /// A hundredth of a unit, in billionths of it.
        const NANO_PER_MINOR: i64 = 10_000_000;
        let nano = minor.saturating_mul(NANO_PER_MINOR);
        match currency {
            Some(Currency::Usd) => self.numbers.usd(nano),
            Some(Currency::Cny) => self.numbers.cny(nano),
            None => format!("{}.{:02}", minor / 100, (minor % 100).abs()),
        }
    }

    fn named(self, id: &str) -> String {
        self.names.map_or_else(|| id.to_owned(), |names| names.get(id))
    }

    /// The ways in; a provider is called what it is called.
    fn by(self, how: &str) -> Option<&'static str> {
        let t = &self.locale.t().people.by;
        Some(match how {
            "password" => t.password,
            "password and app" => t.password_app,
            "password and recovery code" => t.password_code,
            "password and a new app" => t.password_new_app,
            "passkey" => t.passkey,
            _ => return None,
        })
    }

    /// Why nobody came in.
    fn why(self, why: &str) -> Option<&'static str> {
        let t = &self.locale.t().people.why;
        Some(match why {
            "throttled" => t.throttled,
            "wrong" => t.wrong,
            "inactive" => t.inactive,
            "unverified" => t.unverified,
            "waits for approval" => t.waits,
            "passkey" => t.passkey,
            _ => return None,
        })
    }

    fn state(self, state: &str) -> Option<&'static str> {
        let (keys, webhooks) = (&self.locale.t().keys.state, &self.locale.t().webhooks.state);
        Some(match state {
            "on" => webhooks.on,
            "off" => webhooks.off,
            _ if state == KeyState::Active.as_str() => keys.active,
            _ if state == KeyState::Disabled.as_str() => keys.disabled,
            _ if state == KeyState::Revoked.as_str() => keys.revoked,
            _ if state == KeyState::Deleted.as_str() => keys.deleted,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;
    use serde_json::json;

    fn told(locale: Locale, detail: &Value) -> Vec<(String, String)> {
        let moments = Moments::new(locale, "UTC", 0);
        let numbers = Numbers::default();
        let reading = Reading { locale, numbers, moments: &moments, names: None };
        let lines = lines(&detail.to_string());
        let beside = Beside::of(&lines);
        let shown = lines.iter().filter(|line| beside.shows(line));
        shown.map(|line| (line.field.clone(), reading.said(&line.field, &line.after, beside))).collect()
    }

    fn pair(field: &str, said: &str) -> (String, String) {
        (field.to_owned(), said.to_owned())
    }

    #[test]
    fn amounts_read_as_money() {
        let paid = json!({ "before": null, "after": { "amount_minor": 5_000, "currency": "usd" } });
        assert_eq!(told(Locale::En, &paid), [pair("amount_minor", "$50.00")]);
        let given = json!({ "amount_nano": 2_500_000_000_i64, "kind": "grant" });
        assert_eq!(told(Locale::Zh, &given), [pair("amount_nano", "$2.50"), pair("kind", "赠送")]);
        let asked =
            json!({ "request": "qrq_1", "limit": "month", "wanted": 20_000_000_000_i64, "granted": null });
        assert_eq!(told(Locale::Zh, &asked), [pair("limit", "每个自然月"), pair("wanted", "$20.00")]);
        let set = json!({ "before": null, "after": { "month": "12500000.000 credits" } });
        assert_eq!(told(Locale::En, &set), [pair("month", "12,500,000.000 credits")]);
    }

    #[test]
    fn what_is_stored_reads_as_words() {
        let made = json!({
            "kind": "live", "after": { "scopes": ["inference", "usage:read"], "state": "active" }, "updated_at_ms": 7,
        });
        let said = [pair("scopes", "Call models, Read its own usage"), pair("state", "Active")];
        assert_eq!(told(Locale::En, &made), said);
        let signed_in = json!({ "by": "password and a new app", "why": "wrong" });
        assert_eq!(
            told(Locale::Zh, &signed_in),
            [pair("by", "密码和新的验证器应用"), pair("why", "密码不正确")]
        );
        let saved = json!({ "after": { "dialect": "openai-chat", "models": { "a": "b" } } });
        assert_eq!(
            told(Locale::En, &saved),
            [pair("dialect", "OpenAI Chat Completions"), pair("models", "a = b")]
        );
    }
}
