"""Schemathesis, which nobody here wrote, asks the running product everything its own description of `/api/v1` allows and much
that it does not: no answer is a 5xx, each has a documented status and the documented shape, what violates the description is
refused, and nothing answers without its credential."""

import os
import re
import urllib.error
import urllib.request

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from conftest import GATEWAY

MANAGER = os.environ["GATEWAY_MANAGER_KEY"]
OPERATOR = os.environ["GATEWAY_OPERATOR_TOKEN"]

schema = schemathesis.openapi.from_url(f"{GATEWAY}/api/v1/openapi.json")

# A description says what form a value has, not which values exist: a valid slug may name no model. And a request may present
# several keys, of which the first valid one counts, so a wrong one beside ours is let in; the last test asks without any.
PASSED_OVER = CHECKS.get_by_names(["positive_data_acceptance", "ignored_auth"])


# The same examples in every run but the long one: a new one now and then is a request that breaks the description on paper and
# not on the wire, such as a parameter without a name, and such a finding wants somebody who looks at it.
SAME = not os.environ.get("TEST_LONG")


@schema.parametrize()
@settings(max_examples=30, derandomize=SAME, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_what_the_description_says(case):
    is_operators = case.path.startswith("/api/v1/operator")
    credential = {"authorization": f"Bearer {OPERATOR if is_operators else MANAGER}"}
    case.call_and_validate(headers=credential, excluded_checks=PASSED_OVER)


def test_the_description_names_keys_limits_leaks_and_operators():
    tags = {tag for path in schema.raw_schema["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert {"keys", "limits", "leaks", "operator"} <= tags


@pytest.mark.parametrize("path", ["/api/v1/keys", "/api/v1/operator/wallets"])
def test_a_credential_of_the_other_kind_opens_nothing(path):
    wrong = MANAGER if "operator" in path else OPERATOR
    asked = urllib.request.Request(f"{GATEWAY}{path}", headers={"authorization": f"Bearer {wrong}"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked)
    assert refused.value.code == 401


OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in schema.raw_schema["paths"].items()
    for method, operation in operations.items()
]


@pytest.mark.parametrize("method,path", [(method, path) for method, path, operation in OPERATIONS if operation.get("security") != [{}]])
def test_nothing_answers_without_a_credential(method, path):
    url = GATEWAY + re.sub(r"{[^}]*}", "x", path)
    asked = urllib.request.Request(url, method=method, data=b"{}", headers={"content-type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked)
    assert refused.value.code == 401
