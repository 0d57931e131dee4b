//! Turns `locales/<lang>/<area>.toml` into typed Rust: one struct per file and per table, one method per text
//! with placeholders. Two languages that do not match each other exactly are refused, by file and key.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use toml::{Table, Value};

/// One area (`common`, `pricing`, …) in both languages, as read from disk.
pub struct Area {
    pub name: String,
    pub en: Table,
    pub zh: Table,
}

/// The Rust source of the whole catalogue, or every fault found, one line each.
pub fn generate(areas: &[Area]) -> Result<String, Vec<String>> {
    let mut faults = Vec::new();
    let mut out = Source::default();
    let mut fields = Vec::new();
    for area in areas {
        let place = Place { file: format!("{}.toml", area.name), key: String::new() };
        check_name(&area.name, &place, &mut faults);
        let node = read_table(&area.en, Some(&area.zh), &place, &mut faults);
        let type_name = camel(&area.name);
        let values = out.table(&type_name, &node);
        fields.push((area.name.clone(), type_name, values));
    }
    if faults.is_empty() { Ok(out.finish(&fields)) } else { Err(faults) }
}

/// Where a text stands; prefixes every fault.
#[derive(Clone)]
struct Place {
    file: String,
    key: String,
}

impl Place {
    fn child(&self, key: &str) -> Self {
        let key = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Self { file: self.file.clone(), key }
    }
    fn fault(&self, lang: &str, what: &str) -> String {
        format!("locales/{lang}/{}: {}: {what}", self.file, self.key)
    }
}

/// One entry, both languages side by side.
enum Node {
    Text { en: String, zh: String, args: Vec<String> },
    Plural { one: String, other: String, zh: String, args: Vec<String> },
    Table(Vec<(String, Node)>),
    List(Vec<Node>),
}

fn read_table(
    en: &Table,
    zh: Option<&Table>,
    place: &Place,
    faults: &mut Vec<String>,
) -> Vec<(String, Node)> {
    let empty = Table::new();
    let zh = zh.unwrap_or(&empty);
    for key in zh.keys().filter(|key| !en.contains_key(*key)) {
        faults.push(place.child(key).fault("en", "missing here, present in zh"));
    }
    let mut nodes = Vec::new();
    for (key, value) in en {
        let place = place.child(key);
        check_name(key, &place, faults);
        match zh.get(key) {
            None => faults.push(place.fault("zh", "missing here, present in en")),
            Some(other) => {
                if let Some(node) = read_value(value, other, &place, faults) {
                    nodes.push((key.clone(), node));
                }
            }
        }
    }
    nodes
}

fn read_value(en: &Value, zh: &Value, place: &Place, faults: &mut Vec<String>) -> Option<Node> {
    match (en, zh) {
        (Value::String(en), Value::String(zh)) => read_text(en, zh, place, faults),
        (Value::Table(en), Value::Table(zh)) if is_plural(en) => read_plural(en, zh, place, faults),
        (Value::Table(en), Value::Table(zh)) => Some(Node::Table(read_table(en, Some(zh), place, faults))),
        (Value::Array(en), Value::Array(zh)) => read_list(en, zh, place, faults),
        _ => {
            faults.push(place.fault("zh", "has another shape than in en (text, table or list)"));
            None
        }
    }
}

fn read_text(en: &str, zh: &str, place: &Place, faults: &mut Vec<String>) -> Option<Node> {
    let (en_args, zh_args) = (checked(en, "en", place, faults)?, checked(zh, "zh", place, faults)?);
    if en_args != zh_args {
        let what = format!("placeholders differ: en has {en_args:?}, zh has {zh_args:?}");
        faults.push(place.fault("zh", &what));
        return None;
    }
    Some(Node::Text { en: en.to_owned(), zh: zh.to_owned(), args: en_args.into_iter().collect() })
}

/// A table of exactly `one` and `other` is a plural; Chinese has only `other`.
fn is_plural(table: &Table) -> bool {
    table.len() == 2 && table.contains_key("one") && table.contains_key("other")
}

