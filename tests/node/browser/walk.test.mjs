// The whole way of a newcomer: sign up, confirm, sign in, make a key, call with the official SDK, read the receipt, revoke;
// and the way from what was used to the single call and to the file.
import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";

import { journeys } from "./journeys.mjs";
import { CLAUDE, GATEWAY, GPT, SECRET } from "./person.mjs";
import { say } from "./words.mjs";

journeys({
  async "from sign-up to receipt"(me, { name }) {
    const { keys, calls, console } = me.words;
    await me.signUp(`walker-${name}@example.com`);
    const key = await me.createKey("walk");
    await me.page.goBack();
    assert.doesNotMatch(await me.page.content(), SECRET, "a key is shown once");

    const client = new Anthropic({ baseURL: GATEWAY, apiKey: key, maxRetries: 0 });
    for (const model of [CLAUDE, GPT]) await callAndRead(me, client, model);

    await me.go(console.nav.keys);
    await me.follow("walk");
    await me.follow(keys.detail.revoke);
    await me.reads(say(keys.revoke.title, { name: "walk" }), keys.revoke.lead, keys.revoke.running);
    await me.type(keys.revoke.confirm, "talk");
    await me.press(keys.revoke.submit);
    await me.isRefused(keys.revoke.confirm);
    await me.type(keys.revoke.confirm, "walk");
    await me.press(keys.revoke.submit);
    await me.reads(console.flash.key_revoked);
    const refusal = await client.messages.create(question(CLAUDE)).then(() => assert.fail("a revoked key works"), (error) => error);
    assert.ok(refusal instanceof Anthropic.AuthenticationError, `${refusal}`);
    assert.equal(refusal.status, 401);
    await me.go(console.nav.calls);
    await me.reads(calls.outcome.settled);
    await me.signOut();
    await me.reads(console.flash.signed_out);
  },

  async "from what was used to the call and the file"(me, { name }) {
    const { usage, calls, receipt, console } = me.words;
    await me.signUp(`reader-${name}@example.com`);
    const key = await me.createKey("used");
    const client = new Anthropic({ baseURL: GATEWAY, apiKey: key, maxRetries: 0 });
    await client.messages.create(question(CLAUDE));
    await client.messages.create(question(GPT));
    await assert.rejects(client.messages.create({ ...question(CLAUDE), messages: [{ role: "user", content: "scene:status-500" }] }));

    await me.go(console.nav.usage);
    await me.reads(usage.page.lead, CLAUDE, GPT);
    await me.choose(usage.page.group, usage.group.outcome);
    await me.choose(usage.page.measure, usage.measure.requests);
    await me.press(usage.page.show);
    await me.reads(usage.outcome.settled, usage.outcome.released);
    const file = await me.download(usage.page.csv);
    assert.match(file, /^\uFEFF?from_utc,.*total_requests/);

    // A group leads to its calls, a filter to one of them, and that to its receipt.
    await me.follow(usage.outcome.settled);
    assert.equal(me.path, "/console/calls");
    await me.reads(calls.outcome.settled);
    await me.type(calls.filter.model, CLAUDE);
    await me.press(calls.filter.submit);
    assert.equal(await me.page.locator('main a[href*="/console/receipts/"]').count(), 1, "the filter leaves one call");
    const listed = await me.download(calls.export.csv);
    assert.deepEqual(listed.trim().split("\n").length, 2, "a head and a call");
    assert.ok(listed.includes(CLAUDE) && listed.includes("17.000"), listed);
    await me.activate(me.page.locator('main a[href*="/console/receipts/"]'));
    await me.reads(receipt.page.title, receipt.reason.stop, "17.000", CLAUDE);

    // The call that failed has one too, which says why it cost nothing.
    await me.go(console.nav.calls);
    await me.follow(calls.filter.not_billed);
    await me.activate(me.page.locator('main a[href*="/console/receipts/"]'));
    await me.reads(receipt.reason.upstream_error, receipt.line.none);
  },
});

const question = (model) => ({ model, max_tokens: 64, messages: [{ role: "user", content: "scene:text" }] });

/** Makes a call, and finds the same numbers in its headers, in its receipt and in the console. */
async function callAndRead(me, client, model) {
  const { data: message, response } = await client.messages.create(question(model)).withResponse();
  assert.match(message.content[0].text, /你好🌍/);
  const told = (name) => response.headers.get(name);
  const receipt = await client.get(`/v1/receipts/${told("x-receipt-id")}`);
  const amounts = ["held", "charged", "returned"].map((term) => receipt[term].credits);
  const [held, charged, returned] = amounts;
  assert.deepEqual([held, charged], [told("x-credits-held"), told("x-credits-charged")], "headers and receipt agree");
  assert.equal(thousandths(held), thousandths(charged) + thousandths(returned));
  assert.equal(charged, "17.000", "12 tokens in and 5 out at one credit each");

  await me.go(me.words.console.nav.calls);
  await me.activate(me.page.locator(`main a[href$="/console/receipts/${receipt.id}"]`));
  const shown = await me.page.locator(".equation .term .num").allInnerTexts();
  assert.deepEqual(shown.map((amount) => amount.replaceAll(/[^0-9.]/g, "")), amounts, "receipt and console agree");
  await me.reads(me.words.receipt.reason.stop);
}

const thousandths = (credits) => BigInt(credits.replace(".", ""));
