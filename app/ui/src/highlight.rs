//! Colours for code. A parser per language names the parts, a class names the colour; the sheets decide what it is.

use crate::page::escape;
use arborium::advanced::{Span, spans_to_html};
use arborium::{GrammarStore, Highlighter, HtmlFormat};
use std::sync::{Arc, LazyLock};

/// Compiling a grammar takes a thousand times as long as using it.
static GRAMMARS: LazyLock<Arc<GrammarStore>> = LazyLock::new(|| Arc::new(GrammarStore::new()));

/// The code as HTML: escaped, without its last line break, and in `<span class="tok-…">` where `language` (the word
/// after a Markdown fence) is one whose grammar is built in. Any other language is left plain.
#[must_use]
pub fn highlight(language: &str, code: &str) -> String {
    let code = code.trim_end_matches('\n');
    match Highlighter::with_store(GRAMMARS.clone()).highlight_spans(language, code) {
        Ok(spans) => spans_to_html(code, named(spans), &HtmlFormat::ClassNamesWithPrefix("tok".to_owned())),
        Err(_) => escape(code),
    }
}

/// A key of a JSON object is both a key and a string; it is shown as a key.
fn named(spans: Vec<Span>) -> Vec<Span> {
    let as_key = |mut span: Span| {
        if span.capture == "string.special.key" {
            span.capture = "property".to_owned();
            span.pattern_index = u32::MAX;
        }
        span
    };
    spans.into_iter().map(as_key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_code_are_told_apart() {
        for (language, code, wanted) in [
            ("json", "{\"a\": \"b\", \"n\": 1}", "<span class=\"tok-property\">&quot;a&quot;</span>"),
            ("json", "{\"a\": \"b\"}", "<span class=\"tok-string\">&quot;b&quot;</span>"),
            ("python", "import os  # why", "<span class=\"tok-keyword\">import</span>"),
            ("python", "import os  # why", "<span class=\"tok-comment\"># why</span>"),
            ("bash", "curl -i \"$URL\"", "<span class=\"tok-function\">curl</span>"),
            ("typescript", "const a = \"b\";", "<span class=\"tok-keyword\">const</span>"),
            ("toml", "a = \"b\"", "<span class=\"tok-property\">a</span>"),
            ("rust", "fn main() {}", "<span class=\"tok-keyword\">fn</span>"),
        ] {
            let html = highlight(language, code);
            assert!(html.contains(wanted), "{language}: {html}");
        }
    }

    #[test]
    fn without_its_spans_it_is_the_code_escaped() {
        let samples = [
            ("python", "if a < b and c:\n    print(\"<b>&'\")\n"),
            ("bash", "echo '{\"a\": [1, 2'"),
            ("text", "a -> b\n\n"),
        ];
        for (language, code) in samples {
            let mut plain = highlight(language, code).replace("</span>", "");
            while let (Some(from), Some(to)) = (plain.find("<span"), plain.find("\">")) {
                plain.replace_range(from..to + 2, "");
            }
            assert_eq!(plain, escape(code.trim_end_matches('\n')), "{language}");
        }
    }
}