fn read_plural(en: &Table, zh: &Table, place: &Place, faults: &mut Vec<String>) -> Option<Node> {
    let (Some(one), Some(other)) = (text_at(en, "one"), text_at(en, "other")) else {
        faults.push(place.fault("en", "a plural's `one` and `other` are texts"));
        return None;
    };
    let (Some(zh_other), 1) = (text_at(zh, "other"), zh.len()) else {
        faults.push(place.fault("zh", "a plural here has exactly one key, `other`"));
        return None;
    };
    let mut args = checked(other, "en", place, faults)?;
    args.extend(checked(one, "en", place, faults)?);
    args.insert("count".to_owned());
    let mut zh_args = checked(zh_other, "zh", place, faults)?;
    zh_args.insert("count".to_owned());
    if args != zh_args {
        faults.push(place.fault("zh", &format!("placeholders differ: en has {args:?}, zh has {zh_args:?}")));
        return None;
    }
    args.remove("count");
    let (one, other, zh) = (one.to_owned(), other.to_owned(), zh_other.to_owned());
    Some(Node::Plural { one, other, zh, args: args.into_iter().collect() })
}

fn text_at<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

fn read_list(en: &[Value], zh: &[Value], place: &Place, faults: &mut Vec<String>) -> Option<Node> {
    if en.len() != zh.len() || en.is_empty() {
        faults.push(place.fault("zh", &format!("en lists {} entries, zh {}", en.len(), zh.len())));
        return None;
    }
    let pairs = en.iter().zip(zh).enumerate();
    let nodes: Vec<Node> = pairs
        .filter_map(|(index, (en, zh))| read_value(en, zh, &place.child(&index.to_string()), faults))
        .collect();
    check_list(&nodes, place, faults);
    Some(Node::List(nodes))
}

/// A list is all plain texts, or all tables with the same plain keys: one Rust type per list.
fn check_list(nodes: &[Node], place: &Place, faults: &mut Vec<String>) {
    let shape = |node: &Node| match node {
        Node::Text { args, .. } if args.is_empty() => Some(Vec::new()),
        Node::Table(entries) => Some(entries.iter().map(|(key, _)| key.clone()).collect()),
        _ => None,
    };
    let first = nodes.first().and_then(shape);
    if first.is_none() || nodes.iter().any(|node| shape(node) != first) {
        faults.push(
            place.fault("en", "a list holds plain texts, or tables with the same keys in the same order"),
        );
    }
}

/// The text's placeholders; a fault when it is empty, unfinished or has stray braces.
fn checked(text: &str, lang: &str, place: &Place, faults: &mut Vec<String>) -> Option<BTreeSet<String>> {
    if text.trim().is_empty() {
        faults.push(place.fault(lang, "is empty"));
        return None;
    }
    if text.contains("TODO") {
        faults.push(place.fault(lang, "still says TODO"));
        return None;
    }
    placeholders(text).map_err(|what| faults.push(place.fault(lang, &what))).ok()
}

fn placeholders(text: &str) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find(['{', '}']) {
        let after = &rest[start..];
        let end = after.find('}').filter(|_| after.starts_with('{')).ok_or("has an unmatched brace")?;
        let name = &after[1..end];
        if !is_identifier(name) {
            return Err(format!("placeholder {{{name}}} is not a snake_case name"));
        }
        names.insert(name.to_owned());
        rest = &after[end + 1..];
    }
    Ok(names)
}

fn check_name(name: &str, place: &Place, faults: &mut Vec<String>) {
    if !is_identifier(name) {
        faults.push(place.fault("en", &format!("`{name}` is not a snake_case name Rust accepts")));
    }
}

fn is_identifier(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "as", "async", "await", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum",
        "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match",
        "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct",
        "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "use", "virtual", "where",
        "while", "yield",
    ];
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name)
}

fn camel(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').filter(|word| !word.is_empty()).map(capital).collect()
}

/// The generated source, and the pair of literals (en, zh) of each struct as it is built.
#[derive(Default)]
struct Source {
    types: String,
}

type Literals = (String, String);

impl Source {
    fn finish(self, areas: &[(String, String, Literals)]) -> String {
        let mut out = self.types;
        out.push_str(
            "/// Every text of the product in one language.\n#[derive(Debug)]\npub struct Catalogue {\n",
        );
        for (name, type_name, _) in areas {
            let _ = writeln!(out, "    pub {name}: {type_name},");
        }
        out.push_str("}\n");
        let literal = |pick: fn(&Literals) -> &String| {
            areas.iter().map(|(name, _, pair)| format!("{name}: {}, ", pick(pair))).collect::<String>()
        };
        let _ =
            writeln!(out, "pub(crate) static EN: Catalogue = Catalogue {{ {} }};", literal(|pair| &pair.0));
        let _ =
            writeln!(out, "pub(crate) static ZH: Catalogue = Catalogue {{ {} }};", literal(|pair| &pair.1));
        out
    }

