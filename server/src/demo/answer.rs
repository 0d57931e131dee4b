//! Decides what the demo provider says, before any wire format is chosen.

use serde_json::Value;

use super::prompt::{Prompt, Tool, ToolChoice, tokens_of};
use super::sample;

/// One answer: its parts in order, why it stopped, and what it cost.
#[derive(Debug, Clone)]
pub struct Answer {
    pub thinking: Option<String>,
    pub text: String,
    pub tool_calls: Vec<ToolCall>,
    pub stop: Stop,
    pub output_tokens: u64,
    pub thinking_tokens: u64,
}

/// A call of one declared tool.
#[derive(Debug, Clone)]
pub struct ToolCall {
    /// Position among the calls of this answer, from 0.
    pub index: usize,
    pub name: String,
    pub input: Value,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    End,
    MaxTokens,
    Sequence(String),
    Tool,
    /// A directive's own word for it, in the dialect's spelling.
    Directed(String),
}

/// Answers a prompt.
pub fn answer(prompt: &Prompt) -> Answer {
    let thinking = (prompt.thinking || prompt.directives.think).then(|| thinking_about(prompt));
    let thinking_tokens = thinking.as_ref().map_or(0, |text| tokens_of(text.len()));
    let tool_calls = tool_calls(prompt);
    let (text, stop) = limited(spoken(prompt, &tool_calls), prompt);
    let stop = match (&prompt.directives.stop, tool_calls.is_empty()) {
        (Some(word), _) => Stop::Directed(word.clone()),
        (None, false) => Stop::Tool,
        (None, true) => stop,
    };
    let spoken_bytes = text.len() + tool_calls.iter().map(|call| call.input.to_string().len()).sum::<usize>();
    let output_tokens = thinking_tokens + tokens_of(spoken_bytes);
    Answer { thinking, text, tool_calls, stop, output_tokens, thinking_tokens }
}

/// Pieces of a text as a stream delivers them: a word with the space before it.
pub fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(' ') {
        if at > start {
            pieces.push(&text[start..at]);
            start = at;
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// A text cut near its middle, as a stream delivers the arguments of a tool.
pub fn in_two(text: &str) -> (&str, &str) {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.split_at(middle)
}

fn thinking_about(prompt: &Prompt) -> String {
    format!("A demo does not think. The question has {} letters.", prompt.last_user_text.chars().count())
}

fn tool_calls(prompt: &Prompt) -> Vec<ToolCall> {
    let called: Vec<&Tool> = match &prompt.tool_choice {
        ToolChoice::Never => Vec::new(),
        ToolChoice::Named(name) => prompt.tools.iter().filter(|tool| tool.name == *name).collect(),
        _ if prompt.directives.tools > 0 => prompt.tools.iter().take(prompt.directives.tools).collect(),
        ToolChoice::Any => asked_for_or_first(prompt),
        ToolChoice::Auto if prompt.tool_result.is_some() => Vec::new(),
        ToolChoice::Auto => asked_for(prompt).collect(),
    };
    let subject = subject_of(&prompt.last_user_text);
    let call = |(index, tool): (usize, &Tool)| ToolCall {
        index,
        name: tool.name.clone(),
        input: sample::of_schema(&tool.schema, &subject),
    };
    called.into_iter().enumerate().map(call).collect()
}

fn asked_for_or_first(prompt: &Prompt) -> Vec<&Tool> {
    let asked: Vec<&Tool> = asked_for(prompt).collect();
    if asked.is_empty() { prompt.tools.iter().take(1).collect() } else { asked }
}

/// A tool is asked for by its name, or by a word of its name that is long enough to mean something.
fn asked_for(prompt: &Prompt) -> impl Iterator<Item = &Tool> {
    let text = prompt.last_user_text.to_lowercase();
    prompt.tools.iter().filter(move |tool| {
        let name = tool.name.to_lowercase();
        text.contains(&name) || name.split(['_', '-']).any(|word| word.len() >= 4 && text.contains(word))
    })
}

/// The last capitalised word, which in "What is the weather in Paris?" is what matters.
fn subject_of(text: &str) -> String {
    let mut words = text.rsplit(|letter: char| !letter.is_alphanumeric());
    let capitalised = words.find(|word| word.chars().next().is_some_and(char::is_uppercase));
    capitalised.unwrap_or("demo").to_owned()
}

fn spoken(prompt: &Prompt, tool_calls: &[ToolCall]) -> String {
    if let Some(words) = prompt.directives.words {
        return vec!["demo"; words].join(" ");
    }
    if !tool_calls.is_empty() {
        return String::new();
    }
    if let Some(schema) = &prompt.schema {
        return sample::of_schema(schema, &subject_of(&prompt.last_user_text)).to_string();
    }
    if let Some(result) = &prompt.tool_result {
        return format!("The tool answered: {}", shortened(result));
    }
    let images = match prompt.images {
        0 => String::new(),
        1 => " I was given 1 image.".to_owned(),
        count => format!(" I was given {count} images."),
    };
    format!(
        "This is the ByteSpike demo, not a real model.{images} You said: {}",
        shortened(&prompt.last_user_text)
    )
}

fn shortened(text: &str) -> String {
    text.chars().take(400).collect()
}

/// Cuts the text at the first stop sequence, then at the output limit.
fn limited(mut text: String, prompt: &Prompt) -> (String, Stop) {
    let mut stop = Stop::End;
    let found =
        prompt.stop_sequences.iter().filter_map(|sequence| Some((text.find(sequence.as_str())?, sequence)));
    if let Some((at, sequence)) = found.min() {
        stop = Stop::Sequence(sequence.clone());
        text.truncate(at);
    }
    let limit_bytes = prompt
        .max_tokens
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX).saturating_mul(4));
    if text.len() > limit_bytes {
        stop = Stop::MaxTokens;
        let end = (0..=limit_bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    (text, stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_whole_text() {
        for text in ["one two  three", " lead", "trail ", "", "嗨 你好"] {
            assert_eq!(pieces(text).concat(), text);
        }
        assert_eq!(pieces("one two three"), ["one", " two", " three"]);
    }
}
