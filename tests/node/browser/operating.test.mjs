// What operators decide while the installation runs, and what people then see: in both languages, without a script, in both
// themes and at two widths.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { CLAUDE, GATEWAY, LOCALES, OPERATORS, PASSWORD, at, complete, follow, launch, signUp, spoken, totp } from "./person.mjs";

const TEXT = { en: "We move to new machines on Sunday, from 02:00 to 03:00 UTC.", zh: "周日 02:00 至 03:00（UTC）迁移到新机器，期间可能短暂变慢。" };

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

for (const locale of LOCALES) {
  describe(`operators, ${locale}`, () => {
    test("announce, switch, let in, hand out, keep and price", async () => {
      const page = await (await browser.newContext({ ...spoken(locale), javaScriptEnabled: false })).newPage();
      const looking = await (await browser.newContext(spoken(locale))).newPage();
      await signIn(page, locale);
      // axe needs a script, so what is looked at is opened in a browser that runs some.
      await looking.context().addCookies(await page.context().cookies());
      const look = async (name, path) => {
        await looking.goto(at(locale, path));
        await inspect(looking, `${locale}_operators_${name}`);
      };

      await page.goto(at(locale, "/admin/announcements/new"));
      await page.locator('[name="level"]').selectOption("warning");
      await page.locator('[name="place"]').selectOption("console");
      for (const [name, text] of [["text_en", TEXT.en], ["text_zh", TEXT.zh], ["link", "/docs/billing"]]) await page.locator(`[name="${name}"]`).fill(text);
      await follow(page.locator('button[value="preview"]'));
      for (const text of Object.values(TEXT)) assert.ok((await page.locator(".announcement").allTextContents()).some((shown) => shown.includes(text)));
      await follow(page.locator('button[value="announce"]'));
      await look("announcements", "/admin/announcements");
      await look("announcement_new", "/admin/announcements/new");

      const person = await (await browser.newContext({ ...spoken(locale), javaScriptEnabled: false })).newPage();
      await signUp(person, locale, `told-${locale}@example.com`);
      await eventually(async () => { await person.goto(at(locale, "/console/keys")); return person.locator(".announcement").count(); });
      await looking.context().addCookies(await person.context().cookies());
      await look("banner", "/console/keys");
      await follow(person.locator(".announcement button"));
      assert.equal(new URL(person.url()).pathname, new URL(at(locale, "/console/keys")).pathname, "back where it stood");
      assert.equal(await person.locator(".announcement").count(), 0, "put away without a script");
      await page.goto(at(locale, "/admin/announcements"));
      await follow(page.locator('main a[href*="/admin/announcements/ann_"]').first());
      await follow(page.locator('form[action$="/end"] button'));

      await page.goto(at(locale, "/admin/switches"));
      await page.locator('[name="policy"]').selectOption("approval");
      await follow(page.locator('form[action$="/sign-up"] button'));
      await look("switches", "/admin/switches");
      const waiting = await (await browser.newContext(spoken(locale))).newPage();
      await waiting.goto(at(locale, "/console/sign-up"));
      await inspect(waiting, `${locale}_operators_sign_up_with_approval`);
      await complete(waiting, { email: `waits-${locale}@example.com`, password: PASSWORD });
      await follow(waiting.locator('main a[href*="/console/verify"]'));
      await follow(waiting.locator('form[action$="/console/verify"] button'));
      await inspect(waiting, `${locale}_operators_waits`);
      await look("sign_ups", "/admin/sign-ups");
      await page.goto(at(locale, "/admin/sign-ups"));
      await follow(page.locator('form[action$="/approve"] button').first());
      await page.goto(at(locale, "/admin/switches"));
      await page.locator('[name="policy"]').selectOption("configured");
      await follow(page.locator('form[action$="/sign-up"] button'));
      await follow(page.locator('form:has([value="vouchers"]) button'));
      await look("switched_off", "/console/wallet");
      await follow(page.locator('form:has([value="vouchers"]) button'));

      await page.goto(at(locale, "/admin/vouchers"));
      await complete(page, { note: { en: "Workshop in March", zh: "三月工作坊" }[locale], amount: "2.50" });
      await looking.goto(at(locale, new URL(page.url()).pathname.replace(/^\/zh/, "")));
      await inspect(looking, `${locale}_operators_batch`);
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator('form[action$="/codes"] button').click()]);
      assert.match(download.suggestedFilename(), /^vouchers-vcb_.*\.csv$/);
      await look("vouchers", "/admin/vouchers");

      await page.goto(at(locale, "/admin/orgs"));
      await follow(page.locator('main a[href*="/admin/orgs/org_"]').first());
      const reason = { en: "Invoice 2026-118, paid by transfer", zh: "2026-118 号账单，已转账" }[locale];
      await complete(page, { amount: "5000", reason });
      const asked = page.locator("tr", { hasText: reason });
      assert.equal(await asked.count(), 1);
      assert.equal(await asked.locator('form[action$="/confirm"]').count(), 0, "who asked cannot confirm");
      await page.goto(at(locale, "/admin/vouchers"));
      await complete(page, { note: { en: "Hackathon in May", zh: "五月黑客松" }[locale], amount: "500" });
      await page.goto(at(locale, "/admin/orgs"));
      await follow(page.locator('main a[href*="/admin/orgs/org_"]').first());
      const org = new URL(page.url()).pathname.replace(/^\/zh/, "");
      const mistake = { en: "Granted twice by mistake", zh: "重复发放" }[locale];
      await complete(page, { debit_amount: "999999", debit_reason: mistake });
      assert.ok(await page.locator('[name="debit_amount"][aria-invalid="true"]').count(), "no more is taken than is free");
      await complete(page, { debit_amount: "0.01", debit_reason: mistake });
      assert.equal(new URL(page.url()).pathname, new URL(at(locale, org)).pathname, "what is free is taken");
      await look("org", org);
      await look("credits", "/admin/credits");
      await look("retention", "/admin/retention");
      await page.goto(at(locale, "/admin/prices/rules"));
      await complete(page, { models: `${CLAUDE} = 1.25` });
      await look("prices_draft", "/admin/prices");
      await look("prices_rules", "/admin/prices/rules");
      await look("prices_preview", "/admin/prices/preview");
      await look("channel_new", "/admin/channels/new");
    });
  });
}

/** Signs in for the first time, and sets the second factor up. */
async function signIn(page, locale) {
  await page.goto(at(locale, "/admin"));
  await complete(page, { email: OPERATORS[LOCALES.indexOf(locale)], password: PASSWORD });
  const secret = (await page.locator("#secret").textContent()).replaceAll(" ", "");
  await complete(page, { code: totp(secret) });
  await follow(page.locator("main .actions a.primary"));
}

async function eventually(happens) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) if (await happens()) return;
  assert.fail(`it does not come to be so at ${GATEWAY}`);
}
