// The whole way of a newcomer: sign up, confirm, make a key, call with the official SDK, read the receipt.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import { CLAUDE, GATEWAY, GPT, LOCALES, at, createKey, launch, signUp } from "./person.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

for (const locale of LOCALES) {
  for (const javaScriptEnabled of [true, false]) {
    test(`from sign-up to receipt, ${locale}, JavaScript ${javaScriptEnabled ? "on" : "off"}`, async () => {
      const context = await browser.newContext({ javaScriptEnabled, locale: locale === "zh" ? "zh-CN" : "en-US" });
      const page = await context.newPage();
      await signUp(page, locale, `walker-${locale}-${javaScriptEnabled}@example.com`);
      assert.equal(await page.getAttribute("html", "lang").then((lang) => lang.slice(0, 2)), locale);
      const key = await createKey(page, locale, "walk");
      for (const model of [CLAUDE, GPT]) await callAndRead(page, locale, key, model);
      await page.goto(at(locale, "/console/calls"));
      assert.equal(await page.locator('a[href*="/console/receipts/"]').count() >= 2, true, "both calls are listed");
      await context.close();
    });
  }
}

async function callAndRead(page, locale, key, model) {
  const client = new Anthropic({ baseURL: GATEWAY, apiKey: key, maxRetries: 0 });
  const question = { model, max_tokens: 64, messages: [{ role: "user", content: "scene:text" }] };
  const { data: message, response } = await client.messages.create(question).withResponse();
  assert.match(message.content[0].text, /你好🌍/);
  const id = response.headers.get("x-receipt-id");
  const answer = await fetch(`${GATEWAY}/v1/receipts/${id}`, { headers: { "x-api-key": key } });
  const receipt = await answer.json();
  await page.goto(at(locale, `/console/receipts/${id}`));
  const shown = (await page.innerText("main")).replaceAll(/[,\s\u00a0\u202f]/g, "");
  const [held, charged, returned] = ["held", "charged", "returned"].map((name) => receipt[name].credits);
  for (const amount of [held, charged, returned]) assert.ok(shown.includes(amount), `${amount} is not in ${shown}`);
  assert.equal(thousandths(held), thousandths(charged) + thousandths(returned));
  assert.equal(charged, "17.000", "12 tokens in and 5 out at one credit each");
}

const thousandths = (credits) => BigInt(credits.replace(".", ""));
