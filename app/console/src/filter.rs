//! Which calls are listed: read from the address, written back into it, and turned into what the ledger is asked.
use crate::query::{self, Query};
use crate::when::Moments;
use bytespike_ledger::CallFilter;

/// How a call ended, as far as the list tells calls apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    #[default]
    All,
    Billed,
    NotBilled,
    Running,
}

/// The filters as they stand in the address. What cannot be read filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub outcome: Outcome,
    pub model: String,
    pub key_id: String,
    /// Days as typed, `2026-11-22`; both inclusive.
    pub from: String,
    pub to: String,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::All, Self::Billed, Self::NotBilled, Self::Running];

    pub const fn code(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Billed => "billed",
            Self::NotBilled => "not-billed",
            Self::Running => "running",
        }
    }

    /// The ledger's states; none means any.
    pub const fn states(self) -> &'static [&'static str] {
        match self {
            Self::All => &[],
            Self::Billed => &["settled"],
            Self::NotBilled => &["released", "expired"],
            Self::Running => &["held"],
        }
    }
}

impl Filter {
    pub fn of(query: &Query) -> Self {
        let text = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let outcome = text("outcome");
        Self {
            outcome: Outcome::ALL.into_iter().find(|known| known.code() == outcome).unwrap_or_default(),
            model: text("model"),
            key_id: text("key"),
            from: text("from"),
            to: text("to"),
        }
    }

    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// The same filters with another outcome.
    pub fn with_outcome(&self, outcome: Outcome) -> Self {
        Self { outcome, ..self.clone() }
    }

    /// The address of `page` with these filters, after the row that `after` names.
    pub fn address(&self, page: &str, after: &str) -> String {
        let pairs = [
            ("outcome", self.outcome.code()),
            ("model", &self.model),
            ("key", &self.key_id),
            ("from", &self.from),
            ("to", &self.to),
            ("after", after),
        ];
        match query::write(&pairs) {
            query if query.is_empty() => page.to_owned(),
            query => format!("{page}?{query}"),
        }
    }

    /// What the ledger is asked, but for the state. `member_id` narrows to one member's calls.
    pub fn asked(&self, moments: &Moments, member_id: Option<&str>) -> CallFilter {
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        CallFilter {
            key_id: said(&self.key_id),
            member_id: member_id.map(str::to_owned),
            model: said(&self.model),
            from_ms: moments.midnight(&self.from, 0),
            to_ms: moments.midnight(&self.to, 1),
            ..CallFilter::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_ui::{Locale, Urls, Visit};

    fn filter(query: &str) -> Filter {
        let mut visit = Visit::new("/console/calls", Urls::single("http://x"));
        visit.query = query.to_owned();
        Filter::of(&Query::of(&visit))
    }

    #[test]
    fn filters_survive_the_address() {
        let typed = filter("outcome=not-billed&model=claude%2Fx&from=2026-11-01&to=2026-11-02");
        assert_eq!(typed.outcome, Outcome::NotBilled);
        let address = typed.address("/console/calls", "5.rcp_1");
        assert_eq!(filter(address.split_once('?').expect("a query").1), typed);
        assert_eq!(Filter::default().address("/console/calls", ""), "/console/calls");
    }

    #[test]
    fn both_days_are_inclusive_and_nonsense_filters_nothing() {
        let moments = Moments::new(Locale::En, "Asia/Shanghai", 0);
        let asked = filter("from=2026-11-22&to=2026-11-22").asked(&moments, None);
        let (from, to) = (asked.from_ms.expect("a start"), asked.to_ms.expect("an end"));
        assert_eq!(to - from, 24 * 3_600_000);
        assert_eq!(from, 1_795_276_800_000, "midnight in Shanghai");
        let nonsense = filter("outcome=refunds&from=yesterday").asked(&moments, Some("mem_1"));
        assert_eq!((nonsense.from_ms, nonsense.state), (None, None));
        assert_eq!(nonsense.member_id.as_deref(), Some("mem_1"), "the reader's own limits stay");
    }
}
