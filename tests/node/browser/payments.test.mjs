// Paying in: from the wallet to the provider's page and back, and by a saved card, with and without JavaScript, in both languages.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { LOCALES, at, complete, follow, keyboard, launch, pointer, signUp, spoken } from "./person.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const CREDITED = { en: "The payment has arrived, and its credit is in the wallet.", zh: "款项已收到，额度已存入钱包。" };
const UNPAID = { en: "This payment has not been made. Nothing was charged.", zh: "这笔付款尚未完成，没有产生任何扣款。" };

/** Looks again until the page says so. */
async function expectSoon(page, words) {
  for (let looks = 0; looks < 20 && !words.test(await page.locator("main").innerText()); looks += 1) await page.reload();
  assert.match(await page.locator("main").innerText(), words);
}

describe("a payment", { concurrency: 2 }, () => {
  for (const locale of LOCALES) {
    for (const [script, javaScriptEnabled, hands] of [["on", true, pointer], ["off", false, keyboard]]) {
      test(`${locale}, JavaScript ${script}`, async (t) => {
        const context = await browser.newContext({ javaScriptEnabled, ...spoken(locale) });
        t.after(() => context.close());
        const page = await context.newPage();
        await signUp(page, locale, `payer-${locale}-${script}@example.com`, hands);
        await page.goto(at(locale, "/console/wallet"));
        await hands.press(page.locator('button[value="usd:5000"]'));
        // Our page between the form and the provider's goes on by itself: a form may not lead there in one go.
        await page.waitForURL(/\/pay\/cs_test_/);
        await follow(page.locator('[name="pay"]'), hands);
        assert.match(page.url(), /\/console\/wallet\/orders\/ord_[0-9a-f]+\?returned=1$/);
        // The event and the reader arrive at the same time: whoever is first, the credit is there a moment later.
        await expectSoon(page, new RegExp(CREDITED[locale]));
        await page.goto(at(locale, "/console/wallet"));
        assert.match(await page.locator("main").innerText(), /50,000,000\.000/);
        // Its invoice says who sells and who pays, on any screen and on paper.
        await page.goto(at(locale, "/console/wallet/billing"));
        await complete(page, { legal_name: "Analytical Engines Ltd", tax_number: "980780684" }, hands);
        assert.equal(await page.locator('[name="tax_kind"]').getAttribute("aria-invalid"), "true", "a number without a kind is asked about");
        if (script === "on") await inspect(page, `${locale}_console_wallet_billing_refused`);
        await page.goto(at(locale, "/console/wallet"));
        await follow(page.locator('main a[href*="/wallet/invoices/inv_"]').first(), hands);
        assert.match(await page.locator("main").innerText(), /INV-0000\d\d[\s\S]*Tokens & Söhne GmbH[\s\S]*\$50\.00/);
        if (script === "on") {
          await inspect(page, `${locale}_console_wallet_invoice`);
          await page.emulateMedia({ media: "print", colorScheme: "light" });
          assert.ok(await page.locator(".console-side").first().isHidden(), "paper has no navigation");
          await page.pdf({ path: new URL(`../../../.cache/screenshots/${locale}_invoice.pdf`, import.meta.url).pathname, format: "A4" });
          await page.emulateMedia({ media: "screen" });
        }
        await page.goto(at(locale, "/console/wallet"));

        // A code that is none is refused at its field.
        await complete(page, { voucher: "0000-1111" }, hands);
        assert.equal(await page.locator('[name="voucher"]').getAttribute("aria-invalid"), "true");
        if (script === "on") await inspect(page, `${locale}_console_wallet_voucher_refused`);
        await page.goto(at(locale, "/console/wallet"));

        await complete(page, { amount: "12.50" }, hands);
        await page.waitForURL(/\/pay\/cs_test_/);
        await follow(page.locator("#cancel"), hands);
        assert.match(await page.locator("main").innerText(), new RegExp(UNPAID[locale]));
        await page.goto(at(locale, "/console/wallet"));
        await complete(page, { amount: "0" }, hands);
        assert.equal(await page.locator('[name="amount"]').getAttribute("aria-invalid"), "true", "a refused amount is said at its field");
      });
      test(`${locale}, by itself, JavaScript ${script}`, async (t) => {
        const context = await browser.newContext({ javaScriptEnabled, ...spoken(locale) });
        t.after(() => context.close());
        const page = await context.newPage();
        await signUp(page, locale, `recharger-${locale}-${script}@example.com`, hands);
        await page.goto(at(locale, "/console/wallet"));
        await follow(page.locator('main a[href$="/console/wallet/recharge"]'), hands);
        assert.equal(await page.locator('[name="threshold"]').count(), 0, "without a card there is nothing to turn on");
        await hands.press(page.locator('form[action$="/recharge/card"] button'));
        await page.waitForURL(/\/pay\/cs_test_/);
        await follow(page.locator('[name="pay"]'), hands);
        assert.match(page.url(), /\/console\/wallet\/recharge\?returned=1$/);
        await expectSoon(page, /Visa •••• 4242/);
        await complete(page, { threshold: "5", amount: "20", most: "100" }, hands);
        assert.equal(await page.locator('[name="consent"]').getAttribute("aria-invalid"), "true", "nothing without consent");
        if (script === "on") await inspect(page, `${locale}_console_wallet_recharge_refused`);
        await page.locator("#consent").press("Space");
        await follow(page.locator('form:has([name="threshold"]) button'), hands);
        assert.ok(await page.locator('[role="status"]').count(), "the page says that it is on");
        if (script === "on") await inspect(page, `${locale}_console_wallet_recharge_on`);
        // A new organisation's balance is below the threshold, so the card is charged within seconds.
        await page.goto(at(locale, "/console/wallet"));
        for (let looks = 0; looks < 40 && !/20,000,000\.000/.test(await page.locator("main").innerText()); looks += 1) {
          await page.waitForTimeout(500);
          await page.reload();
        }
        assert.match(await page.locator("main").innerText(), /20,000,000\.000/);
        await page.goto(at(locale, "/console/wallet/recharge"));
        await follow(page.locator('[name="forget"]'), hands);
        assert.equal(await page.locator('[name="threshold"]').count(), 0, "the card is gone");
      });
    }
  }
});
