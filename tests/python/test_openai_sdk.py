"""The official OpenAI SDK for Python, against both shapes of provider."""

import json

import openai
import pytest

from conftest import (CLOCK, COSTLY, GATEWAY, KEY, MODELS, TEXT, WEATHER, check_charged_for_what_was_delivered, fresh_key,
                      resolved_receipt)

TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "The weather in a city.", "parameters": WEATHER}},
    {"type": "function", "function": {"name": "clock", "description": "The time in a zone.", "parameters": CLOCK}},
]


def ask(model, scene, **more):
    return {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": f"scene:{scene}"}], **more}


def check_tool_calls(choice):
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Looking."
    weather, clock = choice.message.tool_calls
    assert (weather.function.name, json.loads(weather.function.arguments)) == ("weather", {"city": "Paris"})
    assert (clock.function.name, json.loads(clock.function.arguments)) == ("clock", {"zone": "Europe/Paris"})
    assert weather.id != clock.id


def test_text(gpt, model):
    system = {"role": "system", "content": "Be brief."}
    question = ask(model, "text")
    question["messages"].insert(0, system)
    completion = gpt.chat.completions.create(**question)
    assert completion.choices[0].message.content == TEXT
    assert (completion.model, completion.choices[0].finish_reason) == (model, "stop")
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens, completion.usage.total_tokens) == (12, 5, 17)


@pytest.mark.parametrize("options, usage_chunks", [
    ({}, 0),
    ({"stream_options": {"include_usage": False}}, 0),
    ({"stream_options": {"include_usage": True}}, 1),
])
def test_stream_shows_usage_only_when_asked(gpt, model, options, usage_chunks):
    chunks = list(gpt.chat.completions.create(**ask(model, "text", stream=True, **options)))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert {c.model for c in chunks} == {model}
    assert len({c.id for c in chunks}) == 1
    with_usage = [c.usage for c in chunks if c.usage]
    assert len(with_usage) == usage_chunks
    assert all((usage.prompt_tokens, usage.completion_tokens) == (12, 5) for usage in with_usage)


def test_stream_helper(gpt, model):
    with gpt.chat.completions.stream(**ask(model, "text")) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == TEXT


def test_parallel_tools(gpt, model):
    check_tool_calls(gpt.chat.completions.create(**ask(model, "tools", tools=TOOLS)).choices[0])


def test_parallel_tools_streamed(gpt, model):
    with gpt.chat.completions.stream(**ask(model, "tools", tools=TOOLS)) as stream:
        check_tool_calls(stream.get_final_completion().choices[0])


def test_tool_round_trip(gpt, model):
    question = ask(model, "tools", tools=TOOLS)
    calls = gpt.chat.completions.create(**question).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name} answered"} for call in calls.tool_calls]
    question["messages"] += [calls.model_dump(exclude_none=True), *results]
    answer = gpt.chat.completions.create(**question).choices[0].message.content
    assert answer == "weather answered; clock answered"


@pytest.mark.parametrize("status, expected", [
    (400, openai.BadRequestError),
    (429, openai.RateLimitError),
    (500, openai.InternalServerError),
    (529, openai.InternalServerError),
])
def test_a_provider_error_is_typed(gpt, model, status, expected):
    with pytest.raises(expected) as caught:
        gpt.chat.completions.create(**ask(model, f"status-{status}"))
    assert caught.value.body["message"]
    assert caught.value.request_id
    receipt = resolved_receipt(caught.value.response.headers["x-receipt-id"])
    assert (receipt["outcome"], receipt["charged"]["credits"]) == ("released", "0.000")


@pytest.mark.parametrize("change, expected, status", [
    ({"model": "no-such-model"}, openai.NotFoundError, 404),
    ({"model": COSTLY}, openai.APIStatusError, 402),
    ({"messages": []}, openai.BadRequestError, 400),
])
def test_a_refusal_is_typed(gpt, change, expected, status):
    with pytest.raises(expected) as caught:
        gpt.chat.completions.create(**{**ask(MODELS[0], "text"), **change})
    assert caught.value.status_code == status


def test_a_wrong_key_is_typed():
    with openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key="sk-byts-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(**ask(MODELS[0], "text"))


def test_an_error_in_a_stream_is_raised(gpt, model):
    with pytest.raises(openai.APIError):
        list(gpt.chat.completions.create(**ask(model, "break", stream=True)))


def test_cancellation_after_content_charges_what_was_delivered(gpt, model):
    stream = gpt.chat.completions.create(**ask(model, "slow", stream=True))
    receipt_id = stream.response.headers["x-receipt-id"]
    assert next(c for c in stream if c.choices and c.choices[0].delta.content).choices[0].delta.content == "Hello "
    stream.close()
    check_charged_for_what_was_delivered(resolved_receipt(receipt_id))


def test_models_are_listed_and_found(gpt, model):
    assert model in [listed.id for listed in gpt.models.list()]
    assert gpt.models.retrieve(model).id == model


def test_a_request_sent_again_with_its_key_is_answered_again(gpt, model):
    key = fresh_key()
    first, second = (gpt.chat.completions.with_raw_response.create(**ask(model, "text"), extra_headers=key) for _ in range(2))
    assert second.headers["idempotent-replay"] == "true"
    assert second.headers["x-receipt-id"] == first.headers["x-receipt-id"]
    assert second.parse().choices == first.parse().choices
    with pytest.raises(openai.UnprocessableEntityError):
        gpt.chat.completions.create(**ask(model, "tools", tools=TOOLS), extra_headers=key)


def test_a_stream_is_replayed_if_it_asked_for_that(gpt, model):
    key = {**fresh_key(), "x-bytespike-replay-stream": "true"}
    texts = []
    for _ in range(2):
        chunks = gpt.chat.completions.create(**ask(model, "text", stream=True), extra_headers=key)
        texts.append("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))
    assert texts == [TEXT, TEXT]


def test_the_sdk_s_own_retry_of_a_failed_call_makes_it_again(model):
    key = fresh_key()
    with openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=1) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(**ask(model, "status-500"), extra_headers=key)
        assert caught.value.response.request.headers["x-stainless-retry-count"] == "1", "it was sent twice"
        # The key is free: the failures cost nothing and did not burn it.
        again = client.chat.completions.create(**ask(model, "text"), extra_headers=key)
        assert again.choices[0].message.content == TEXT
