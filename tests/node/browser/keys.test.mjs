// A key in the hands of whoever holds it: derived from, rotated, switched off and on, deleted; with and without scripts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import { CLAUDE, GATEWAY, LOCALES, SECRET, at, complete, createKey, follow, keyboard, launch, pointer, signUp, spoken } from "./person.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

describe("a tree of keys", { concurrency: 2 }, () => {
  for (const locale of LOCALES) {
    for (const [script, javaScriptEnabled, hands] of [["on", true, pointer], ["off", false, keyboard]]) {
      test(`${locale}, JavaScript ${script}`, async (t) => {
        const context = await browser.newContext({ javaScriptEnabled, ...spoken(locale) });
        t.after(() => context.close());
        const page = await context.newPage();
        await signUp(page, locale, `keeper-${locale}-${script}@example.com`, hands);
        await keep({ page, locale, hands });
      });
    }
  }
});

async function keep({ page, locale, hands }) {
  await createKey(page, locale, "parent", hands);
  await open({ page, locale, hands }, "parent");
  await follow(page.locator('main a[href$="/derive"]'), hands);
  await complete(page, { name: "child", limit_month: "0.5" }, hands);
  const child = (await page.content()).match(SECRET)?.[0];
  assert.equal(await status(child), 200, "the derived key works");

  await page.goto(at(locale, "/console/keys"));
  assert.equal(await page.locator("th.tree-1").innerText().then((text) => /child/.test(text)), true, "it hangs below its parent");

  // A new secret beside the old one, which is then ended.
  await open({ page, locale, hands }, "child");
  await follow(page.locator('form[action$="/rotate"] button'), hands);
  const rotated = (await page.content()).match(SECRET)?.[0];
  assert.deepEqual([await status(child), await status(rotated)], [200, 200], "both work for a while");
  await open({ page, locale, hands }, "child");
  await follow(page.locator('form[action$="/end"] button').last(), hands);
  assert.deepEqual([await status(child), await status(rotated)], [401, 200], "the old one is ended, the new one is not");

  // The parent switched off stops the child, and on again lets it go on.
  for (const expected of [401, 200]) {
    await open({ page, locale, hands }, "parent");
    await follow(page.locator('form[action$="/state"] button'), hands);
    assert.equal(await status(rotated), expected);
  }

  await open({ page, locale, hands }, "parent");
  await follow(page.locator('main a[href$="/edit"]'), hands);
  await complete(page, { ips: "not a network" }, hands);
  assert.ok(await page.locator('[name="ips"][aria-invalid="true"]').count(), "what is no network is refused at its field");
  await complete(page, { ips: "203.0.113.0/24" }, hands);
  assert.equal(await status(rotated), 403, "the parent's networks bind the child");

  await open({ page, locale, hands }, "parent");
  await follow(page.locator('main a[href$="/delete"]'), hands);
  await complete(page, { confirm: "parent" }, hands);
  assert.equal(await status(rotated), 401);
  await page.goto(at(locale, "/console/keys?show=ended"));
  assert.equal(await page.locator("main a", { hasText: /^parent$/ }).count(), 1, "what has ended can still be looked at");
}

async function open({ page, locale, hands }, name) {
  await page.goto(at(locale, "/console/keys"));
  await follow(page.locator("main a", { hasText: new RegExp(`^${name}$`) }), hands);
}

/** The status of one call with the key. */
async function status(apiKey) {
  const client = new Anthropic({ baseURL: GATEWAY, apiKey, maxRetries: 0 });
  const asked = client.messages.create({ model: CLAUDE, max_tokens: 64, messages: [{ role: "user", content: "scene:text" }] });
  return asked.then(() => 200, (error) => error.status);
}
