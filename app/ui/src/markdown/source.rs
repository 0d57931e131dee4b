//! Fills in what a content file leaves to the installation: `{{facts}}`, and links in the reader's language.
//! The result is still Markdown; the `.md` mirrors serve it, and the HTML is made from it.

use super::Fault;
use std::collections::BTreeMap;

/// Values for the `{{name}}` placeholders of content files. A value may be several lines of Markdown.
pub type Facts = BTreeMap<&'static str, String>;

/// `body` with every `{{name}}` replaced and every link to an own path (`](/docs/…)`) passed through `link`.
///
/// # Errors
/// A placeholder has no value in `facts`.
pub fn resolve(body: &str, facts: &Facts, link: &dyn Fn(&str) -> String) -> Result<String, Fault> {
    Ok(own_links(&filled(body, facts)?, link))
}

fn filled(body: &str, facts: &Facts) -> Result<String, Fault> {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, tail) =
            after.split_once("}}").ok_or_else(|| Fault(format!("`{{{{` is not closed after: {before}")))?;
        let value = facts.get(name).ok_or_else(|| Fault(format!("there is no fact `{{{{{name}}}}}`")))?;
        out.push_str(before);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

fn own_links(body: &str, link: &dyn Fn(&str) -> String) -> String {
    const OPENING: &str = "](/";
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find(OPENING) {
        let (before, after) = rest.split_at(at + OPENING.len() - 1);
        out.push_str(before);
        let end = after.find(')').unwrap_or(after.len());
        out.push_str(&link(&after[..end]));
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts::from([("gateway", "https://g.example".to_owned())])
    }

    #[test]
    fn facts_and_links_are_filled_in() {
        let link = |path: &str| format!("/zh{path}");
        let text =
            resolve("Use {{gateway}}/v1, see [a](/docs/a#b) and [c](https://c.example).", &facts(), &link);
        assert_eq!(
            text.unwrap(),
            "Use https://g.example/v1, see [a](/zh/docs/a#b) and [c](https://c.example)."
        );
    }

    #[test]
    fn an_unknown_fact_is_a_fault() {
        let fault = resolve("{{price}}", &facts(), &str::to_owned).unwrap_err();
        assert!(fault.0.contains("{{price}}"), "{fault}");
    }
}
