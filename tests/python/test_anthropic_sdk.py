"""The official Anthropic SDK for Python, against both shapes of provider."""

import anthropic
import pytest

from conftest import (CLOCK, COSTLY, GATEWAY, KEY, MODELS, TEXT, WEATHER, check_charged_for_what_was_delivered, fresh_key,
                      resolved_receipt)

TOOLS = [
    {"name": "weather", "description": "The weather in a city.", "input_schema": WEATHER},
    {"name": "clock", "description": "The time in a zone.", "input_schema": CLOCK},
]


def ask(model, scene, **more):
    return {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": f"scene:{scene}"}], **more}


def check_tool_calls(message):
    assert message.stop_reason == "tool_use"
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    weather, clock = message.content[1:]
    assert (weather.name, weather.input) == ("weather", {"city": "Paris"})
    assert (clock.name, clock.input) == ("clock", {"zone": "Europe/Paris"})
    assert weather.id != clock.id


def test_text(claude, model):
    message = claude.messages.create(**ask(model, "text", system="Be brief."))
    assert message.content[0].text == TEXT
    assert (message.model, message.role, message.stop_reason) == (model, "assistant", "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (12, 5)


def test_stream(claude, model):
    with claude.messages.stream(**ask(model, "text")) as stream:
        assert "".join(stream.text_stream) == TEXT
        message = stream.get_final_message()
    assert (message.model, message.stop_reason) == (model, "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (12, 5)


def test_raw_stream_has_every_event_once(claude, model):
    kinds = [event.type for event in claude.messages.create(**ask(model, "text", stream=True)) if event.type != "ping"]
    assert kinds == ["message_start", "content_block_start", *["content_block_delta"] * 3, "content_block_stop",
                     "message_delta", "message_stop"]


def test_parallel_tools(claude, model):
    check_tool_calls(claude.messages.create(**ask(model, "tools", tools=TOOLS)))


def test_parallel_tools_streamed(claude, model):
    with claude.messages.stream(**ask(model, "tools", tools=TOOLS)) as stream:
        check_tool_calls(stream.get_final_message())


def test_tool_round_trip(claude, model):
    question = ask(model, "tools", tools=TOOLS)
    calls = claude.messages.create(**question)
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": f"{block.name} answered"}
               for block in calls.content if block.type == "tool_use"]
    question["messages"] += [{"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in calls.content]},
                             {"role": "user", "content": results}]
    assert claude.messages.create(**question).content[0].text == "weather answered; clock answered"


@pytest.mark.parametrize("status, expected", [
    (400, anthropic.BadRequestError),
    (429, anthropic.RateLimitError),
    (500, anthropic.InternalServerError),
    (529, anthropic.InternalServerError),
])
def test_a_provider_error_is_typed(claude, model, status, expected):
    with pytest.raises(expected) as caught:
        claude.messages.create(**ask(model, f"status-{status}"))
    assert caught.value.body["type"] == "error"
    assert caught.value.request_id
    receipt = resolved_receipt(caught.value.response.headers["x-receipt-id"])
    assert (receipt["outcome"], receipt["charged"]["credits"]) == ("released", "0.000")


@pytest.mark.parametrize("change, expected", [
    ({"model": "no-such-model"}, anthropic.NotFoundError),
    ({"model": COSTLY}, anthropic.PaymentRequiredError),
    ({"messages": []}, anthropic.BadRequestError),
])
def test_a_refusal_is_typed(claude, change, expected):
    with pytest.raises(expected):
        claude.messages.create(**{**ask(MODELS[0], "text"), **change})


def test_a_wrong_key_is_typed():
    with anthropic.Anthropic(base_url=GATEWAY, api_key="sk-byts-wrong", max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError):
            client.messages.create(**ask(MODELS[0], "text"))


def test_an_error_in_a_stream_is_raised(claude, model):
    with pytest.raises(anthropic.APIStatusError):
        with claude.messages.stream(**ask(model, "break")) as stream:
            stream.get_final_message()


def test_cancellation_after_content_charges_what_was_delivered(claude, model):
    with claude.messages.stream(**ask(model, "slow")) as stream:
        receipt_id = stream.response.headers["x-receipt-id"]
        assert next(iter(stream.text_stream)) == "Hello "
    check_charged_for_what_was_delivered(resolved_receipt(receipt_id))


def test_models_are_listed_and_found(claude, model):
    assert model in [listed.id for listed in claude.models.list(limit=5)]
    assert claude.models.retrieve(model).id == model


def test_count_tokens(claude, model):
    short = claude.messages.count_tokens(model=model, messages=[{"role": "user", "content": "one"}])
    long = claude.messages.count_tokens(model=model, messages=[{"role": "user", "content": "one two three " * 50}], tools=TOOLS)
    assert 0 < short.input_tokens
    assert short.input_tokens <= long.input_tokens


def test_a_request_sent_again_with_its_key_is_answered_again(claude, model):
    key = fresh_key()
    first, second = (claude.messages.with_raw_response.create(**ask(model, "text"), extra_headers=key) for _ in range(2))
    assert second.headers["idempotent-replay"] == "true"
    assert second.headers["x-receipt-id"] == first.headers["x-receipt-id"]
    assert second.parse().content == first.parse().content


def test_a_key_of_another_request_is_typed(claude, model):
    key = fresh_key()
    claude.messages.create(**ask(model, "text"), extra_headers=key)
    with pytest.raises(anthropic.UnprocessableEntityError):
        claude.messages.create(**ask(model, "tools", tools=TOOLS), extra_headers=key)


def test_a_stream_is_replayed_if_it_asked_for_that(claude, model):
    key = {**fresh_key(), "x-bytespike-replay-stream": "true"}
    texts = []
    for _ in range(2):
        with claude.messages.stream(**ask(model, "text"), extra_headers=key) as stream:
            texts.append((stream.get_final_text(), stream.response.headers["x-receipt-id"]))
    assert texts[0] == texts[1]
    plain = fresh_key()
    with claude.messages.stream(**ask(model, "text"), extra_headers=plain) as stream:
        stream.get_final_text()
    with pytest.raises(anthropic.ConflictError):
        with claude.messages.stream(**ask(model, "text"), extra_headers=plain):
            pass


def test_the_sdk_s_own_retry_of_a_failed_call_makes_it_again(model):
    key = fresh_key()
    with anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=1) as client:
        with pytest.raises(anthropic.InternalServerError) as caught:
            client.messages.create(**ask(model, "status-500"), extra_headers=key)
        assert caught.value.response.request.headers["x-stainless-retry-count"] == "1", "it was sent twice"
        # The key is free: the failures cost nothing and did not burn it.
        assert client.messages.create(**ask(model, "text"), extra_headers=key).content[0].text == TEXT


def test_the_sdk_waits_for_a_call_of_the_same_key_that_runs(claude, model):
    key = fresh_key()
    with claude.messages.stream(**ask(model, "slow"), extra_headers=key) as stream:
        assert next(iter(stream.text_stream)) == "Hello "
        with pytest.raises(anthropic.ConflictError) as caught:
            with claude.messages.stream(**ask(model, "slow"), extra_headers=key):
                pass
        assert caught.value.response.headers["x-should-retry"] == "true"
