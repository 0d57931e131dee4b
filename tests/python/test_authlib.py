"""Authlib, a third-party OAuth client, signs in with ByteSpike, makes itself a key and calls a model."""

import html
import os
import re
import uuid

import openai
import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from conftest import GATEWAY, MODELS, TEXT

CLIENT = "dosia-desktop"
REDIRECT = "http://127.0.0.1:19871/callback"
SCOPE = "profile models:read keys:provision offline_access"
PASSWORD = os.environ["GATEWAY_PASSWORD"]


class Person:
    """A browser without scripts, and whoever sits at it."""

    def __init__(self):
        self.browser = requests.Session()
        self.browser.headers["origin"] = GATEWAY
        email = f"{uuid.uuid4().hex}@example.com"
        sent = self.fill("/console/sign-up", {"email": email, "password": PASSWORD})
        link = html.unescape(re.search(r'href="([^"]*verify\?token=[^"]*)"', sent.text).group(1))
        self.fill(link, {})
        self.fill("/console/sign-in", {"email": email, "password": PASSWORD})

    def fill(self, place, fields):
        """Opens a page and submits its form with these fields changed."""
        page = self.browser.get(place if place.startswith("http") else GATEWAY + place)
        return self.submit(page, fields)

    def submit(self, page, fields):
        for action, inside in re.findall(r'<form method="post" action="([^"]*)"[^>]*>(.*?)</form>', page.text, re.S):
            if "/theme" in action or "/sign-out" in action:
                continue
            sent = {html.unescape(name): html.unescape(value) for name, value in inputs(inside)}
            return self.browser.post(GATEWAY + html.unescape(action), data={**sent, **fields})
        raise AssertionError(f"no form on {page.url}: {page.text}")

    def allow(self, address):
        """Follows a program's link, allows what it asks, and answers where the browser is sent back to."""
        back = self.fill(address, {"decision": "allow"})
        return html.unescape(re.search(r'content="0; url=([^"]*)"', back.text).group(1))


def inputs(inside):
    for tag in re.findall(r"<input [^>]*>", inside):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if attributes.get("type") != "checkbox" or " checked" in tag:
            yield attributes["name"], attributes.get("value", "")
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', inside, re.S):
        chosen = re.search(r'<option value="([^"]*)"[^>]* selected', options) or re.search(r'<option value="([^"]*)"', options)
        yield name, chosen.group(1)


@pytest.fixture(scope="module")
def person():
    return Person()


@pytest.fixture(scope="module")
def metadata():
    return requests.get(f"{GATEWAY}/.well-known/oauth-authorization-server", timeout=20).json()


def session(**more):
    return OAuth2Session(CLIENT, redirect_uri=REDIRECT, scope=SCOPE, code_challenge_method="S256",
                         token_endpoint_auth_method="none", **more)


def signed_in(person, metadata):
    client = session()
    verifier = uuid.uuid4().hex * 2
    address, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    back = person.allow(address)
    client.fetch_token(metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
    return client


def key_of(token):
    made = requests.post(f"{GATEWAY}/v1/oauth/keys", json={"label": "authlib"}, timeout=20,
                         headers={"authorization": f"Bearer {token}", "idempotency-key": uuid.uuid4().hex})
    assert made.status_code == 201, made.text
    return made.json()


def check_that_it_calls_a_model(made):
    client = openai.OpenAI(base_url=made["provider"]["endpoints"]["openai"], api_key=made["key"], max_retries=0)
    answer = client.chat.completions.create(
        model=MODELS[1], max_tokens=64, messages=[{"role": "user", "content": "scene:text"}])
    assert answer.choices[0].message.content == TEXT


def test_the_code_flow_ends_in_a_key_that_calls_a_model(person, metadata):
    client = signed_in(person, metadata)
    assert client.get(f"{GATEWAY}/v1/me").json()["client_id"] == CLIENT
    check_that_it_calls_a_model(key_of(client.token["access_token"]))


def test_refresh_tokens_rotate_and_an_old_one_kills_the_family(person, metadata):
    client = signed_in(person, metadata)
    first = client.token["refresh_token"]
    second = client.refresh_token(metadata["token_endpoint"], refresh_token=first)
    assert second["refresh_token"] != first
    assert client.get(f"{GATEWAY}/v1/me").status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        session().refresh_token(metadata["token_endpoint"], refresh_token=first)
    assert client.get(f"{GATEWAY}/v1/me").status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        session().refresh_token(metadata["token_endpoint"], refresh_token=second["refresh_token"])


def test_the_device_flow_ends_in_a_key_that_calls_a_model(person, metadata):
    codes = requests.post(metadata["device_authorization_endpoint"], timeout=20,
                          data={"client_id": CLIENT, "scope": "profile keys:provision"}).json()
    shown = person.fill(codes["verification_uri_complete"], {})
    person.submit(shown, {"decision": "allow"})
    token = session().fetch_token(metadata["token_endpoint"], device_code=codes["device_code"],
                                  grant_type="urn:ietf:params:oauth:grant-type:device_code")
    check_that_it_calls_a_model(key_of(token["access_token"]))


def test_a_revoked_token_is_dead(person, metadata):
    client = signed_in(person, metadata)
    token = client.token["refresh_token"]
    assert client.revoke_token(metadata["revocation_endpoint"], token=token,
                               token_type_hint="refresh_token").status_code == 200
    assert client.get(f"{GATEWAY}/v1/me").status_code == 401
