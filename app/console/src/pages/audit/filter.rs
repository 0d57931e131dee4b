//! Which events are listed: read from the address, and written back into it.
use crate::query::{self, Query};
use crate::when::Moments;
use bytespike_accounts::audit::AuditFilter;

/// The filters as they stand in the address. What cannot be read filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// `person:…`, `key:…`
    pub actor: String,
    /// A thing with its point (`key.`), or the whole name of an event.
    pub event: String,
    pub target: String,
    /// Days as typed, `2026-11-22`; both inclusive.
    pub from: String,
    pub to: String,
}

impl Filter {
    pub fn of(query: &Query) -> Self {
        let text = |name: &str| query.get(name).unwrap_or_default().to_owned();
        Self {
            actor: text("actor"),
            event: text("event"),
            target: text("target"),
            from: text("from"),
            to: text("to"),
        }
    }

    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    pub fn with_actor(&self, actor: &str) -> Self {
        Self { actor: actor.to_owned(), ..self.clone() }
    }

    pub fn with_target(&self, target: &str) -> Self {
        Self { target: target.to_owned(), ..self.clone() }
    }

    /// The address of `page` with these filters, after the event of this number.
    pub fn address(&self, page: &str, after: Option<i64>) -> String {
        let after = after.map(|seq| seq.to_string()).unwrap_or_default();
        let pairs = [
            ("event", self.event.as_str()),
            ("actor", &self.actor),
            ("target", &self.target),
            ("from", &self.from),
            ("to", &self.to),
            ("after", &after),
        ];
        match query::write(&pairs) {
            query if query.is_empty() => page.to_owned(),
            query => format!("{page}?{query}"),
        }
    }

    pub fn asked(&self, moments: &Moments, before_seq: Option<i64>) -> AuditFilter {
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        AuditFilter {
            actor: said(&self.actor),
            event: said(&self.event),
            target: said(&self.target),
            from_ms: moments.midnight(&self.from, 0),
            to_ms: moments.midnight(&self.to, 1),
            before_seq,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_ui::{Locale, Urls, Visit};

    #[test]
    fn filters_survive_the_address_and_nonsense_filters_nothing() {
        let mut visit = Visit::new("/console/audit", Urls::single("http://x"));
        visit.query = "event=key.&actor=person%3Ausr_1&from=2026-11-01&to=yesterday&after=12".to_owned();
        let filter = Filter::of(&Query::of(&visit));
        visit.query =
            filter.address("/console/audit", Some(7)).split_once('?').expect("a query").1.to_owned();
        assert_eq!(
            (Filter::of(&Query::of(&visit)), Query::of(&visit).get("after")),
            (filter.clone(), Some("7"))
        );
        let asked = filter.asked(&Moments::new(Locale::En, "UTC", 0), None);
        assert!(asked.from_ms.is_some() && asked.to_ms.is_none());
        assert_eq!(Filter::default().address("/console/audit", None), "/console/audit");
    }
}
