//! Writes the document around a rendered body. By hand, because the view layer does not escape a title.

use super::{Head, Robots};
use crate::{Locale, Theme, Visit, assets};
use std::fmt::Write as _;

const PRODUCT: &str = "ByteSpike";

/// The whole document. The same arguments give the same bytes.
pub(super) fn write(visit: &Visit, head: &Head, body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 4096);
    let theme =
        if visit.theme == Theme::Auto { String::new() } else { attribute("data-theme", visit.theme.code()) };
    let lang = attribute("lang", visit.locale.tag());
    let _ = write!(out, "<!DOCTYPE html><html{lang}{theme}><head>"); // writing to a String cannot fail
    write_head(&mut out, visit, head);
    out.push_str("</head><body>");
    out.push_str(body);
    out.push_str("</body></html>");
    out
}

fn write_head(out: &mut String, visit: &Visit, head: &Head) {
    let title = full_title(&head.title);
    out.push_str(
        "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
    );
    let _ = write!(out, "<title>{}</title>", escape(&title));
    if let Some(address) = &head.onward {
        meta(out, "http-equiv", "refresh", &format!("0; url={address}"));
    }
    if !head.description.is_empty() {
        meta(out, "name", "description", &head.description);
    }
    write_robots(out, head);
    write_addresses(out, visit, head);
    write_open_graph(out, visit, head, &title);
    write_assets(out);
    if let Some((title, href)) = &head.feed {
        let (title, href) = (attribute("title", title), attribute("href", href));
        let _ = write!(out, "<link rel=\"alternate\" type=\"application/atom+xml\"{title}{href}>");
    }
    for value in &head.json_ld {
        let _ = write!(out, "<script type=\"application/ld+json\">{}</script>", json(value));
    }
}

fn full_title(title: &str) -> String {
    if title.contains(PRODUCT) { title.to_owned() } else { format!("{title} · {PRODUCT}") }
}

fn write_robots(out: &mut String, head: &Head) {
    if head.robots == Robots::NoIndex {
        meta(out, "name", "robots", "noindex");
    }
}

fn write_addresses(out: &mut String, visit: &Visit, head: &Head) {
    if head.robots == Robots::NoIndex {
        return;
    }
    link(out, "canonical", None, &visit.absolute(visit.locale, &visit.path));
    if head.has_alternates {
        for locale in Locale::ALL {
            link(out, "alternate", Some(locale.tag()), &visit.absolute(locale, &visit.path));
        }
        link(out, "alternate", Some("x-default"), &visit.absolute(Locale::En, &visit.path));
    }
}

fn write_open_graph(out: &mut String, visit: &Visit, head: &Head, title: &str) {
    if head.robots == Robots::NoIndex {
        return;
    }
    let locale = match visit.locale {
        Locale::En => "en_US",
        Locale::Zh => "zh_CN",
    };
    let address = visit.absolute(visit.locale, &visit.path);
    let image = format!("{}{}", visit.urls.base(crate::Surface::of_path(&visit.path)), assets::url("og.png"));
    let pairs = [
        ("og:site_name", PRODUCT),
        ("og:type", head.kind),
        ("og:title", title),
        ("og:description", &head.description),
        ("og:url", &address),
        ("og:locale", locale),
        ("og:image", &image),
        ("og:image:alt", PRODUCT),
    ];
    for (name, value) in pairs {
        meta(out, "property", name, value);
    }
    meta(out, "name", "twitter:card", "summary_large_image");
}

fn write_assets(out: &mut String) {
    out.push_str("<meta name=\"theme-color\" media=\"(prefers-color-scheme: light)\" content=\"#ffffff\">");
    out.push_str("<meta name=\"theme-color\" media=\"(prefers-color-scheme: dark)\" content=\"#0a0e13\">");
    let _ = write!(
        out,
        "<link rel=\"preload\" as=\"font\" type=\"font/woff2\" href=\"{}\" crossorigin>\
         <link rel=\"stylesheet\" href=\"{}\">\
         <link rel=\"icon\" type=\"image/svg+xml\" href=\"{}\">\
         <link rel=\"apple-touch-icon\" href=\"{}\">\
         <link rel=\"manifest\" href=\"{}\">\
         <script type=\"module\" src=\"{}\"></script>",
        assets::url("inter.woff2"),
        assets::url("core.css"),
        assets::url("favicon.svg"),
        assets::url("touch-icon.png"),
        assets::url("manifest.webmanifest"),
        assets::url("enhance.js"),
    );
}

fn meta(out: &mut String, kind: &str, name: &str, value: &str) {
    let _ = write!(out, "<meta {kind}=\"{name}\"{}>", attribute("content", value));
}

fn link(out: &mut String, rel: &str, hreflang: Option<&str>, href: &str) {
    let hreflang = hreflang.map(|tag| attribute("hreflang", tag)).unwrap_or_default();
    let _ = write!(out, "<link rel=\"{rel}\"{hreflang}{}>", attribute("href", href));
}

fn attribute(name: &str, value: &str) -> String {
    format!(" {name}=\"{}\"", escape(value))
}

/// Safe inside text and inside a double-quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// JSON that cannot end the script element it stands in.
fn json(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
