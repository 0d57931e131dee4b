//! What a run will be, drawn from its seed: who calls when, how the provider answers, and what else goes wrong.
use crate::client::{Ask, Leaves};
use crate::provider::{Head, Piece, Reply};
use crate::recordings::{self, Recording};
use crate::stage::{BOTH, CLAUDE, GPT};
use crate::time::Dice;
use crate::trouble::TROUBLES;
use crate::verdict::{Count, Told};
use bytes::Bytes;
use bytespike_dialects::Dialect;
use bytespike_gateway::upstream::SendError;
use bytespike_ledger::{Fault as LedgerFault, Moment};

/// A whole run.
#[derive(Debug)]
pub struct Plan {
    pub calls: Vec<Planned>,
    /// Things that happen at a time, in order.
    pub events: Vec<(u64, Happening)>,
}

/// One call of a run.
#[derive(Debug)]
pub struct Planned {
    pub at_ms: u64,
    pub ask: Ask,
    pub replies: Vec<Reply>,
    pub told: Told,
    #[expect(dead_code, reason = "it is read in the log")]
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy)]
pub enum Happening {
    /// The key is revoked by another instance.
    Revoke(usize),
    /// Running streams are cut.
    Stop,
    Trouble(Option<(Moment, LedgerFault)>),
    /// Somebody sets the machine's clock.
    ClockSet(i64),
}

/// What the provider does wrong. Offsets are bytes of the recorded answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    Refuses,
    BreaksBeforeHead,
    HangsBeforeHead,
    Answers(u16),
    ErrorIn200,
    BreaksAt(usize),
    ClosesAt(usize),
    StallsAt(usize),
    GarbageFrom(usize),
    NoUsage,
    EndsTwice,
    CountsAbsurdly,
    CountsImpossibly,
    CountsBelowZero,
    UsageAfterTheEnd,
    SlowLoris,
}

const WHOLE_ANSWER: u64 = 30_000;

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let calls: Vec<Planned> = (0..=dice.below(5))
            .map(|number| planned(&mut dice, usize::try_from(number).unwrap_or(0)))
            .collect();
        let mut plan = Self { calls, events: Vec::new() };
        if dice.once_in(4) {
            let key = dice.index(3);
            plan.happens(&mut dice, Happening::Revoke(key));
        }
        if dice.once_in(4) {
            let trouble = *dice.pick(&TROUBLES);
            let from = dice.below(WHOLE_ANSWER);
            plan.events.push((from, Happening::Trouble(Some(trouble))));
            plan.events.push((from + 1 + dice.below(9_000), Happening::Trouble(None)));
        }
        if dice.once_in(6) {
            let by_ms = i64::try_from(dice.below(7_200_000)).unwrap_or(0) - 3_600_000;
            plan.happens(&mut dice, Happening::ClockSet(by_ms));
        }
        if dice.once_in(6) {
            plan.happens(&mut dice, Happening::Stop);
        }
        plan.events.sort_by_key(|(at_ms, _)| *at_ms);
        plan.tell();
        plan
    }

    fn happens(&mut self, dice: &mut Dice, what: Happening) {
        self.events.push((dice.below(WHOLE_ANSWER), what));
    }

    /// What goes wrong around a call lowers what may be demanded of it.
    fn tell(&mut self) {
        let revoked: Vec<usize> = self
            .events
            .iter()
            .filter_map(|(_, event)| match event {
                Happening::Revoke(key) => Some(*key),
                _ => None,
            })
            .collect();
        let in_trouble = self.events.iter().any(|(_, event)| matches!(event, Happening::Trouble(_)));
        // A lease that a set clock ends early makes its call free.
        let clock_set = self.events.iter().any(|(_, event)| matches!(event, Happening::ClockSet(_)));
        for call in &mut self.calls {
            call.told.may_be_revoked = revoked.contains(&call.ask.key);
            call.told.in_trouble = in_trouble || clock_set;
        }
    }
}

