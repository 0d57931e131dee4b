//! Known ways in which gateways break streams, each replayed through the running gateway. Numbers are the vectors' names.

use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::scale;
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::sse::Event;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, anthropic, openai};
use serde_json::{Value, json};

async fn streamed(stage: &Stage, speaker: Speaker, model: &str) -> Vec<Event> {
    let events = stage.ask(speaker, &speaker.ask(model, true)).await.expect_status(200).events();
    events.into_iter().filter(|event| event.name != "ping").collect()
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// The arguments of the block at `index`, put together as an SDK does.
fn arguments(events: &[Event], index: u64) -> String {
    let deltas =
        events.iter().map(Event::json).filter(|e| e["type"] == "content_block_delta" && e["index"] == index);
    deltas.filter_map(|e| e["delta"]["partial_json"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn v01_a_tool_call_without_a_finish_reason_still_ends_as_one() {
    let stage = Stage::new().await;
    let start = openai::tool_start(0, "call_1", "weather");
    stage.answer(Reply::events([
        start,
        openai::tool_arguments(0, "{\"city\":\"Paris\"}"),
        openai::DONE.to_owned(),
    ]));
    let events = streamed(&stage, Speaker::Anthropic, GPT).await;
    let expected = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(names(&events), expected);
    assert_eq!(arguments(&events, 0), "{\"city\":\"Paris\"}");
    assert_eq!(events[4].json()["delta"]["stop_reason"], "tool_use");
}

#[tokio::test]
async fn v02_a_stream_without_usage_is_counted_by_what_was_delivered() {
    let stage = Stage::new().await;
    let events = [
        openai::text_deltas(&["one ", "two ", "three"]),
        vec![openai::finish("stop"), openai::DONE.to_owned()],
    ]
    .concat();
    stage.answer(Reply::events(events));
    let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(GPT, true)).await.expect_status(200);
    assert!(Speaker::Anthropic.ended_well(&answer.events()));
    let usage = Speaker::Anthropic.last_usage(&answer.events());
    assert!(
        usage["input_tokens"].as_u64() > Some(0) && usage["output_tokens"].as_u64() > Some(0),
        "never zeros: {usage}"
    );
    let receipt = stage.receipt_of(&answer).await;
    assert_eq!(
        (&receipt["outcome"], &receipt["usage_source"]),
        (&"settled".into(), &"delivered_count".into())
    );
}

#[tokio::test]
async fn v04_usage_is_asked_for_even_when_the_client_did_not() {
    let stage = Stage::new().await;
    streamed(&stage, Speaker::Anthropic, GPT).await;
    assert_eq!(stage.upstream.last().json()["stream_options"]["include_usage"], true);
    assert_eq!(stage.upstream.last().path, "/v1/chat/completions");
}

#[tokio::test]
async fn v05_usage_after_the_finish_is_shown_and_charged() {
    let stage = Stage::new().await;
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107, "prompt_tokens_details": {"cached_tokens": 60}});
    let events = [
        openai::text_deltas(&["hi"]),
        vec![openai::finish("stop"), openai::usage_event(&usage), openai::DONE.to_owned()],
    ];
    stage.answer(Reply::events(events.concat()));
    let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(GPT, true)).await.expect_status(200);
    let shown: Vec<Value> = answer
        .events()
        .iter()
        .filter(|e| e.name == "message_delta")
        .map(|e| e.json()["usage"].clone())
        .collect();
    assert_eq!(shown.len(), 1);
    let counts =
        ["input_tokens", "cache_read_input_tokens", "output_tokens"].map(|name| shown[0][name].as_u64());
    assert_eq!(counts, [Some(40), Some(60), Some(7)]);
    // More input than the hold foresaw: the charge stops at the hold.
    let receipt = stage.receipt_of(&answer).await;
    assert_eq!(
        receipt["lines"].as_array().map(Vec::len),
        Some(if receipt["charged"] == receipt["held"] { 4 } else { 3 }),
        "{receipt}"
    );
}

