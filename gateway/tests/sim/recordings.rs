//! Answers of providers as they come over the wire, with what they say they used.
use bytespike_dialects::Dialect;

/// One recorded answer.
#[derive(Debug)]
pub struct Recording {
    pub name: &'static str,
    pub dialect: Dialect,
    pub streamed: bool,
    pub bytes: &'static [u8],
    pub used: Used,
    pub ends: Ends,
}

/// Tokens, in disjoint parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    pub input: i64,
    pub cache_read: i64,
    pub output: i64,
}

/// How the recorded answer ends when nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// With content, whole or cut at the caller's limit.
    Well,
    /// Refused by the provider before any content.
    Refused,
    /// With an error inside a 200.
    InError,
}

const fn used(input: i64, cache_read: i64, output: i64) -> Used {
    Used { input, cache_read, output }
}

macro_rules! recordings {
    ($($file:literal $dialect:ident $streamed:literal $used:expr, $ends:ident;)+) => {
        pub const ALL: [Recording; [$($file),+].len()] = [$(Recording {
            name: $file,
            dialect: Dialect::$dialect,
            streamed: $streamed,
            bytes: include_bytes!(concat!("recordings/", $file)),
            used: $used,
            ends: Ends::$ends,
        }),+];
    };
}

recordings! {
    "anthropic_text.sse" Anthropic true used(21, 8, 17), Well;
    "anthropic_tool.sse" Anthropic true used(40, 0, 31), Well;
    "anthropic_thinking.sse" Anthropic true used(33, 0, 44), Well;
    "anthropic_length.sse" Anthropic true used(21, 0, 64), Well;
    "anthropic_refusal.sse" Anthropic true used(21, 0, 3), Refused;
    "anthropic_overloaded.sse" Anthropic true used(21, 0, 1), InError;
    "openai_text.sse" OpenAiChat true used(21, 8, 17), Well;
    "openai_tools.sse" OpenAiChat true used(40, 0, 31), Well;
    "openai_reasoning.sse" OpenAiChat true used(33, 0, 44), Well;
    "openai_length.sse" OpenAiChat true used(21, 0, 64), Well;
    "openai_filtered.sse" OpenAiChat true used(21, 0, 3), Refused;
    "openai_error.sse" OpenAiChat true used(0, 0, 0), InError;
    "anthropic_text.json" Anthropic false used(21, 0, 17), Well;
    "anthropic_tool.json" Anthropic false used(40, 0, 31), Well;
    "openai_text.json" OpenAiChat false used(21, 0, 17), Well;
    "openai_tool.json" OpenAiChat false used(40, 0, 31), Well;
}

/// The recording of that name.
pub fn named(name: &str) -> &'static Recording {
    static ALL_OF_THEM: [Recording; ALL.len()] = ALL;
    ALL_OF_THEM
        .iter()
        .find(|recording| recording.name == name)
        .unwrap_or_else(|| panic!("no recording {name}"))
}

/// Every streamed recording, or every whole one.
pub fn all(streamed: bool) -> impl Iterator<Item = &'static Recording> {
    ALL.iter().filter(move |recording| recording.streamed == streamed).map(|recording| named(recording.name))
}

impl Recording {
    /// How many bytes must have come before the answer says that it is finished.
    pub fn finished_at(&self) -> usize {
        let marks: &[&[u8]] = &[b"\"stop_reason\":\"", b"\"finish_reason\":\""];
        let find = |from: usize, what: &[u8]| {
            self.bytes[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
        };
        let mark = marks.iter().find_map(|mark| find(0, mark));
        match (mark, self.streamed) {
            (Some(mark), true) => find(mark, b"\n\n").unwrap_or(self.bytes.len()),
            _ => self.bytes.len(),
        }
    }
}
