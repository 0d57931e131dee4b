//! An upstream that fails in any way: a clear error in the caller's dialect, and a receipt that charges nothing.

use bytespike_tests::http::Answer;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{ApiError, SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, Request, anthropic, nobody, openai};

const DEAD_CLAUDE: &str = "dead-claude";
const DEAD_GPT: &str = "dead-gpt";

/// How the provider fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Refuses,
    Answers500,
    Answers429,
    ErrorBodyIn200,
    CutMidway,
    ResetMidway,
    HangsBeforeItsHead,
    HangsMidway,
}

const FAILURES: [Failure; 8] = [
    Failure::Refuses,
    Failure::Answers500,
    Failure::Answers429,
    Failure::ErrorBodyIn200,
    Failure::CutMidway,
    Failure::ResetMidway,
    Failure::HangsBeforeItsHead,
    Failure::HangsMidway,
];

impl Failure {
    /// Status codes that a client may get, on either dialect's route.
    fn statuses(self) -> &'static [u16] {
        match self {
            Failure::Refuses => &[502, 503, 529],
            Failure::Answers429 => &[429],
            Failure::Answers500 | Failure::ErrorBodyIn200 => &[500, 502, 503, 529],
            Failure::CutMidway | Failure::ResetMidway => &[502],
            Failure::HangsBeforeItsHead | Failure::HangsMidway => &[504],
        }
    }

    fn reply(self, request: &Request) -> Reply {
        let claude = request.path.contains("/messages");
        let error = if claude {
            anthropic::error("api_error", "it broke")
        } else {
            openai::error("server_error", "it broke")
        };
        let limited = if claude {
            anthropic::error("rate_limit_error", "slow down")
        } else {
            openai::error("requests", "slow down")
        };
        match self {
            Failure::Refuses | Failure::HangsBeforeItsHead => Reply::silence(),
            Failure::Answers500 => Reply::json(500, &error),
            Failure::Answers429 => Reply::json(429, &limited).header("retry-after", "7"),
            Failure::ErrorBodyIn200 if request.json()["stream"] == true => {
                let event = if claude { anthropic::event(&error) } else { openai::event(&error) };
                Reply::events([event])
            }
            Failure::ErrorBodyIn200 => Reply::json(200, &error),
            Failure::CutMidway => half(request).cut_after(usize::MAX),
            Failure::ResetMidway => half(request).reset(),
            Failure::HangsMidway => half(request).hang(),
        }
    }
}

/// A good answer up to its middle.
fn half(request: &Request) -> Reply {
    let claude = request.path.contains("/messages");
    if request.json()["stream"] == true {
        let events = if claude {
            anthropic::text_stream(&["half", "way"])
        } else {
            openai::text_stream(&["half", "way"])
        };
        return Reply::stream().pieces(&events[..3]);
    }
    let body = if claude { anthropic::text("whole") } else { openai::text("whole") };
    Reply::json(200, &body).cut_after(120)
}

#[tokio::test]
async fn every_failure_is_told_in_the_callers_dialect_and_costs_nothing() {
    let nowhere = nobody().await;
    let stage = Stage::with(|setup| {
        setup
            .settings("[gateway]\nfirst_byte_timeout_ms = 400\nwhole_answer_timeout_ms = 400\nidle_timeout_ms = 400")
            .model(DEAD_CLAUDE, "1.00")
            .model(DEAD_GPT, "1.00")
            .channel("anthropic", &nowhere, &[DEAD_CLAUDE])
            .channel("openai-chat", &format!("{nowhere}/v1"), &[DEAD_GPT])
    })
    .await;
    let before = stage.balance().await;
    for failure in FAILURES {
        stage.answer_with(move |request| failure.reply(request));
        for speaker in SPEAKERS {
            for model in if failure == Failure::Refuses { [DEAD_CLAUDE, DEAD_GPT] } else { [CLAUDE, GPT] } {
                for stream in [false, true] {
                    let case = format!("{failure:?}, {speaker:?} client, {model}, stream {stream}");
                    let answer = stage.stream(speaker, &speaker.ask(model, stream)).await.rest().await;
                    check_error(&case, failure, speaker, &answer);
                    check_receipt(&case, &stage, &answer).await;
                }
            }
        }
    }
    assert_eq!(stage.balance().await, before, "failures cost nothing");
}

fn check_error(case: &str, failure: Failure, speaker: Speaker, answer: &Answer) {
    let error = if answer.status == 200 {
        let events = answer.events();
        assert!(
            !speaker.ended_well(&events),
            "{case}: a broken stream must not look complete: {}",
            answer.text()
        );
        speaker.error_event(&events).unwrap_or_else(|| panic!("{case}: no error event in {}", answer.text()))
    } else {
        assert!(
            failure.statuses().contains(&answer.status),
            "{case}: status {}: {}",
            answer.status,
            answer.text()
        );
        speaker.error(answer)
    };
    check_words(case, &error);
    if failure == Failure::Answers429 {
        assert_eq!(answer.header("retry-after"), "7", "{case}");
    }
}

fn check_words(case: &str, error: &ApiError) {
    assert!(error.message.len() > 10, "{case}: {error:?}");
    assert!(
        !error.message.contains("127.0.0.1"),
        "{case}: the provider's address is none of the client's business: {error:?}"
    );
    assert!(!error.kind.is_empty(), "{case}: {error:?}");
}

async fn check_receipt(case: &str, stage: &Stage, answer: &Answer) {
    let receipt = stage.receipt_of(answer).await;
    assert_eq!(receipt["outcome"], "released", "{case}: {receipt}");
    assert_eq!(receipt["charged"]["credits"], "0.000", "{case}: {receipt}");
    assert_eq!(receipt["returned"], receipt["held"], "{case}: {receipt}");
    assert_ne!(receipt["reason"], "stop", "{case}: {receipt}");
    assert!(receipt["attempts"].as_array().is_some_and(|attempts| !attempts.is_empty()), "{case}: {receipt}");
}
