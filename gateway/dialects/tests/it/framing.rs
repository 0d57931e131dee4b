//! Server-sent events as bytes: every way to cut and to end lines.

use bytespike_dialects::ErrorCode;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

const TEXT: &str = "Hi 你好🌍, ça va?";

fn chat_upstream() -> String {
    chat_stream(&[text_chunk("Hi 你好"), text_chunk("🌍, ça va?"), finish_chunk("stop"), Value::Null])
}

fn messages_upstream() -> String {
    let mut events = vec![message_start()];
    events.extend(text_block(0, TEXT));
    events.extend(message_end("end_turn"));
    messages_stream(&events)
}

fn text_of(outcome: &Outcome) -> String {
    outcome.blocks().iter().map(|(_, text, _)| text.as_str()).chain([&*outcome.content()]).collect()
}

#[test]
fn v13_text_survives_a_cut_at_every_byte() {
    for (from, upstream) in [(CHAT, chat_upstream()), (MESSAGES, messages_upstream())] {
        for to in [CHAT, MESSAGES] {
            let whole = run(from, to, context(), &upstream);
            assert_eq!(text_of(&whole), TEXT);
            for cut in 0..upstream.len() {
                let (before, after) = upstream.as_bytes().split_at(cut);
                let outcome = run_pieces(from, to, context(), &[before, after]);
                assert_eq!(outcome.events, whole.events, "cut at {cut}, {from:?} to {to:?}");
            }
        }
    }
}

#[test]
fn v13_text_survives_every_piece_size() {
    for (from, upstream) in [(CHAT, chat_upstream()), (MESSAGES, messages_upstream())] {
        for to in [CHAT, MESSAGES] {
            let whole = run(from, to, context(), &upstream);
            for size in 1..upstream.len() {
                let pieces: Vec<&[u8]> = upstream.as_bytes().chunks(size).collect();
                assert_eq!(
                    run_pieces(from, to, context(), &pieces).events,
                    whole.events,
                    "{size} bytes a piece"
                );
            }
        }
    }
}

/// Rewrites every line end of a well-formed stream.
fn with_line_ends(upstream: &str, line_end: &str) -> String {
    upstream.replace('\n', line_end)
}

#[test]
fn v14_every_line_end_is_understood_at_every_cut() {
    for line_end in ["\r\n", "\r", "\n"] {
        let upstream = with_line_ends(&messages_upstream(), line_end);
        for to in [CHAT, MESSAGES] {
            let expected = run(MESSAGES, to, context(), &messages_upstream()).events;
            for cut in 0..upstream.len() {
                let (before, after) = upstream.as_bytes().split_at(cut);
                let outcome = run_pieces(MESSAGES, to, context(), &[before, after]);
                assert_eq!(outcome.events, expected, "{line_end:?} cut at {cut}");
            }
        }
    }
}

#[test]
fn v14_odd_but_valid_framing_is_parsed() {
    let chunk = text_chunk("ok").to_string();
    let (head, tail) = chunk.split_once("\"object\"").unwrap();
    let upstream = format!(
        "\u{feff}: a comment\n\ndata:{head}\ndata: \"object\"{tail}\nid: 7\nretry: 5\nunknown: x\n\n\n\ndata:{}\n\ndata:[DONE]\n\n",
        finish_chunk("stop")
    );
    for to in [CHAT, MESSAGES] {
        let outcome = run(CHAT, to, context(), &upstream);
        assert_eq!(text_of(&outcome), "ok");
        assert!(outcome.end.is_ok());
    }
}

#[test]
fn v14_an_event_of_a_megabyte_is_taken_and_a_longer_line_is_not() {
    let long = "x".repeat(1_000_000);
    let upstream = chat_stream(&[text_chunk(&long), finish_chunk("stop"), Value::Null]);
    assert_eq!(text_of(&run(CHAT, MESSAGES, context(), &upstream)).len(), 1_000_000);

    let too_long = chat_stream(&[text_chunk(&"x".repeat(1 << 20)), Value::Null]);
    for to in [CHAT, MESSAGES] {
        let outcome = run(CHAT, to, context(), &too_long);
        assert_eq!(outcome.failure().code, ErrorCode::StreamBroke);
    }
}

#[test]
fn an_end_without_a_blank_line_is_still_an_end() {
    let upstream = chat_upstream();
    let outcome = run(CHAT, MESSAGES, context(), upstream.trim_end());
    assert_eq!(text_of(&outcome), TEXT);
    assert!(outcome.end.is_ok());
}

#[test]
fn broken_utf8_and_broken_json_are_failures_not_guesses() {
    for body in [
        &b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n"[..],
        b"data: {\"choices\":[\n\n",
    ] {
        for to in [CHAT, MESSAGES] {
            let outcome = run_pieces(CHAT, to, context(), &[body]);
            assert_eq!(outcome.failure().code, ErrorCode::UpstreamError);
        }
    }
}

proptest! {
    #[test]
    fn any_cuts_give_the_same_events(
        words in proptest::collection::vec("\\PC{0,12}", 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut chunks: Vec<Value> = words.iter().map(|word| text_chunk(word)).collect();
        chunks.extend([finish_chunk("stop"), json!(null)]);
        let upstream = chat_stream(&chunks);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(upstream.len() + 1)).collect();
        at.extend([0, upstream.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &upstream.as_bytes()[pair[0]..pair[1]]).collect();
        for to in [CHAT, MESSAGES] {
            let outcome = run_pieces(CHAT, to, context(), &pieces);
            prop_assert_eq!(text_of(&outcome), words.concat());
        }
    }
}
