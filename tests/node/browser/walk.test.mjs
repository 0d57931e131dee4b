// The whole way of a newcomer: sign up, confirm, sign in, make a key, call with the official SDK, read the receipt, revoke.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import { CLAUDE, GATEWAY, GPT, LOCALES, SECRET, at, complete, createKey, follow, keyboard, launch, pointer, signUp, spoken } from "./person.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

describe("from sign-up to receipt", { concurrency: 2 }, () => {
  for (const locale of LOCALES) {
    for (const [script, javaScriptEnabled] of [["on", true], ["off", false]]) {
      for (const [how, hands] of [["pointer", pointer], ["keyboard", keyboard]]) {
        test(`${locale}, JavaScript ${script}, ${how}`, async (t) => {
          const context = await browser.newContext({ javaScriptEnabled, ...spoken(locale) });
          t.after(() => context.close());
          const page = await context.newPage();
          await walk({ page, locale, hands }, `walker-${locale}-${script}-${how}@example.com`);
        });
      }
    }
  }
});

async function walk({ page, locale, hands }, email) {
  await signUp(page, locale, email, hands);
  assert.equal(await page.getAttribute("html", "lang"), { en: "en", zh: "zh-Hans" }[locale]);
  const key = await createKey(page, locale, "walk", hands);
  await page.reload();
  assert.doesNotMatch(await page.content(), SECRET, "a key is shown once");

  const client = new Anthropic({ baseURL: GATEWAY, apiKey: key, maxRetries: 0 });
  for (const model of [CLAUDE, GPT]) await callAndRead({ page, locale, hands }, client, model);
  await revoke({ page, locale, hands });
  const refusal = await client.messages.create(question(CLAUDE)).then(() => assert.fail("a revoked key works"), (error) => error);
  assert.ok(refusal instanceof Anthropic.AuthenticationError, `${refusal}`);
  assert.equal(refusal.status, 401);
}

const question = (model) => ({ model, max_tokens: 64, messages: [{ role: "user", content: "scene:text" }] });

/** Makes a call, and finds the same numbers in its headers, in its receipt and in the console. */
async function callAndRead({ page, locale, hands }, client, model) {
  const { data: message, response } = await client.messages.create(question(model)).withResponse();
  assert.match(message.content[0].text, /你好🌍/);
  const told = (name) => response.headers.get(name);
  const receipt = await client.get(`/v1/receipts/${told("x-receipt-id")}`);
  const amounts = ["held", "charged", "returned"].map((term) => receipt[term].credits);
  const [held, charged, returned] = amounts;
  assert.deepEqual([held, charged], [told("x-credits-held"), told("x-credits-charged")], "headers and receipt agree");
  assert.equal(thousandths(held), thousandths(charged) + thousandths(returned));
  assert.equal(charged, "17.000", "12 tokens in and 5 out at one credit each");

  await page.goto(at(locale, "/console/calls"));
  await follow(page.locator(`main a[href$="/console/receipts/${receipt.id}"]`).first(), hands);
  const shown = await page.locator(".equation .term .num").allInnerTexts();
  assert.deepEqual(shown.map((amount) => amount.replaceAll(/[^0-9.]/g, "")), amounts, "receipt and console agree");
}

async function revoke({ page, locale, hands }) {
  await page.goto(at(locale, "/console/keys"));
  await follow(page.locator("main a", { hasText: /^walk$/ }), hands);
  await follow(page.locator('main a[href$="/revoke"]'), hands);
  await complete(page, { confirm: "walk" }, hands);
}

const thousandths = (credits) => BigInt(credits.replace(".", ""));
