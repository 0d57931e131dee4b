// The keyboard reaches every field and button of the forms, in order, and focus is seen.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { SIGNED_IN } from "./pages.mjs";
import { LOCALES, at, launch, signUp } from "./person.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const CONTROLS = "main input:not([type=hidden]):not([type=radio]), main textarea, main select, main button";

test("forms before sign-in", async (t) => {
  for (const locale of LOCALES) {
    const page = await browser.newPage();
    for (const path of ["/console/sign-up", "/console/sign-in", "/console/forgot", "/console/resend"]) {
      await t.test(`${locale} ${path}`, () => assertReachable(page, at(locale, path)));
    }
    await page.close();
  }
});

test("forms of the console", async (t) => {
  const page = await browser.newPage();
  await signUp(page, "en", "typist@example.com");
  for (const path of SIGNED_IN) {
    await page.goto(at("en", path));
    if (await page.locator(CONTROLS).count()) await t.test(path, () => assertReachable(page, at("en", path)));
  }
});

async function assertReachable(page, url) {
  await page.goto(url);
  await page.evaluate((selector) => {
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
    document.querySelectorAll(selector).forEach((control, n) => { control.dataset.control = n; });
  }, CONTROLS);
  const wanted = await page.locator(CONTROLS).evaluateAll((controls) =>
    controls.filter((control) => control.checkVisibility() && !control.disabled).map((control) => control.dataset.control));
  assert.ok(wanted.length > 0, "there are controls");
  const reached = [];
  for (let presses = 0; presses < 200 && reached.length < wanted.length; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
      return { control: document.activeElement.dataset.control, seen };
    });
    if (focused.control !== undefined && !reached.includes(focused.control)) {
      assert.ok(focused.seen, `focus on control ${focused.control} is not seen`);
      reached.push(focused.control);
    }
  }
  assert.deepEqual(reached, wanted, "in the order of the page");
}