fn planned(dice: &mut Dice, number: usize) -> Planned {
    let stream = !dice.once_in(4);
    let choices: Vec<&'static Recording> = recordings::all(stream).collect();
    let recording = *dice.pick(&choices);
    let own_model = if recording.dialect == Dialect::Anthropic { CLAUDE } else { GPT };
    let dialect = *dice.pick(&[Dialect::Anthropic, Dialect::OpenAiChat]);
    let fault = fault(dice, recording);
    let ask = Ask {
        key: dice.index(3),
        wants_all: !dice.once_in(5),
        max_tokens: if dice.once_in(6) {
            None
        } else {
            Some(64 + u32::try_from(dice.below(64)).unwrap_or(0))
        },
        leaves: leaves(dice, recording.bytes.len()),
        pace_ms: if dice.once_in(5) { dice.below(900) } else { 0 },
        ..Ask::new(number, dialect, own_model, stream)
    };
    let (reply, count) = reply(dice, recording, fault);
    let mut planned = Planned {
        at_ms: dice.below(20_000),
        told: Told { count, ends: recording.ends, may_be_revoked: false, in_trouble: false },
        ask,
        replies: vec![reply],
        fault,
    };
    fail_over(dice, &mut planned);
    planned
}

/// The same model on two channels. The one in the client's own dialect fails before any content; it is asked first, unless
/// calls before this one failed there too.
fn fail_over(dice: &mut Dice, planned: &mut Planned) {
    let (good, other) = match planned.ask.model {
        CLAUDE => (Dialect::Anthropic, Dialect::OpenAiChat),
        _ => (Dialect::OpenAiChat, Dialect::Anthropic),
    };
    if planned.ask.dialect != other || !dice.once_in(3) {
        return;
    }
    planned.ask.model = BOTH;
    let failing = [Head::Fails(SendError::Connect), Head::Fails(SendError::Broken), Head::Status(503, 30)];
    let failing = Reply::failing(dice.pick(&failing).clone());
    for reply in &mut planned.replies {
        reply.only_in = Some(good);
    }
    planned.replies.insert(0, Reply { only_in: Some(other), ..failing });
}

fn leaves(dice: &mut Dice, length: usize) -> Leaves {
    match dice.below(6) {
        0 => Leaves::AfterMs(dice.below(12_000)),
        1 | 2 => Leaves::AfterBytes(dice.index(length * 2)),
        _ => Leaves::Never,
    }
}

fn fault(dice: &mut Dice, recording: &Recording) -> Fault {
    let at = dice.index(recording.bytes.len());
    match dice.below(34) {
        0 => Fault::Refuses,
        1 => Fault::BreaksBeforeHead,
        2 => Fault::HangsBeforeHead,
        3 => Fault::Answers(*dice.pick(&[400, 401, 404, 413, 429, 500, 502, 503, 529])),
        4 => Fault::ErrorIn200,
        5..=8 => Fault::BreaksAt(at),
        9 | 10 => Fault::ClosesAt(at),
        11 | 12 => Fault::StallsAt(at),
        13 | 14 => Fault::GarbageFrom(at),
        15 => Fault::NoUsage,
        16 => Fault::EndsTwice,
        17 => Fault::CountsAbsurdly,
        18 => Fault::CountsImpossibly,
        19 => Fault::CountsBelowZero,
        20 => Fault::UsageAfterTheEnd,
        21 => Fault::SlowLoris,
        _ => Fault::None,
    }
}

/// The answer with its fault, and how far what it says it used is to be believed.
fn reply(dice: &mut Dice, recording: &'static Recording, fault: Fault) -> (Reply, Count) {
    let whole = recording.bytes.to_vec();
    let (bytes, then) = match fault {
        Fault::Refuses => return (Reply::failing(Head::Fails(SendError::Connect)), Count::Doubtful),
        Fault::BreaksBeforeHead => return (Reply::failing(Head::Fails(SendError::Broken)), Count::Doubtful),
        Fault::HangsBeforeHead => return (Reply::failing(Head::Never), Count::Doubtful),
        Fault::Answers(status) => {
            let body = Piece::Bytes(error_body(recording.dialect).into());
            return (Reply::of(Head::Status(status, 40), vec![body]), Count::Doubtful);
        }
        Fault::SlowLoris => return (loris(&whole), count(recording, fault)),
        Fault::ErrorIn200 => (error_body(recording.dialect), None),
        Fault::BreaksAt(at) => (whole[..at].to_vec(), Some(Piece::Break)),
        Fault::ClosesAt(at) => (whole[..at].to_vec(), None),
        Fault::StallsAt(at) => (whole[..at].to_vec(), Some(Piece::Hang)),
        Fault::GarbageFrom(at) => (garbled(dice, whole, at), None),
        Fault::NoUsage => (uncounted(&whole), None),
        Fault::EndsTwice => (twice(&whole), None),
        Fault::CountsAbsurdly => (counted(&whole, "1000000"), None),
        Fault::CountsImpossibly => (counted(&whole, "18446744073709551615"), None),
        Fault::CountsBelowZero => (counted(&whole, "-5"), None),
        Fault::UsageAfterTheEnd => (late(recording, whole), None),
        Fault::None => (whole, None),
    };
    let mut pieces = pieces(dice, &bytes);
    pieces.extend(then);
    (Reply::of(Head::Status(200, 10 + dice.below(6_000)), pieces), count(recording, fault))
}

