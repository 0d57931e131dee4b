// Every page in both languages: screenshots in both themes at two widths, no serious accessibility fault, nothing wider
// than the screen, nothing missing and nothing that the content policy had to stop.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import { inspect } from "./inspect.mjs";
import { adminPages, consolePages, publicPages } from "./pages.mjs";
import { CLAUDE, FIRST_RUNS, GATEWAY, LOCALES, OPERATORS, PASSWORD, at, complete, createKey, follow, launch, signUp, spoken, totp } from "./person.mjs";

/** Pages of the console that look different before anything has happened. */
const EMPTY = { overview: "/console", keys: "/console/keys", calls: "/console/calls", wallet: "/console/wallet" };

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

for (const locale of LOCALES) {
  describe(`every page, ${locale}`, { concurrency: 2 }, () => {
    test("public pages", async (t) => {
      const { pages, lost } = await publicPages(locale);
      assert.deepEqual(lost, [], "pages that no link leads to");
      await look(t, locale, await browser.newContext(spoken(locale)), pages);
    });

    test("pages between the forms of a sign-up", async () => {
      const page = await browser.newPage(spoken(locale));
      await page.goto(at(locale, "/console/sign-up"));
      const email = `between-${locale}@example.com`;
      await complete(page, { email, password: "short" });
      assert.ok(await page.locator('[name="password"][aria-invalid="true"]').count(), "a short password is refused at its field");
      await inspect(page, `${locale}_console_sign-up_refused`);
      await complete(page, { email, password: PASSWORD });
      await inspect(page, `${locale}_console_check-mail_with_link`);
      await follow(page.locator('main a[href*="/console/verify"]'));
      await inspect(page, `${locale}_console_verify`);
      await page.close();
    });

    test("a new password", async () => {
      const page = await browser.newPage(spoken(locale));
      const email = `forgetful-${locale}@example.com`;
      await signUp(page, locale, email);
      await page.context().clearCookies();
      await page.goto(at(locale, "/console/forgot"));
      await complete(page, { email });
      await follow(page.locator('main a[href*="/console/reset"]'));
      const link = page.url();
      await inspect(page, `${locale}_console_reset`);
      await complete(page, { password: "short" });
      assert.ok(await page.locator('[name="password"][aria-invalid="true"]').count(), "a short password is refused at its field");
      await inspect(page, `${locale}_console_reset_refused`);
      await complete(page, { password: `${PASSWORD} again` });
      assert.match(page.url(), /\/console\/sign-in/, "a new password leads to the sign-in");
      await inspect(page, `${locale}_console_sign-in_after_reset`);
      await complete(page, { email, password: PASSWORD });
      assert.ok(await page.locator('main [role="alert"]').count(), "the old password is refused, and the page says so");
      await inspect(page, `${locale}_console_sign-in_refused`);
      assert.equal((await page.goto(link)).status(), 422, "a link opens once");
      await inspect(page, `${locale}_console_reset_dead_link`);
      await page.close();
    });

    test("a second factor", async () => {
      const page = await browser.newPage(spoken(locale));
      const email = `guarded-${locale}@example.com`;
      await signUp(page, locale, email);
      await page.goto(at(locale, "/console/settings/security"));
      await follow(page.locator('form[action$="/app/begin"] button'));
      await inspect(page, `${locale}_console_factor_set_up`);
      const secret = (await page.locator("#secret").textContent()).replaceAll(" ", "");
      await complete(page, { code: "000000" });
      await inspect(page, `${locale}_console_factor_refused`);
      await complete(page, { code: totp(secret, -1) });
      assert.equal(await page.locator(".recovery-codes code").count(), 10);
      await inspect(page, `${locale}_console_factor_codes`);
      await page.reload();
      await inspect(page, `${locale}_console_factor_codes_gone`);
      await page.goto(at(locale, "/console/settings/security"));
      await inspect(page, `${locale}_console_factor_on`);
      await page.context().clearCookies();
      await page.goto(at(locale, "/console/sign-in"));
      await complete(page, { email, password: PASSWORD });
      await inspect(page, `${locale}_console_second_step`);
      await complete(page, { code: "000000" });
      await inspect(page, `${locale}_console_second_step_refused`);
      await complete(page, { code: totp(secret, 1) });
      assert.equal(new URL(page.url()).pathname, new URL(at(locale, "/console")).pathname);
      await page.close();
    });

    test("the first operator", async () => {
      const page = await browser.newPage(spoken(locale));
      const { origin, pathname, search } = new URL(FIRST_RUNS[LOCALES.indexOf(locale)]);
      const link = `${origin}${locale === "zh" ? "/zh" : ""}${pathname}${search}`;
      await page.goto(link);
      await inspect(page, `${locale}_admin_first`);
      await complete(page, { name: "", email: "operator@example.com", password: "short" });
      await inspect(page, `${locale}_admin_first_refused`);
      await complete(page, { name: "Ada", email: "operator@example.com", password: PASSWORD });
      await inspect(page, `${locale}_admin_first_done`);
      assert.equal((await page.goto(link)).status(), 404, "the address is gone for good");
      await page.close();
    });

    test("operators' pages", async (t) => {
      const context = await browser.newContext(spoken(locale));
      const page = await context.newPage();
      await page.goto(at(locale, "/admin/books"));
      await inspect(page, `${locale}_admin_sign-in`);
      const email = OPERATORS[LOCALES.indexOf(locale)];
      await complete(page, { email, password: "wrong" });
      await inspect(page, `${locale}_admin_sign-in_refused`);
      await complete(page, { email, password: PASSWORD });
      await inspect(page, `${locale}_admin_set-up`);
      const secret = (await page.locator("#secret").textContent()).replaceAll(" ", "");
      await complete(page, { code: totp(secret, -1) });
      assert.equal(await page.locator(".recovery-codes code").count(), 10);
      await inspect(page, `${locale}_admin_codes`);
      await follow(page.locator("main .actions a.primary"));
      assert.equal(new URL(page.url()).pathname, new URL(at(locale, "/admin/books")).pathname, "and goes on where they were going");
      await page.goto(at(locale, "/admin/channels/new"));
      await complete(page, { id: `for-looking-${locale}`, provider: "scripted", base_url: "http://127.0.0.1/v1", models: CLAUDE, keys: "sk-nobody" });
      await inspect(page, `${locale}_admin_channel_refused`);
      await complete(page, { base_url: "https://channel.invalid/v1", keys: "sk-nobody" });
      await follow(page.locator('form[action$="/test"] button'));
      assert.ok(await page.locator("#tested").count(), "the page says what came of the test");
      await inspect(page, `${locale}_admin_channel_tested`);
      await page.goto(at(locale, `/admin/prices/model?id=${CLAUDE}`));
      await complete(page, { usd: "2.50" });
      await inspect(page, `${locale}_admin_prices_draft`);
      await page.goto(at(locale, `/admin/prices/model?id=${CLAUDE}`));
      await complete(page, { usd: "0.10" });
      await inspect(page, `${locale}_admin_prices_blocked`);
      await follow(page.locator('form[action$="/prices/discard"] button'));
      const { pages, lost } = await adminPages(page, locale, CLAUDE);
      assert.deepEqual(lost, [], "pages that no link leads to");
      await look(t, locale, context, pages);
    });

    test("console pages", async (t) => {
      const context = await browser.newContext(spoken(locale));
      const page = await context.newPage();
      await signUp(page, locale, `looker-${locale}@example.com`);
      await t.test(`${locale} before the first key`, async () => {
        for (const [name, path] of Object.entries(EMPTY)) {
          await page.goto(at(locale, path));
          await inspect(page, `${locale}_empty_${name}`);
        }
      });
      const key = await createKey(page, locale, "a key for looking");
      await t.test(`${locale} the new key`, () => inspect(page, `${locale}_key_shown_once`));
      await oneCallThatLandsAndOneThatFails(key);
      await t.test(`${locale} a model tested from the console`, async () => {
        await page.goto(at(locale, "/console/models"));
        await follow(page.locator("main form button").first());
        assert.match(page.url(), /\/console\/receipts\/.*ok=model-answered/, "a test leads to its receipt");
        await inspect(page, `${locale}_console_model_tested`);
      });
      await t.test(`${locale} a payment that is begun, and an amount that is refused`, async () => {
        await page.goto(at(locale, "/console/wallet"));
        await page.locator('button[value="usd:5000"]').click();
        await page.waitForURL(/\/pay\//);
        await page.goto(at(locale, "/console/wallet"));
        await complete(page, { amount: "1" });
        await inspect(page, `${locale}_console_wallet_refused`);
      });
      const { pages, lost } = await consolePages(page, locale);
      assert.ok(pages.some(({ path }) => path.includes("/wallet/orders/")), "a payment that was begun is linked");
      assert.deepEqual(lost, [], "pages that no link leads to");
      assert.equal(pages.filter(({ path }) => path.includes("/receipts/")).length, 3, "every receipt is linked");
      await page.close();
      await look(t, locale, context, pages);
    });
  });
}

async function oneCallThatLandsAndOneThatFails(key) {
  const client = new Anthropic({ baseURL: GATEWAY, apiKey: key, maxRetries: 0 });
  const ask = (scene) => client.messages.create({ model: CLAUDE, max_tokens: 64, messages: [{ role: "user", content: `scene:${scene}` }] });
  await ask("text");
  await assert.rejects(ask("status-500"));
}

async function look(t, locale, context, pages) {
  const page = await context.newPage();
  for (const { path, name } of pages) {
    await t.test(`${locale} ${path}`, async () => {
      const complaints = complaintsOf(page);
      const wanted = path.includes("no-such") ? 404 : 200;
      const answer = await page.goto(at(locale, path));
      assert.equal(answer.status(), wanted);
      assert.equal(await page.getAttribute("html", "lang"), { en: "en", zh: "zh-Hans" }[locale]);
      assert.equal(await page.locator("h1").count(), 1, "one main heading");
      await inspect(page, `${locale}_${name}`);
      assert.deepEqual(complaints.stop(), []);
    });
  }
  await context.close();
}

/** What the browser complains about: blocked or missing resources, failing scripts. The page's own status is not one. */
function complaintsOf(page) {
  const heard = [];
  const onConsole = (message) => {
    if (message.type() === "error" && message.location().url !== page.url()) heard.push(message.text());
  };
  const onError = (error) => heard.push(`${error}`);
  const onFailure = (request) => heard.push(`${request.url()}: ${request.failure().errorText}`);
  page.on("console", onConsole).on("pageerror", onError).on("requestfailed", onFailure);
  const stop = () => page.off("console", onConsole).off("pageerror", onError).off("requestfailed", onFailure);
  return { stop: () => (stop(), heard) };
}
