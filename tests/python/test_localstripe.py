"""localstripe, a stand-in for Stripe's API that nobody here wrote: saved cards, payments by them, and its signed events. It knows
no Checkout, so the page on which a card is saved is told of by an event of our own. It knows no idempotency keys either: what is
charged once here is charged once by our own doing."""

import hashlib
import hmac
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import uuid

import pytest
import requests

SECRET_KEY = "sk_test_localstripe"
WEBHOOK_SECRET = "whsec_localstripe_0f6a2c4e"
MASTER_KEY = "6dd71092a0860adf94deb611a3d55f963cb0e01d7d7849f6bbdad0ccde5622ae"
CHARGED = "4242424242424242"
DECLINED_LATER = "4000000000000341"
WANTS_ITS_HOLDER = "4000002500003155"
PATIENCE_S = 60


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def until(found, what):
    """Waits until something is so, and says what it was instead."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


def answers(url):
    try:
        return requests.get(url, timeout=2).status_code < 500
    except requests.ConnectionError:
        return False


class Shop:
    """localstripe, and an installation of its own that takes payments there."""

    def __init__(self, folder):
        self.folder = folder
        self.stripe_url = f"http://localhost:{free_port()}"
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.stripe_url.rsplit(":", 1)[1]
        stripe = [sys.executable, "-m", "localstripe", "--port", port, "--from-scratch"]
        self.stripe = subprocess.Popen(stripe, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.product = None

    def start(self):
        until(lambda: answers(f"{self.stripe_url}/js.stripe.com/v3/"), "localstripe's start")
        hook = {"url": f"{self.url}/webhooks/stripe", "secret": WEBHOOK_SECRET}
        requests.post(f"{self.stripe_url}/_config/webhooks/ours", json=hook, timeout=5).raise_for_status()
        (self.folder / "bytespike.toml").write_text(
            f'[database]\nurl = "sqlite:{self.folder}/shop.db"\n[server]\nlisten = "{self.url.removeprefix("http://")}"\n'
            f'[payments]\nstripe_secret_key = "{SECRET_KEY}"\nstripe_webhook_secrets = ["{WEBHOOK_SECRET}"]\n'
            f'stripe_api_url = "{self.stripe_url}"\nrecharge_failures = 2\nrecharge_wait_minutes = 0\n'
        )
        environment = {"BYTESPIKE_SECRETS__MASTER_KEY": MASTER_KEY}
        log = (self.folder / "log").open("w")
        self.product = subprocess.Popen(
            [os.environ["GATEWAY_BINARY"], "serve"], cwd=self.folder, env=environment, stdout=log, stderr=log
        )
        until(lambda: answers(self.url), "the start of the product")
        until(lambda: self.rows("select org_id from wallet"), "a first wallet")
        self.org = self.rows("select org_id from wallet")[0][0]

    def end(self):
        for process in (self.product, self.stripe):
            if process:
                process.kill()
                process.wait()

    def ask(self, method, path, **data):
        answer = requests.request(method, f"{self.stripe_url}/v1/{path}", data=data, auth=(SECRET_KEY, ""), timeout=10)
        return answer.json()

    def rows(self, sql, values=()):
        with sqlite3.connect(f"file:{self.folder}/shop.db?mode=ro", uri=True, timeout=10) as database:
            return database.execute(sql, values).fetchall()

    def change(self, sql, values=()):
        with sqlite3.connect(self.folder / "shop.db", timeout=10) as database:
            database.execute(sql, values)

    def send(self, event):
        body = json.dumps(event)
        now = int(time.time())
        signature = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"stripe-signature": f"t={now},v1={signature}", "content-type": "application/json"}
        return requests.post(f"{self.url}/webhooks/stripe", data=body, headers=headers, timeout=10)

    def save_card(self, number):
        """As somebody does on the page at Stripe: a SetupIntent that succeeds, and the event that tells of it."""
        customer = self.ask("post", "customers", email="payer@example.com")["id"]
        card = {"type": "card", "card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2050", "card[cvc]": "123"}
        method = self.ask("post", "payment_methods", **card)["id"]
        self.ask("post", f"payment_methods/{method}/attach", customer=customer)
        setup = self.ask("post", "setup_intents", customer=customer)["id"]
        self.ask("post", f"setup_intents/{setup}/confirm", payment_method=method)
        session = f"cs_test_{uuid.uuid4().hex}"
        self.change(
            "insert into recharge (org_id, customer_id, setup_session_id) values (?, ?, ?) "
            "on conflict (org_id) do update set customer_id = excluded.customer_id, setup_session_id = excluded.setup_session_id",
            (self.org, customer, session),
        )
        told = {"id": session, "object": "checkout.session", "mode": "setup", "status": "complete", "livemode": False,
                "payment_status": "no_payment_required", "expires_at": 4_000_000_000, "client_reference_id": self.org,
                "setup_intent": setup}
        event = {"id": f"evt_{uuid.uuid4().hex}", "type": "checkout.session.completed", "livemode": False, "data": {"object": told}}
        assert self.send(event).status_code == 200
        return method, setup

    def turn_on(self):
        """The balance is below the threshold at once."""
        self.change(
            "update recharge set is_on = true, threshold_nano = 10000000000000, amount_minor = 2000, month_most_minor = 6000, "
            "person_id = 'usr', agreed_at_ms = 1 where org_id = ?",
            (self.org,),
        )

    def intents(self):
        return self.ask("get", "payment_intents")["data"]


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    try:
        shop.start()
        yield shop
    finally:
        shop.end()


def test_a_saved_card_is_known_and_charged_until_the_month_is_full(shop):
    method, _ = shop.save_card(CHARGED)
    assert shop.rows("select payment_method_id, card from recharge") == [(method, "visa 4242")]
    assert shop.intents() == [], "a card that is saved is not charged"
    shop.turn_on()
    # Every payment leaves the balance below this threshold, so only the month ends it: three of 20 in 60.
    until(lambda: shop.rows("select 1 from payment_order where state = 'credited' limit 1 offset 2"), "the third credit")
    until(lambda: len(shop.rows("select 1 from payment_event where kind = 'payment_intent.succeeded'")) == 3, "three events")
    assert [intent["status"] for intent in shop.intents()] == ["succeeded"] * 3
    assert {intent["metadata"]["order_id"] for intent in shop.intents()} == {id for (id,) in shop.rows("select id from payment_order")}
    assert {outcome for (outcome,) in shop.rows("select outcome from payment_event where kind like 'payment_intent.%'")} <= {"applied", "known"}
    credited = shop.rows("select sum(granted_nano) from lot where kind = 'principal'")
    assert credited == [(60_000_000_000,)], "each payment is credited once, though it is told of twice"


@pytest.mark.parametrize("number, reason", [(DECLINED_LATER, "card_declined"), (WANTS_ITS_HOLDER, "authentication_required")])
def test_a_card_that_cannot_be_charged_turns_it_off_and_nothing_is_credited(shop, number, reason):
    method, setup = shop.save_card(number)
    if not shop.rows("select 1 from recharge where payment_method_id is not null"):
        # Its holder has to confirm even that it is saved, and has not yet.
        assert shop.ask("get", f"setup_intents/{setup}")["status"] == "requires_action"
        shop.change("update recharge set payment_method_id = ?, card = 'visa 3155'", (method,))
    shop.turn_on()
    until(lambda: shop.rows("select 1 from recharge where off_reason is not null"), "the end of it")
    assert shop.rows("select is_on, failures, off_reason from recharge") == [(0, 2, reason)]
    assert shop.rows("select distinct state from payment_order") == [("failed",)]
    assert shop.rows("select count(*) from lot where kind = 'principal'") == [(0,)]
    assert len(shop.rows("select 1 from outbox where kind = 'recharge_off'")) == 1
    assert {intent["status"] for intent in shop.intents()} <= {"canceled", "requires_payment_method"}
