//! The events of the Markdown parser become HTML: headings with anchors, notes, code, tables, links, soft breaks.

use super::script::{is_han, with_strong_tags};
use crate::components::{Icon, IconName};
use crate::highlight::highlight;
use crate::page::fragment;
use crate::{Locale, Surface, Visit};
use leptos::prelude::*;
use pulldown_cmark::{
    BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html,
};

/// A rendered text.
#[derive(Debug, Clone, Default)]
pub struct Document {
    pub html: String,
    /// Every heading in order, for the table of contents.
    pub headings: Vec<Heading>,
    /// The text again without markup, one section per heading; the first has no heading.
    pub sections: Vec<Section>,
    /// Every address linked to.
    pub links: Vec<String>,
    /// Minutes to read it, code left out: 220 English words or 400 Chinese characters a minute, at least 1.
    pub minutes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 2 for `##`.
    pub level: u8,
    pub id: String,
    pub text: String,
}

#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The id of its heading; empty for what stands before the first.
    pub id: String,
    pub title: String,
    pub text: String,
    /// What its code blocks hold: to be found, and not to be read in a result.
    pub code: String,
}

/// Renders resolved Markdown (see [`super::resolve`]) for a visit: its language decides about line breaks,
/// quotation marks and labels, its addresses about which links lead outside.
#[must_use]
pub fn render(markdown: &str, visit: &Visit) -> Document {
    let source = match visit.locale {
        Locale::En => markdown.into(),
        Locale::Zh => with_strong_tags(markdown),
    };
    let events: Vec<Event<'_>> = Parser::new_ext(&source, options(visit.locale)).collect();
    let out = Vec::with_capacity(events.len());
    let mut writer = Writer { visit, document: Document::default(), out, is_in_table: false };
    writer.document.sections.push(Section::default());
    writer.write_all(events);
    writer.finish()
}

fn options(locale: Locale) -> Options {
    let common = Options::ENABLE_TABLES
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES;
    match locale {
        Locale::En => common | Options::ENABLE_SMART_PUNCTUATION,
        Locale::Zh => common,
    }
}

struct Writer<'a> {
    visit: &'a Visit,
    document: Document,
    out: Vec<Event<'a>>,
    is_in_table: bool,
}

impl<'a> Writer<'a> {
    fn write_all(&mut self, events: Vec<Event<'a>>) {
        let mut events = events.into_iter().peekable();
        let mut before = None;
        while let Some(event) = events.next() {
            let last = last_char(&event);
            match event {
                Event::SoftBreak => {
                    let after = events.peek().and_then(first_char);
                    if !joins(before, after) {
                        self.remember(" ");
                        self.out.push(Event::SoftBreak);
                    }
                }
                Event::Start(Tag::Heading { level, id, .. }) => {
                    let id = id.map(CowStr::into_string).unwrap_or_default();
                    let inside: Vec<_> =
                        take_until(&mut events, |event| matches!(event, Event::End(TagEnd::Heading(_))));
                    self.heading(level, id, inside);
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let inside =
                        take_until(&mut events, |event| matches!(event, Event::End(TagEnd::CodeBlock)));
                    self.code(&kind, &text_of(&inside));
                }
                other => self.plain(other),
            }
            before = last;
        }
    }

    fn heading(&mut self, level: HeadingLevel, id: String, inside: Vec<Event<'a>>) {
        let text = text_of(&inside);
        self.html(format!("<{level} id=\"{id}\">"));
        self.out.extend(inside);
        let label = self.visit.t().docs.page.section_link;
        self.html(format!("<a class=\"anchor\" href=\"#{id}\" aria-label=\"{label}\"></a></{level}>"));
        self.document.headings.push(Heading { level: level as u8, id: id.clone(), text: text.clone() });
        self.document.sections.push(Section { id, title: text, ..Section::default() });
    }

