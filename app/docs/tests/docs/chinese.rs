//! The house style of Chinese text, over every file that carries some: a space between Han and Latin, full-width
//! punctuation after Han, no full-width letters.

use bytespike_ui::markdown::is_han;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn chinese_text_keeps_the_house_style() {
    let mut faults = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let prose = if file.extension().is_some_and(|kind| kind == "md") {
            without_code(&text)
        } else {
            values(&text)
        };
        for (number, line) in prose.lines().enumerate() {
            let name = file.strip_prefix(ROOT).unwrap_or(&file).display();
            faults.extend(faults_in(line).into_iter().map(|fault| format!("{name}:{}: {fault}", number + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_style_check_finds_what_it_looks_for() {
    for bad in
        ["使用API调用", "调用3次", "好,的", "好:的", "ＡＰＩ", "全角\u{3000}空格", "好 ，的", "(注释)中文"]
    {
        assert!(!faults_in(bad).is_empty(), "{bad}");
    }
    for good in
        ["使用 API 调用", "调用 3 次，好。", "价格：$2.00", "“流式”与 ok", "见（注释）。", "50% 的调用"]
    {
        assert_eq!(faults_in(good), Vec::<String>::new(), "{good}");
    }
}

fn files() -> Vec<PathBuf> {
    let folders =
        ["content/docs/zh", "content/blog/zh", "locales/zh"].map(|folder| Path::new(ROOT).join(folder));
    let listed = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files: Vec<PathBuf> = listed.map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 30);
    files
}

/// The file line by line, with code, link targets, anchors and tags left out.
fn without_code(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().map(|line| {
        fenced ^= line.starts_with("```");
        if fenced || line.starts_with("```") || line.starts_with("+++") { String::new() } else { plain(line) }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn plain(line: &str) -> String {
    let line = line
        .split('`')
        .enumerate()
        .map(|(at, piece)| if at % 2 == 0 { piece } else { "x" })
        .collect::<String>();
    let line = cut(&cut(&cut(&line, ("](", ")"), ""), (" {#", "}"), ""), ("{{", "}}"), "□");
    line.replace(['[', ']', '*'], "")
}

/// `text` with something else in place of what stands between two marks, marks included.
fn cut(text: &str, (start, end): (&str, &str), instead: &str) -> String {
    let mut pieces = text.split(start);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |out, piece| out + instead + piece.split_once(end).map_or(piece, |(_, rest)| rest))
}

/// The quoted values of a locale file; what a placeholder becomes is not known here.
fn values(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(" = ") {
        Some((_, value)) if !line.starts_with('#') => {
            let value = cut(value, ("\\u", "b"), "");
            cut(&value.replace('"', ""), ("{", "}"), "□")
        }
        _ => String::new(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn faults_in(line: &str) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    let mut faults: Vec<String> = characters.windows(2).filter_map(|pair| fault(pair[0], pair[1])).collect();
    faults.extend(
        characters
            .iter()
            .filter(|one| matches!(one, '\u{FF10}'..='\u{FF5A}' | '\u{3000}') && !"：；？".contains(**one))
            .map(|one| format!("full-width `{one}`")),
    );
    faults.iter().map(|fault| format!("{fault} in: {line}")).collect()
}

fn fault(one: char, other: char) -> Option<String> {
    let is_character = |character: char| is_han(character) && character.is_alphanumeric();
    let is_latin = |character: char| character.is_ascii_alphanumeric();
    let joined = is_character(one) && is_latin(other) || is_latin(one) && is_character(other);
    let half_width =
        is_character(one) && ",;:!?(".contains(other) || ")".contains(one) && is_character(other);
    let spaced = one == ' ' && "，。；：！？、）”".contains(other);
    (joined || half_width || spaced).then(|| format!("`{one}{other}`"))
}
