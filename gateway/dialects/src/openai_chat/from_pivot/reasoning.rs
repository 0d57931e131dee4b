//! Thinking, said the way each provider understands.

use serde_json::json;

use super::{Body, messages};
use crate::anthropic::request::{Request, Thinking, ThinkingMode};
use crate::quirks::ReasoningSwitch;
use crate::request::{FieldError, Notes, Target};

/// How hard to think, said the way the provider understands; off where a forced tool or lost history demands it.
pub(super) fn write(
    body: &mut Body<'_>,
    request: &Request<'_>,
    target: &Target,
    notes: &mut Notes,
) -> Result<(), FieldError> {
    let rules = target.quirks.reasoning;
    let asked = request.thinking.is_some_and(Thinking::is_on) || request.output_config.effort.is_some();
    let forced = matches!(body.tool_choice.as_ref(), Some(choice) if choice != "auto" && choice != "none");
    let impossible = (rules.forbids_forced_tool && forced)
        || (rules.needs_history && messages::lack_reasoning(&body.messages));
    let on = match request.thinking.map(|thinking| thinking.mode) {
        _ if impossible => Some(false),
        Some(ThinkingMode::Disabled) => Some(false),
        _ if asked => Some(true),
        _ => None,
    };
    if asked && impossible && rules.switch != ReasoningSwitch::None {
        notes.dropped("thinking")?;
    }
    let budget = request.thinking.and_then(|thinking| thinking.budget_tokens);
    match (rules.switch, on) {
        (ReasoningSwitch::Thinking, Some(on)) => {
            body.thinking = Some(json!({ "type": if on { "enabled" } else { "disabled" } }));
        }
        (ReasoningSwitch::EnableThinking, Some(on)) => {
            body.enable_thinking = Some(on);
            body.thinking_budget = budget.filter(|_| on);
        }
        _ => {}
    }
    body.reasoning_effort = match on {
        Some(true) => nearest(rules.efforts, effort(request)),
        Some(false) => {
            rules.efforts.first().copied().filter(|weakest| matches!(*weakest, "none" | "minimal"))
        }
        None => None,
    };
    if on == Some(true) && rules.switch == ReasoningSwitch::None && rules.efforts.is_empty() {
        notes.dropped("thinking")?;
    }
    Ok(())
}

/// The level asked for, or the one that stands for the token budget.
fn effort<'a>(request: &'a Request<'_>) -> &'a str {
    let budget = request.thinking.and_then(|thinking| thinking.budget_tokens);
    match (&request.output_config.effort, budget) {
        (Some(effort), _) => effort,
        (None, Some(..=2048)) => "low",
        (None, None | Some(..=8192)) => "medium",
        (None, Some(..=24_576)) => "high",
        (None, Some(_)) => "xhigh",
    }
}

/// The strongest level the provider takes that is not above `wanted`, or its weakest.
fn nearest(taken: &'static [&'static str], wanted: &str) -> Option<&'static str> {
    const ALL: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    let rank = |level: &str| ALL.iter().position(|known| *known == level);
    let wanted = rank(wanted).unwrap_or(3);
    let thinks = |level: &&&str| **level != "none";
    let below = taken.iter().filter(thinks).rfind(|level| rank(level).is_some_and(|rank| rank <= wanted));
    below.or_else(|| taken.iter().find(thinks)).copied()
}