    fn code(&mut self, kind: &CodeBlockKind<'_>, code: &str) {
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or("text"),
            CodeBlockKind::Indented => "text",
        };
        let t = &self.visit.t().common.copy;
        let labels = &self.visit.t().docs.code;
        let (title, copy, copied) = (display_name(language).unwrap_or(labels.text), t.copy, t.copied);
        self.html(format!(
            "<figure class=\"code\" data-copy=\"{copy}\" data-copied=\"{copied}\"><figcaption>{title}</figcaption>\
             <pre tabindex=\"0\" role=\"group\" aria-label=\"{title}\" translate=\"no\">\
             <code class=\"language-{language}\">{}</code></pre></figure>",
            highlight(language, code)
        ));
        if let Some(section) = self.document.sections.last_mut() {
            section.code.push_str(code);
        }
    }

    fn plain(&mut self, event: Event<'a>) {
        match event {
            Event::Start(Tag::BlockQuote(Some(kind))) => {
                let (class, icon, label) = self.note(kind);
                let icon = fragment(move || view! { <Icon name=icon/> }.into_any());
                self.html(format!(
                    "<div class=\"callout {class}\" role=\"note\">{icon}<div><p class=\"callout-title\">{label}</p>"
                ));
            }
            Event::End(TagEnd::BlockQuote(Some(_))) => self.html("</div></div>".to_owned()),
            // A table wider than the screen scrolls in its frame, by keyboard too.
            Event::Start(Tag::Table(_)) => {
                self.is_in_table = true;
                self.html("<div class=\"table-scroll\" tabindex=\"0\">".to_owned());
                self.out.push(event);
            }
            Event::End(TagEnd::Table) => {
                self.is_in_table = false;
                self.out.push(event);
                self.html("</div>".to_owned());
            }
            Event::Start(Tag::Link { dest_url, .. }) => self.link(&dest_url),
            Event::End(TagEnd::Link) => self.html("</a>".to_owned()),
            Event::Text(text) => {
                self.remember(&text);
                self.document.minutes += weight(&text);
                self.out.push(Event::Text(text));
            }
            Event::Code(code) => {
                self.remember(&code);
                if self.is_in_table {
                    self.html(breakable_code(&code));
                } else {
                    self.out.push(Event::Code(code));
                }
            }
            Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::TableCell | TagEnd::Item) => {
                self.remember(" ");
                self.out.push(event);
            }
            other => self.out.push(other),
        }
    }

    fn link(&mut self, address: &str) {
        self.document.links.push(address.to_owned());
        let rel = if self.is_own(address) { "" } else { " rel=\"noopener external\"" };
        let address = address.replace('&', "&amp;").replace('"', "&quot;");
        self.html(format!("<a href=\"{address}\"{rel}>"));
    }

    fn is_own(&self, address: &str) -> bool {
        let surfaces = [Surface::Site, Surface::Docs, Surface::Console, Surface::Gateway];
        !address.contains("://")
            || surfaces.iter().any(|surface| address.starts_with(self.visit.urls.base(*surface)))
    }

    fn note(&self, kind: BlockQuoteKind) -> (&'static str, IconName, &'static str) {
        let labels = &self.visit.t().docs.note;
        match kind {
            BlockQuoteKind::Note => ("note", IconName::Info, labels.note),
            BlockQuoteKind::Tip => ("tip", IconName::Zap, labels.tip),
            BlockQuoteKind::Important => ("note", IconName::Info, labels.important),
            BlockQuoteKind::Warning => ("warning", IconName::Alert, labels.warning),
            BlockQuoteKind::Caution => ("warning", IconName::Alert, labels.caution),
        }
    }

    fn remember(&mut self, text: &str) {
        if let Some(section) = self.document.sections.last_mut() {
            section.text.push_str(text);
        }
    }

    fn html(&mut self, html: String) {
        self.out.push(Event::InlineHtml(html.into()));
    }

    fn finish(mut self) -> Document {
        html::push_html(&mut self.document.html, self.out.into_iter());
        self.document.minutes = (self.document.minutes / UNITS_PER_MINUTE).max(1);
        self.document
    }
}

/// Reading time is counted in 1/8800 of a minute, which both rates divide: a word is 40 of them, a Han character 22.
const UNITS_PER_MINUTE: usize = 8800;

fn weight(text: &str) -> usize {
    let han = text.chars().filter(|character| is_han(*character)).count();
    let words = text
        .split(|character: char| is_han(character) || character.is_whitespace())
        .filter(|word| !word.is_empty());
    han * 22 + words.count() * 40
}

/// In a narrow column a name breaks between its words; copying it stays clean.
fn breakable_code(code: &str) -> String {
    let escaped = code.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<code>{}</code>", escaped.replace('_', "_<wbr>").replace('.', ".<wbr>"))
}

/// What stands above a code block; `None` for what is in no language.
fn display_name(language: &str) -> Option<&str> {
    Some(match language {
        "bash" => "Shell",
        "python" => "Python",
        "typescript" => "TypeScript",
        "json" => "JSON",
        "http" => "HTTP",
        "toml" => "TOML",
        "sql" => "SQL",
        "rust" => "Rust",
        "text" => return None,
        other => other,
    })
}

