"""The official Anthropic SDK for Python, against both shapes of provider."""

import anthropic
import pytest

from conftest import CLOCK, COSTLY, GATEWAY, MODELS, TEXT, WEATHER, check_charged_for_what_was_delivered, resolved_receipt

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
