//! What CommonMark does not know about Chinese: lines that join without a space, and emphasis beside punctuation.

use std::borrow::Cow;

/// A character set without spaces between words: Han, and the full-width punctuation around it.
#[must_use]
pub fn is_han(character: char) -> bool {
    matches!(character,
        '\u{2E80}'..='\u{303F}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Replaces `**…**` by `<strong>…</strong>`, code left alone.
///
/// CommonMark decides by the neighbouring characters whether `**` opens or closes, and `**句号。**后文` then does
/// neither (commonmark-spec issue 650). In our content the markers of a paragraph simply take turns.
pub(super) fn with_strong_tags(markdown: &str) -> Cow<'_, str> {
    if !markdown.contains("**") {
        return Cow::Borrowed(markdown);
    }
    let mut out = String::with_capacity(markdown.len() + 64);
    let mut fenced = false;
    let mut open = false;
    for line in markdown.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        open &= !line.trim().is_empty();
        if fenced || is_fence {
            out.push_str(line);
        } else {
            mark_line(line, &mut open, &mut out);
        }
    }
    Cow::Owned(out)
}

/// Between backticks nothing is a marker, so only every other piece is looked at.
fn mark_line(line: &str, open: &mut bool, out: &mut String) {
    for (position, piece) in line.split('`').enumerate() {
        if position > 0 {
            out.push('`');
        }
        if position % 2 == 1 {
            out.push_str(piece);
            continue;
        }
        for (index, text) in piece.split("**").enumerate() {
            if index > 0 {
                out.push_str(if *open { "</strong>" } else { "<strong>" });
                *open = !*open;
            }
            out.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emphasis_closes_beside_chinese_punctuation() {
        assert_eq!(with_strong_tags("**句号。**后文"), "<strong>句号。</strong>后文");
        assert_eq!(with_strong_tags("前文**“引号”**后文"), "前文<strong>“引号”</strong>后文");
    }

    #[test]
    fn code_keeps_its_asterisks() {
        let text = "`a**b` **粗**\n\n```\n**\n```\n";
        assert_eq!(with_strong_tags(text), "`a**b` <strong>粗</strong>\n\n```\n**\n```\n");
    }
}