    /// Writes the struct for one table and returns its two literals.
    fn table(&mut self, type_name: &str, entries: &[(String, Node)]) -> Literals {
        let (mut fields, mut methods) = (String::new(), String::new());
        let (mut en, mut zh) = (format!("{type_name} {{ "), format!("{type_name} {{ "));
        for (key, node) in entries {
            let (field, literals) = self.entry(type_name, key, node, &mut methods);
            fields.push_str(&field);
            let _ = write!(en, "{key}: {}, ", literals.0);
            let _ = write!(zh, "{key}: {}, ", literals.1);
        }
        let _ = writeln!(self.types, "#[derive(Debug)]\npub struct {type_name} {{\n{fields}}}");
        if !methods.is_empty() {
            let _ = writeln!(self.types, "impl {type_name} {{\n{methods}}}");
        }
        (en + "}", zh + "}")
    }

    fn entry(&mut self, parent: &str, key: &str, node: &Node, methods: &mut String) -> (String, Literals) {
        match node {
            Node::Text { en, zh, args } if args.is_empty() => (
                format!("    /// {}\n    pub {key}: &'static str,\n", doc(en)),
                (format!("{en:?}"), format!("{zh:?}")),
            ),
            Node::Text { en, zh, args } => {
                methods.push_str(&text_method(key, en, args));
                (format!("    {key}: &'static str,\n"), (format!("{en:?}"), format!("{zh:?}")))
            }
            Node::Plural { one, other, zh, args } => {
                methods.push_str(&plural_method(key, other, args));
                let field = format!("    {key}: crate::locale::Plural,\n");
                (field, (plural(one, other), plural(zh, zh)))
            }
            Node::Table(entries) => {
                let type_name = format!("{parent}{}", camel(key));
                let literals = self.table(&type_name, entries);
                (format!("    pub {key}: {type_name},\n"), literals)
            }
            Node::List(nodes) => self.list(parent, key, nodes),
        }
    }

    fn list(&mut self, parent: &str, key: &str, nodes: &[Node]) -> (String, Literals) {
        let type_name = format!("{parent}{}Item", camel(key));
        let (mut en, mut zh) = ("&[".to_owned(), "&[".to_owned());
        let mut written = false;
        let mut is_text = true;
        for node in nodes {
            let literals = match node {
                Node::Text { en, zh, .. } => (format!("{en:?}"), format!("{zh:?}")),
                Node::Table(entries) => {
                    is_text = false;
                    let before = self.types.len();
                    let literals = self.table(&type_name, entries);
                    if written {
                        self.types.truncate(before);
                    }
                    written = true;
                    literals
                }
                Node::Plural { .. } | Node::List(_) => continue,
            };
            let _ = write!(en, "{}, ", literals.0);
            let _ = write!(zh, "{}, ", literals.1);
        }
        let item = if is_text { "&'static str".to_owned() } else { type_name };
        (format!("    pub {key}: &'static [{item}],\n"), (en + "]", zh + "]"))
    }
}

/// Arguments come in alphabetical order, whatever their order in either language; a plural's `count` is first.
fn text_method(key: &str, en: &str, args: &[String]) -> String {
    format!(
        "    /// {}\n    #[must_use]\n    pub fn {key}(&self, {}) -> String {{ crate::locale::fill(self.{key}, &[{}]) }}\n",
        doc(en),
        parameters(args),
        pairs(args),
    )
}

fn plural_method(key: &str, other: &str, args: &[String]) -> String {
    let separator = if args.is_empty() { "" } else { ", " };
    format!(
        "    /// {}\n    #[must_use]\n    pub fn {key}(&self, count: u64{separator}{}) -> String {{ self.{key}.fill(count, &[{}]) }}\n",
        doc(other),
        parameters(args),
        pairs(args),
    )
}

fn parameters(args: &[String]) -> String {
    let list: Vec<String> = args.iter().map(|arg| format!("{arg}: impl std::fmt::Display")).collect();
    list.join(", ")
}

fn pairs(args: &[String]) -> String {
    args.iter().map(|arg| format!("({arg:?}, &{arg}), ")).collect()
}

fn plural(one: &str, other: &str) -> String {
    format!("crate::locale::Plural {{ one: {one:?}, other: {other:?} }}")
}

/// The English text as a doc comment, so that an editor shows it at the use.
fn doc(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("`{}`", line.replace('`', "'"))
}