#[tokio::test]
async fn v07_the_first_event_estimates_the_input() {
    let stage = Stage::new().await;
    let events = streamed(&stage, Speaker::Anthropic, GPT).await;
    assert!(events[0].json()["message"]["usage"]["input_tokens"].as_u64() > Some(0));
    let last = Speaker::Anthropic.last_usage(&events);
    assert_eq!((last["input_tokens"].as_u64(), last["output_tokens"].as_u64()), (Some(12), Some(5)));
}

const SPLIT_TEXT: &str = "Grüße, 你好🌍!";

#[tokio::test]
async fn v13_text_survives_a_cut_at_any_byte() {
    let stage = Stage::new().await;
    for (speaker, model) in [
        (Speaker::Anthropic, CLAUDE),
        (Speaker::Anthropic, GPT),
        (Speaker::OpenAi, CLAUDE),
        (Speaker::OpenAi, GPT),
    ] {
        let stream = match model {
            CLAUDE => anthropic::text_stream(&["Grüße, ", "你好🌍!"]).concat(),
            _ => openai::text_stream(&["Grüße, ", "你好🌍!"]).concat(),
        };
        let whole = text_of_stream(&stage, speaker, model, Reply::events([&stream])).await;
        assert_eq!(whole, SPLIT_TEXT);
        let step = stream.len() / scale("byte offsets at which a stream was cut", 12, stream.len());
        for cut in (1..stream.len()).step_by(step.max(1)) {
            let (head, tail) = stream.as_bytes().split_at(cut);
            let text =
                text_of_stream(&stage, speaker, model, Reply::stream().piece(head).piece(tail).done()).await;
            assert_eq!(text, SPLIT_TEXT, "{speaker:?} {model} cut at {cut}");
        }
        for size in 1..=scale("sizes of pieces a stream was cut into", 3, 16) {
            let text = text_of_stream(&stage, speaker, model, Reply::cut_up(stream.as_bytes(), size)).await;
            assert_eq!(text, SPLIT_TEXT, "{speaker:?} {model} in pieces of {size}");
        }
    }
}

async fn text_of_stream(stage: &Stage, speaker: Speaker, model: &str, reply: Reply) -> String {
    stage.answer(reply);
    let events = streamed(stage, speaker, model).await;
    assert!(speaker.ended_well(&events), "{events:?}");
    speaker.text(&events)
}

#[tokio::test]
async fn v14_every_spelling_of_an_event_stream_is_read() {
    let stage = Stage::new().await;
    let plain = openai::text_stream(&["a", "b"]).concat();
    let spellings = [
        plain.replace("\n\n", "\r\n\r\n"),
        plain.replace("\n\n", "\r\r"),
        plain.replace("data: ", "data:"),
        format!("\u{feff}{plain}"),
        plain.replace("data: ", ": a comment\nid: 7\nretry: 10\ndata: "),
        plain.replace("\"choices\":", "\ndata: \"choices\":"),
    ];
    for spelling in spellings {
        for speaker in SPEAKERS {
            println!("{speaker:?}: {spelling:?}");
            let text = text_of_stream(&stage, speaker, GPT, Reply::events([&spelling])).await;
            assert_eq!(text, "ab", "{speaker:?}: {spelling:?}");
        }
    }
    let long = "x".repeat(1_000_000);
    let text =
        text_of_stream(&stage, Speaker::Anthropic, GPT, Reply::events(openai::text_stream(&[&long]))).await;
    assert_eq!(text.len(), long.len());
}

#[tokio::test]
async fn v17_an_error_chunk_in_a_good_status_is_an_error() {
    let stage = Stage::new().await;
    let error = openai::event(&json!({"error": {"code": 502, "message": "no backend"}, "choices": []}));
    stage.answer(Reply::events([error, openai::DONE.to_owned()]));
    for speaker in SPEAKERS {
        let answer = stage.ask(speaker, &speaker.ask(GPT, true)).await;
        assert_ne!(
            answer.status,
            200,
            "nothing was sent yet, so the status can still tell: {}",
            answer.text()
        );
        speaker.error(&answer);
    }
}

