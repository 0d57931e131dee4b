//! What is kept of a body: its text up to a length, without the media in it. Media travel as base64, and a run of that is
//! longer than any word of any language.

use bytespike_accounts::bodies::Side;

/// No more is kept of each side of a call.
const KEPT_BYTES: usize = 256 << 10;
/// A longer run of base64 is no text.
const LONGEST_RUN: usize = 1_024;
/// What of it is kept all the same: it says what kind of media it was.
const SHOWN_OF_RUN: usize = 64;

/// What is kept of the first bytes of a body that had `whole` in all.
#[must_use]
pub fn side(body: &[u8], whole: usize) -> Side {
    let (mut text, mut rest) = (Vec::with_capacity(body.len().min(KEPT_BYTES)), body);
    while !rest.is_empty() && text.len() < KEPT_BYTES {
        let run = base64_run(rest);
        let length = if run == 0 { text_run(rest) } else { run };
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if run > LONGEST_RUN {
            text.extend(piece.iter().take(SHOWN_OF_RUN));
            text.extend_from_slice(
                format!("[{} characters of base64 not kept]", run - SHOWN_OF_RUN).as_bytes(),
            );
        } else {
            text.extend_from_slice(piece);
        }
        rest = after;
    }
    let is_cut = !rest.is_empty() || text.len() > KEPT_BYTES || body.len() < whole;
    if is_cut {
        text.truncate(KEPT_BYTES);
        text.truncate(whole_characters(&text));
    }
    Side { text, bytes: whole, is_cut }
}

/// How many bytes of base64 come first. A slash may be escaped, as some programs write JSON.
fn base64_run(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let run = rest.iter().take_while(|byte| is_base64(**byte)).count();
        at += run;
        if !rest.get(run..).is_some_and(|rest| rest.starts_with(br"\/")) {
            return at;
        }
        at += 2;
    }
}

/// How many bytes of anything else come first, as far as they may be kept.
fn text_run(bytes: &[u8]) -> usize {
    bytes.iter().take(KEPT_BYTES).take_while(|byte| !is_base64(**byte)).count().max(1)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// How many bytes end with a whole character.
fn whole_characters(text: &[u8]) -> usize {
    match std::str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &[u8]) -> (String, bool) {
        let side = side(body, body.len());
        assert_eq!(side.bytes, body.len());
        assert!(side.text.len() <= KEPT_BYTES);
        (String::from_utf8_lossy(&side.text).into_owned(), side.is_cut)
    }

    #[test]
    fn text_stays_as_it_was() {
        for body in
            ["", "{\"text\":\"Say hello. 你好 https:\\/\\/example.com\\/a-b_c=1\"}", "data: [DONE]\n\n", "\\"]
        {
            assert_eq!(kept(body.as_bytes()), (body.to_owned(), false));
        }
        let words = "word ".repeat(10_000);
        assert_eq!(kept(words.as_bytes()), (words, false));
    }

    #[test]
    fn of_media_the_beginning_stays_however_long_it_is() {
        for slash in ["/", "\\/"] {
            let media = format!("iVBORw0KGgo{slash}").repeat(500_000);
            let body = format!("{{\"data\":\"{media}\",\"text\":\"What is this?\"}}");
            let (text, is_cut) = kept(body.as_bytes());
            assert!(
                text.starts_with("{\"data\":\"iVBORw0KGgo")
                    && text.ends_with("\",\"text\":\"What is this?\"}"),
                "{text}"
            );
            assert!(
                text.contains(" characters of base64 not kept]") && text.len() < 200 && !is_cut,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_long_is_cut_at_a_character() {
        let body = "你好，".repeat(100_000);
        let (text, is_cut) = kept(body.as_bytes());
        assert!(is_cut && text.chars().all(|c| "你好，".contains(c)), "the end is a whole character");
        assert!(text.len() > KEPT_BYTES - 4);
        let (text, is_cut) = kept("word ".repeat(100_000).as_bytes());
        assert!(is_cut && text.len() == KEPT_BYTES);
        assert!(side(b"the beginning", 99).is_cut, "more was said than heard");
    }

    #[test]
    fn any_bytes_are_taken() {
        let mut state = 7_u32;
        for length in 0..600 {
            let body: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    u8::try_from(state >> 24).unwrap_or(0)
                })
                .collect();
            assert_eq!(side(&body, body.len()).text, body);
        }
    }
}