/// Chinese lines join without the space a line break would leave.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(is_han) && after.is_some_and(is_han)
}

fn first_char(event: &Event<'_>) -> Option<char> {
    match event {
        Event::Text(text) => text.chars().next(),
        _ => None,
    }
}

fn last_char(event: &Event<'_>) -> Option<char> {
    match event {
        Event::Text(text) => text.chars().next_back(),
        _ => None,
    }
}

fn take_until<'a>(
    events: &mut impl Iterator<Item = Event<'a>>,
    is_end: impl Fn(&Event<'a>) -> bool,
) -> Vec<Event<'a>> {
    events.take_while(|event| !is_end(event)).collect()
}

fn text_of(events: &[Event<'_>]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        Event::SoftBreak | Event::HardBreak => Some(" "),
        _ => None,
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Urls;

    fn rendered(path: &str, markdown: &str) -> Document {
        render(markdown, &Visit::new(path, Urls::single("https://b.example")))
    }

    #[test]
    fn chinese_lines_join_and_english_lines_do_not() {
        assert_eq!(rendered("/zh/docs", "前一行\n后一行\n").html, "<p>前一行后一行</p>\n");
        assert_eq!(rendered("/docs", "one\ntwo\n").html, "<p>one\ntwo</p>\n");
        assert_eq!(rendered("/zh/docs", "使用\nAPI\n").html, "<p>使用\nAPI</p>\n");
    }

    #[test]
    fn quotation_marks_are_curled_in_english_alone() {
        assert_eq!(rendered("/docs", "it's \"so\"").html, "<p>it’s “so”</p>\n");
        assert_eq!(rendered("/zh/docs", "说 \"so\"").html, "<p>说 \"so\"</p>\n");
    }

    #[test]
    fn links_that_lead_outside_say_so() {
        let html =
            rendered("/docs", "[a](/docs/a) [b](https://b.example/x) [c](https://c.example?a=1&b=2)").html;
        assert!(html.contains("<a href=\"/docs/a\">a</a> <a href=\"https://b.example/x\">b</a>"), "{html}");
        assert!(
            html.contains("<a href=\"https://c.example?a=1&amp;b=2\" rel=\"noopener external\">"),
            "{html}"
        );
    }

    #[test]
    fn headings_carry_their_id_and_become_sections() {
        let document = rendered("/docs", "Before.\n\n## The `hold` {#hold}\n\nAfter.\n");
        assert_eq!(document.headings, [Heading { level: 2, id: "hold".into(), text: "The hold".into() }]);
        assert!(
            document.html.contains("<h2 id=\"hold\">The <code>hold</code><a class=\"anchor\" href=\"#hold\"")
        );
        let texts: Vec<&str> = document.sections.iter().map(|section| section.text.trim()).collect();
        assert_eq!(texts, ["Before.", "After."]);
    }

    #[test]
    fn code_is_escaped_and_named() {
        let html = rendered("/docs", "```bash\necho \"<b>\" && true\n```\n").html;
        assert!(html.contains("<figcaption>Shell</figcaption>"), "{html}");
        assert!(
            html.contains("<code class=\"language-bash\"><span class=\"tok-function\">echo</span> ")
                && html.contains("&lt;b&gt;"),
            "{html}"
        );
    }

    #[test]
    fn names_break_between_their_words_in_tables_alone() {
        let html = rendered("/docs", "`a_b`\n\n| `c_d.e` |\n|---|\n| `<f>` |\n").html;
        assert!(html.contains("<p><code>a_b</code></p>"), "{html}");
        assert!(html.contains("<th><code>c_<wbr>d.<wbr>e</code></th>"), "{html}");
        assert!(html.contains("<td><code>&lt;f&gt;</code></td>"), "{html}");
    }

    #[test]
    fn a_note_is_labelled_in_its_language() {
        let html = rendered("/zh/docs", "> [!WARNING]\n> 小心。\n").html;
        assert!(
            html.contains("class=\"callout warning\" role=\"note\"") && html.contains("注意</p>"),
            "{html}"
        );
    }

    #[test]
    fn reading_time_counts_words_and_characters_but_no_code() {
        assert_eq!(rendered("/docs", &"word ".repeat(660)).minutes, 3);
        assert_eq!(rendered("/zh/docs", &"字".repeat(1_200)).minutes, 3);
        assert_eq!(rendered("/docs", &format!("```text\n{}\n```\n", "word ".repeat(9_000))).minutes, 1);
    }
}
