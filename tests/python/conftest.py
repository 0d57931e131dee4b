"""The running gateway that the suites talk to; `tests/run sdk` starts it beside scripted providers of both shapes."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid

import anthropic
import openai
import pytest

GATEWAY = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
# One model behind an Anthropic-shaped provider, one behind an OpenAI-shaped provider.
MODELS = os.environ["GATEWAY_MODELS"].split(",")
# A model that nobody here can pay for.
COSTLY = os.environ["GATEWAY_COSTLY_MODEL"]

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOCK = {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}
TEXT = "Hello from the scripted provider. 你好🌍"


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


@pytest.fixture
def claude():
    with anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def gpt():
    with openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def resolved_receipt(receipt_id):
    """The receipt once its call is over. A call that was hung up on is resolved a moment later."""
    asked = urllib.request.Request(f"{GATEWAY}/v1/receipts/{receipt_id}", headers={"x-api-key": KEY})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(asked) as answer:
                receipt = json.load(answer)
            if receipt["outcome"] in ("settled", "released", "expired"):
                return receipt
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
        time.sleep(0.05)
    raise AssertionError(f"receipt {receipt_id} was not resolved in time")


def check_charged_for_what_was_delivered(receipt):
    assert receipt["outcome"] == "settled"
    assert 0 < float(receipt["charged"]["credits"]) <= float(receipt["held"]["credits"])


def fresh_key():
    """An Idempotency-Key of its own for each test."""
    return {"idempotency-key": str(uuid.uuid4())}
