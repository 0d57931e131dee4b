//! The query of an address: read from a request, and written into a link.
use bytespike_ui::Visit;
use form_urlencoded::Serializer;

/// The pairs of a query, decoded. What is not valid UTF-8 is replaced, so that reading never fails.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub fn of(visit: &Visit) -> Self {
        Self(form_urlencoded::parse(visit.query.as_bytes()).into_owned().collect())
    }

    /// The first value of this name, if it says anything.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// `a=b&c=d`; pairs without a value are left out.
pub(crate) fn write(pairs: &[(&str, &str)]) -> String {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    Serializer::new(String::new()).extend_pairs(said).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_ui::Urls;

    #[test]
    fn what_is_written_reads_back() {
        let value = "夜间 & <b>=1+1?/%zz";
        let mut visit = Visit::new("/console/calls", Urls::single("http://x"));
        visit.query = write(&[("model", value), ("key", ""), ("from", "2026-11-01")]);
        let query = Query::of(&visit);
        assert_eq!(
            (query.get("model"), query.get("key"), query.get("from")),
            (Some(value), None, Some("2026-11-01"))
        );
    }
}
