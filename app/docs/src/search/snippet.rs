//! A few words around the first match, cut between words, with the matches marked.

use super::tokens::query_terms;

const BEFORE_CHARS: usize = 50;
const LENGTH_CHARS: usize = 160;

/// A piece of text; true if it is what was looked for.
pub(crate) type Piece = (String, bool);

/// What to show of a section for a query.
pub(crate) fn snippet(text: &str, query: &str) -> Vec<Piece> {
    // Paragraphs are joined by a space, which a Chinese full stop has in it already.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("。 ", "。");
    let shown: Vec<char> = text.chars().collect();
    // One lower-case character for each shown one, so that positions agree.
    let folded: Vec<char> =
        shown.iter().map(|character| character.to_lowercase().next().unwrap_or(*character)).collect();
    let terms: Vec<Vec<char>> = query_terms(query).iter().map(|term| term.chars().collect()).collect();
    let first = (0..folded.len()).find(|at| match_at(&folded, *at, &terms) > 0).unwrap_or(0);
    let start = whole_words_from(&shown, first.saturating_sub(BEFORE_CHARS));
    let end = whole_words_until(&shown, (start + LENGTH_CHARS).min(shown.len()));
    let mut pieces = marked(&shown[start..end], &folded[start..end], &terms);
    if start > 0 {
        pieces.insert(0, ("…".to_owned(), false));
    }
    if end < shown.len() {
        pieces.push(("…".to_owned(), false));
    }
    pieces
}

/// The next start of a word, unless this is one; Chinese may be cut anywhere.
fn whole_words_from(text: &[char], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default().iter();
    if at == 0 { 0 } else { at + rest.take_while(|character| character.is_ascii_graphic()).count() }
}

fn whole_words_until(text: &[char], at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default().iter().rev();
    let cut = before.take_while(|character| character.is_ascii_graphic()).count();
    if at == text.len() { at } else { at - cut }
}

fn marked(shown: &[char], folded: &[char], terms: &[Vec<char>]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut until = 0;
    for (at, character) in shown.iter().enumerate() {
        until = until.max(at + match_at(folded, at, terms));
        let is_match = at < until;
        match pieces.last_mut() {
            Some((text, kind)) if *kind == is_match => text.push(*character),
            _ => pieces.push((character.to_string(), is_match)),
        }
    }
    pieces
}

/// How many characters from `at` are a term; 0 if none is. A Latin term begins a word and takes the rest of it along.
fn match_at(folded: &[char], at: usize, terms: &[Vec<char>]) -> usize {
    let rest = folded.get(at..).unwrap_or_default();
    let inside_word = at > 0 && folded.get(at - 1).is_some_and(char::is_ascii_alphanumeric);
    let is_word = |term: &[char]| term.first().is_some_and(char::is_ascii_alphanumeric);
    let fits = |term: &&Vec<char>| rest.starts_with(term) && !(inside_word && is_word(term));
    let length = |term: &Vec<char>| {
        let tail = rest.iter().skip(term.len()).take_while(|character| character.is_ascii_alphanumeric());
        term.len() + if is_word(term) { tail.count() } else { 0 }
    };
    terms.iter().filter(fits).map(length).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str, query: &str) -> Vec<String> {
        snippet(text, query).into_iter().filter(|(_, is_match)| *is_match).map(|(text, _)| text).collect()
    }

    #[test]
    fn matches_are_marked_whatever_their_case() {
        assert_eq!(marks("Settle, unsettled, settling.", "settl"), ["Settle", "settling"]);
        assert_eq!(marks("流式响应的费用", "响应"), ["响应"]);
        assert_eq!(marks("流式响应的费用", "流式响应"), ["流式响应"]);
    }

    #[test]
    fn a_long_text_is_cut_around_the_match() {
        let text = format!("{} needle {}", "a ".repeat(200), "b ".repeat(200));
        let pieces = snippet(&text, "needle");
        let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        assert!(
            whole.starts_with('…') && whole.ends_with('…') && whole.chars().count() <= LENGTH_CHARS + 2,
            "{whole}"
        );
        assert!(pieces.contains(&("needle".to_owned(), true)));
    }

    #[test]
    fn no_word_is_cut() {
        let text = format!("{} needle {}", "alphabet ".repeat(40), "omega ".repeat(60));
        let whole: String = snippet(&text, "needle").into_iter().map(|(text, _)| text).collect();
        let words: Vec<&str> = whole.split(['…', ' ']).filter(|word| !word.is_empty()).collect();
        assert!(words.iter().all(|word| ["alphabet", "needle", "omega"].contains(word)), "{whole}");
    }
}
