//! Every recorded stream, cut at every byte: once the provider dies there, once the client has just that much and
//! leaves. Each is free or charged exactly as the rule says.
use crate::client::{Ask, Leaves, ask};
use crate::provider::{Piece, Reply};
use crate::recordings::{self, Ends, Recording};
use crate::stage::{CLAUDE, GPT, Stage, on_stage};
use crate::verdict::{self, Call, Count, Told, charged, price};
use crate::wire::{self, Ended};
use bytes::Bytes;
use bytespike_dialects::Dialect;
use bytespike_tests::scale;

const DIALECTS: [Dialect; 2] = [Dialect::Anthropic, Dialect::OpenAiChat];

/// The offsets to try: each one in a long run, and otherwise every so many with the edges.
fn offsets(recording: &Recording) -> Vec<usize> {
    let stride = scale("bytes from one offset of a recorded stream to the next that is tried", 9, 1);
    let length = recording.bytes.len();
    let finished = recording.finished_at();
    let edges = [length, length - 1, finished, finished - 1];
    let mut offsets: Vec<usize> = (0..length).step_by(stride).chain(edges).collect();
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

fn model_of(recording: &Recording) -> &'static str {
    if recording.dialect == Dialect::Anthropic { CLAUDE } else { GPT }
}

#[test]
fn a_provider_that_dies_at_any_byte_costs_nothing_unless_it_had_finished() {
    for recording in recordings::all(true) {
        for dialect in DIALECTS {
            on_stage(1, async |stage| {
                let mut calls = Vec::new();
                for (number, at) in offsets(recording).into_iter().enumerate() {
                    for (n, death) in [Some(Piece::Break), None].into_iter().enumerate() {
                        calls.push(dies_at(&stage, recording, (dialect, number * 2 + n), (at, death)).await);
                    }
                }
                stage.settle_down().await;
                verdict::check(&stage, &calls).await;
            });
        }
    }
}

/// The connection breaks, or closes, after so many bytes.
async fn dies_at(
    stage: &Stage,
    recording: &'static Recording,
    (dialect, number): (Dialect, usize),
    (at, death): (usize, Option<Piece>),
) -> Call {
    let what = format!("{} to {dialect:?}, dead at {at} by {death:?}", recording.name);
    let asked = Ask::new(number, dialect, model_of(recording), true);
    let begun = Piece::Bytes(Bytes::from_static(&recording.bytes[..at]));
    stage
        .provider
        .expect(&asked.label, vec![Reply::ok([Some(begun), death].into_iter().flatten().collect())]);
    let heard = ask(stage, &asked).await;
    let (reason, nano) = charged(stage, &heard).await;
    let whole = heard.status == Some(200)
        && wire::check_order(dialect, &wire::events(&heard.bytes()).expect(&what)).expect(&what)
            == Ended::Well;
    let finishes = recording.ends != Ends::InError;
    assert!(!whole || (finishes && at >= recording.finished_at()), "{what}: it looks complete");
    // The finish is read with the empty line that ends its event.
    assert!(
        whole || !finishes || at < recording.finished_at() + 2,
        "{what}: {}",
        String::from_utf8_lossy(&heard.bytes())
    );
    if !whole || recording.ends != Ends::Well {
        assert_eq!(nano, 0, "{what}: {reason}");
    }
    if at == recording.bytes.len() && recording.ends == Ends::Well {
        assert_eq!((whole, nano), (true, price(recording.used)), "{what}: {reason}");
    }
    Call { ask: asked, heard, told: told(recording, at) }
}

#[test]
fn a_client_that_leaves_at_any_byte_pays_for_what_it_took_and_never_more_than_later() {
    for recording in recordings::all(true) {
        for dialect in DIALECTS {
            on_stage(1, async |stage| {
                let mut calls = Vec::new();
                let mut before = 0;
                for (number, at) in offsets(recording).into_iter().enumerate() {
                    let (call, nano) = leaves_at(&stage, recording, (dialect, number), at).await;
                    // An error makes free what was delivered before it.
                    let grows = nano >= before || recording.ends == Ends::InError;
                    assert!(grows, "{} to {dialect:?} at {at}: {nano} after {before}", recording.name);
                    before = nano;
                    calls.push(call);
                }
                stage.settle_down().await;
                verdict::check(&stage, &calls).await;
            });
        }
    }
}

/// So many bytes come, then none for longer than the client stays.
async fn leaves_at(
    stage: &Stage,
    recording: &'static Recording,
    (dialect, number): (Dialect, usize),
    at: usize,
) -> (Call, i64) {
    let what = format!("{} to {dialect:?}, left at {at}", recording.name);
    let asked = Ask::new(number, dialect, model_of(recording), true).leaving(Leaves::AfterMs(5_000));
    let begun = Piece::Bytes(Bytes::from_static(&recording.bytes[..at]));
    stage.provider.expect(&asked.label, vec![Reply::ok(vec![begun, Piece::Hang])]);
    let heard = ask(stage, &asked).await;
    stage.gateway.drain().await;
    let (reason, nano) = charged(stage, &heard).await;
    let took = heard.status == Some(200)
        && wire::has_content(&asked, &wire::events(&heard.taken_bytes()).expect(&what));
    // What had finished is an answer like any other: its terminator is not waited for longer than two seconds.
    let finished = at >= recording.finished_at() && recording.ends == Ends::Well;
    if !took && !finished {
        assert_eq!(nano, 0, "{what}: {reason}");
    }
    if took && !finished && recording.ends == Ends::Well {
        assert!(nano > 0 && reason == "cancelled_after_content", "{what}: {nano} {reason}");
    }
    (Call { ask: asked, heard, told: told(recording, at) }, nano)
}

/// A count is believed when all of it came.
fn told(recording: &Recording, at: usize) -> Told {
    let count = if at == recording.bytes.len() { Count::Believed(recording.used) } else { Count::Doubtful };
    Told { count, ends: recording.ends, may_be_revoked: false, in_trouble: false }
}