fn count(recording: &Recording, fault: Fault) -> Count {
    match fault {
        Fault::None | Fault::EndsTwice | Fault::UsageAfterTheEnd | Fault::SlowLoris => {
            Count::Believed(recording.used)
        }
        Fault::CountsImpossibly | Fault::CountsBelowZero => Count::Impossible,
        _ => Count::Doubtful,
    }
}

/// The bytes in pieces of any size, with waits between some of them.
fn pieces(dice: &mut Dice, bytes: &[u8]) -> Vec<Piece> {
    let most = *dice.pick(&[7, 60, 400, 4_000]);
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let length = rest.len().min(1 + dice.index(most));
        let (piece, after) = rest.split_at(length);
        pieces.push(Piece::Bytes(Bytes::copy_from_slice(piece)));
        if dice.once_in(3) {
            pieces.push(Piece::WaitMs(dice.below(700)));
        }
        rest = after;
    }
    pieces
}

/// A byte at a time, slower and slower than anybody wants and never quite silent.
fn loris(bytes: &[u8]) -> Reply {
    let drips =
        bytes.iter().flat_map(|byte| [Piece::WaitMs(900), Piece::Bytes(Bytes::copy_from_slice(&[*byte]))]);
    Reply::ok(drips.collect())
}

fn error_body(dialect: Dialect) -> Vec<u8> {
    match dialect {
        Dialect::Anthropic => {
            br#"{"type":"error","error":{"type":"api_error","message":"it broke"}}"#.to_vec()
        }
        Dialect::OpenAiChat => {
            br#"{"error":{"message":"it broke","type":"server_error","param":null,"code":null}}"#.to_vec()
        }
    }
}

fn garbled(dice: &mut Dice, mut bytes: Vec<u8>, from: usize) -> Vec<u8> {
    for byte in &mut bytes[from..] {
        *byte = u8::try_from(dice.below(256)).unwrap_or(0);
    }
    bytes
}

/// Without any count: the whole usage object is gone wherever one stood.
fn uncounted(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replace("\"usage\":{", "\"unused\":{").into_bytes()
}

/// With this output count wherever there was one.
fn counted(bytes: &[u8], count: &str) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for field in ["\"output_tokens\":", "\"completion_tokens\":"] {
        let mut from = 0;
        while let Some(at) = text[from..].find(field).map(|at| from + at + field.len()) {
            let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
            text.replace_range(at..at + digits, count);
            from = at + count.len();
        }
    }
    text.into_bytes()
}

/// With its last event once more.
fn twice(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let last = text.trim_end().rfind("\n\n").map_or("", |at| &text[at + 2..]);
    if last.is_empty() { bytes.to_vec() } else { [&text, last].concat().into_bytes() }
}

/// With another, larger count after everything.
fn late(recording: &Recording, bytes: Vec<u8>) -> Vec<u8> {
    let more: &str = match (recording.streamed, recording.dialect) {
        (false, _) => "",
        (true, Dialect::Anthropic) => {
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":900}}\n\n"
        }
        (true, Dialect::OpenAiChat) => {
            "data: {\"id\":\"chatcmpl-A\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":900,\"completion_tokens\":900,\"total_tokens\":1800}}\n\n"
        }
    };
    [bytes, more.as_bytes().to_vec()].concat()
}