#[tokio::test]
async fn v20_a_reset_in_the_middle_is_an_error_event_and_free() {
    let stage = Stage::new().await;
    for speaker in SPEAKERS {
        for (model, opening) in
            [(CLAUDE, anthropic::text_stream(&["half"])[..3].to_vec()), (GPT, openai::text_deltas(&["half"]))]
        {
            stage.answer(Reply::stream().pieces(opening).reset());
            let answer = stage.ask(speaker, &speaker.ask(model, true)).await;
            if answer.status == 200 {
                let events = answer.events();
                assert!(
                    speaker.error_event(&events).is_some() && !speaker.ended_well(&events),
                    "{}",
                    answer.text()
                );
            } else {
                speaker.error(&answer);
            }
            let receipt = stage.receipt_of(&answer).await;
            assert_eq!(
                (&receipt["outcome"], &receipt["reason"]),
                (&"released".into(), &"stream_broke".into())
            );
        }
    }
}

#[tokio::test]
async fn v22_every_frame_of_an_anthropic_stream_is_named() {
    let stage = Stage::new().await;
    for model in [CLAUDE, GPT] {
        for event in streamed(&stage, Speaker::Anthropic, model).await {
            assert_eq!(event.json()["type"], event.name, "{event:?}");
        }
    }
}

#[tokio::test]
async fn v23_interleaved_tool_calls_come_out_one_after_the_other() {
    let stage = Stage::new().await;
    let events = [
        vec![openai::tool_start(0, "call_a", "first"), openai::tool_start(1, "call_b", "second")],
        ["{\"x\"", "{\"y\"", ":1}", ":2}"]
            .iter()
            .enumerate()
            .map(|(n, part)| openai::tool_arguments(n % 2, part))
            .collect(),
        openai::end("tool_calls"),
    ];
    stage.answer(Reply::events(events.concat()));
    let events = streamed(&stage, Speaker::Anthropic, GPT).await;
    let mut open = None;
    let mut started = Vec::new();
    for event in events.iter().map(Event::json) {
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!(open, None, "one block at a time");
                open = event["index"].as_u64();
                started.push(event["content_block"]["name"].as_str().unwrap().to_owned());
            }
            "content_block_delta" => assert_eq!(event["index"].as_u64(), open, "no delta outside its block"),
            "content_block_stop" => assert_eq!(event["index"].as_u64(), open.take()),
            _ => {}
        }
    }
    assert_eq!(started, ["first", "second"]);
    assert_eq!((arguments(&events, 0).as_str(), arguments(&events, 1).as_str()), ("{\"x\":1}", "{\"y\":2}"));
}

#[tokio::test]
async fn v31_tool_calls_are_numbered_among_themselves() {
    let stage = Stage::new().await;
    let events = [
        vec![anthropic::start(anthropic::USAGE)],
        anthropic::text_block(0, &["Looking."]),
        anthropic::tool_block(1, "toolu_1", "weather", &["", "{\"city\":\"Paris\"}"]),
        anthropic::end("tool_use", anthropic::USAGE),
    ];
    stage.answer(Reply::events(events.concat()));
    let events = streamed(&stage, Speaker::OpenAi, CLAUDE).await;
    let calls: Vec<Value> = events
        .iter()
        .map(|e| e.json()["choices"][0]["delta"]["tool_calls"][0].clone())
        .filter(Value::is_object)
        .collect();
    assert!(calls.iter().all(|call| call["index"] == 0), "{calls:?}");
    let arguments: String = calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert_eq!(arguments, "{\"city\":\"Paris\"}");
}

#[tokio::test]
async fn v34_empty_tool_arguments_reach_an_anthropic_provider_as_an_empty_object() {
    let stage = Stage::new().await;
    for empty in [json!(""), json!(" "), Value::Null] {
        let mut body = Speaker::OpenAi.ask(CLAUDE, false);
        body["messages"] = json!([
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": empty}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "done"},
        ]);
        let _ = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
        assert_eq!(stage.upstream.last().json()["messages"][1]["content"][0]["input"], json!({}));
    }
}

