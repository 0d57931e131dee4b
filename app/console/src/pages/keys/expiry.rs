//! When a key ends, in a form: times from now, as far as the nodes above it let a key live.
use crate::forms::Form;
use crate::pages::keys::limits::node_words;
use crate::when::Moments;
use bytespike_accounts::keys::{Allowed, TooLong};
use bytespike_ui::components::{Select, SelectOption};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

const DAY_MS: i64 = 24 * 3_600_000;
const DAYS: [i64; 4] = [7, 30, 90, 365];
/// The choice of the last moment that is allowed, where there is one.
const LATEST: &str = "latest";

/// What there is to choose from.
pub(crate) struct Ends {
    now_ms: i64,
    /// The end it has, of what is changed.
    kept_ms: Option<i64>,
    is_change: bool,
    /// Which node bounds it, and how.
    most: Option<TooLong>,
}

impl Ends {
    /// Of something that is new.
    pub fn fresh(now_ms: i64) -> Self {
        Self { now_ms, kept_ms: None, is_change: false, most: None }
    }

    /// Of something that is changed and ends then.
    pub fn kept(self, kept_ms: Option<i64>) -> Self {
        Self { kept_ms, is_change: true, ..self }
    }

    /// Of a key made at `made_at_ms`, within what is allowed above it.
    pub fn within(self, above: &Allowed, made_at_ms: i64) -> Self {
        let most = above.lifetime.as_ref().map(|lifetime| TooLong {
            latest_ms: lifetime.latest_ms(made_at_ms),
            node: lifetime.node.clone(),
            days: lifetime.days,
        });
        Self { most, ..self }
    }

    /// The choice a new key's form opens with: the longest that fits.
    pub fn opening(&self) -> String {
        let Some(most) = &self.most else { return "never".to_owned() };
        let fitting = DAYS.into_iter().rev().find(|days| self.in_days_ms(*days) <= most.latest_ms);
        fitting.map_or_else(|| LATEST.to_owned(), |days| days.to_string())
    }

    /// What was chosen; a fault stands beside the field.
    pub fn read(&self, form: &mut Form, locale: Locale) -> Option<i64> {
        let value = form.value("expiry").to_owned();
        match (value.as_str(), &self.most) {
            ("" | "never", _) => None,
            ("keep", _) if self.is_change => self.kept_ms,
            (LATEST, Some(most)) => Some(most.latest_ms),
            (days, _) => {
                let known = DAYS.into_iter().find(|known| known.to_string() == days);
                if known.is_none() {
                    form.refuse("expiry", locale.t().keys.error.expiry_unknown);
                }
                known.map(|days| self.in_days_ms(days))
            }
        }
    }

    fn in_days_ms(&self, days: i64) -> i64 {
        self.now_ms + days * DAY_MS
    }

    fn options(&self, visit: &Visit, moments: &Moments) -> Vec<SelectOption> {
        let t = &visit.t().keys.create;
        let choice = |value: String, label: String, end_ms: Option<i64>| match &self.most {
            Some(most) if end_ms.is_none_or(|end| end > most.latest_ms) => {
                let node = node_words(visit.locale, &most.node);
                SelectOption::disabled(value, t.expiry_beyond(most.days, &label, node))
            }
            _ => SelectOption::new(value, label),
        };
        // Without an end, as it is means never, whatever a node above allows by now.
        let as_it_is = if self.kept_ms.is_some() { t.expiry_keep } else { t.expiry_never };
        let keep = self.is_change.then(|| SelectOption::new("keep", as_it_is));
        let never = (!self.is_change || self.kept_ms.is_some())
            .then(|| choice("never".to_owned(), t.expiry_never.to_owned(), None));
        let days =
            DAYS.map(|days| choice(days.to_string(), t.expiry_days(days), Some(self.in_days_ms(days))));
        let latest = self
            .most
            .as_ref()
            .filter(|most| most.latest_ms > self.now_ms)
            .map(|most| SelectOption::new(LATEST, t.expiry_latest(moments.written(most.latest_ms))));
        keep.into_iter().chain(never).chain(days).chain(latest).collect()
    }

    /// The field.
    pub fn field(&self, visit: &Visit, moments: &Moments, form: &Form) -> AnyView {
        let label = visit.t().keys.create.expiry;
        let options = self.options(visit, moments);
        view! {
            <Select
                id="expiry" label=label options=options selected=form.value("expiry")
                nostrip:fault=form.fault("expiry")
            />
        }
        .into_any()
    }
}

/// A key would live too long, beside its field.
pub(crate) fn refuse(form: &mut Form, (locale, moments): (Locale, &Moments), too_long: &TooLong) {
    let node = node_words(locale, &too_long.node);
    let date = moments.written(too_long.latest_ms);
    form.refuse("expiry", locale.t().keys.error.lives_too_long(date, too_long.days, node));
}