#[tokio::test]
async fn v35_empty_tool_arguments_from_a_provider_are_an_empty_object() {
    let stage = Stage::new().await;
    let message = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}]});
    stage.answer(Reply::json(200, &openai::completion(&message, "tool_calls")));
    let body =
        stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(GPT, false)).await.expect_status(200).json();
    assert_eq!(body["content"][0]["input"], json!({}));
    assert_eq!(body["stop_reason"], "tool_use");
    stage.answer(Reply::events(
        [vec![openai::tool_start(0, "call_1", "f")], openai::end("tool_calls")].concat(),
    ));
    let events = streamed(&stage, Speaker::Anthropic, GPT).await;
    assert!(matches!(arguments(&events, 0).as_str(), "" | "{}"));
}

#[tokio::test]
async fn v41_tool_answers_are_one_user_turn_in_the_order_of_the_calls() {
    let stage = Stage::new().await;
    let call = |n: u32| json!({"id": format!("call_{n}"), "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let result = |n: u32| json!({"role": "tool", "tool_call_id": format!("call_{n}"), "content": format!("result {n}")});
    let mut body = Speaker::OpenAi.ask(CLAUDE, false);
    body["messages"] = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "", "tool_calls": [call(1), call(2), call(3)]},
        result(1), result(2), result(3),
    ]);
    let _ = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
    let messages = stage.upstream.last().json()["messages"].clone();
    assert_eq!(messages.as_array().map(Vec::len), Some(3), "{messages}");
    let kinds = |n: usize| {
        messages[n]["content"].as_array().unwrap().iter().map(|b| b["type"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(1), ["tool_use", "tool_use", "tool_use"], "no empty text block");
    assert_eq!(kinds(2), ["tool_result", "tool_result", "tool_result"]);
    for n in 0..3 {
        assert_eq!(messages[1]["content"][n]["id"], messages[2]["content"][n]["tool_use_id"]);
    }
}

#[tokio::test]
async fn v52_a_tool_call_of_an_anthropic_provider_finishes_as_tool_calls() {
    let stage = Stage::new().await;
    let mut body = Speaker::OpenAi.ask(CLAUDE, false);
    body["messages"][0]["content"] = "scene:tools".into();
    let choice = stage.ask(Speaker::OpenAi, &body).await.expect_status(200).json()["choices"][0].clone();
    assert_eq!(
        (&choice["finish_reason"], choice["message"]["tool_calls"].as_array().map(Vec::len)),
        (&"tool_calls".into(), Some(2))
    );
    body["stream"] = true.into();
    let events = stage.ask(Speaker::OpenAi, &body).await.expect_status(200).events();
    let finishes: Vec<String> = events
        .iter()
        .filter_map(|e| e.json()["choices"][0]["finish_reason"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(finishes, ["tool_calls"]);
}

#[tokio::test]
async fn v95_a_usage_chunk_is_shown_exactly_when_asked_for() {
    let stage = Stage::new().await;
    for model in [CLAUDE, GPT] {
        for (options, expected) in
            [(Value::Null, 0), (json!({"include_usage": false}), 0), (json!({"include_usage": true}), 1)]
        {
            let mut body = Speaker::OpenAi.ask(model, true);
            if options.is_object() {
                body["stream_options"] = options.clone();
            }
            let answer = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
            let chunks: Vec<Value> =
                answer.events().iter().filter(|e| e.data != "[DONE]").map(Event::json).collect();
            assert!(chunks.iter().all(|chunk| chunk["choices"].is_array()), "choices are always there");
            assert_eq!(
                chunks.iter().filter(|chunk| chunk["usage"].is_object()).count(),
                expected,
                "{model} {options}"
            );
            assert_eq!(
                stage.receipt_of(&answer).await["charged"]["credits"],
                "17.000",
                "metered all the same"
            );
        }
    }
}
