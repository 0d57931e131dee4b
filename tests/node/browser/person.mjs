// A browser, and someone who signs up in it, with or without JavaScript, in either language.
import assert from "node:assert/strict";

import { chromium } from "playwright-core";

export const GATEWAY = process.env.GATEWAY_URL ?? assert.fail("GATEWAY_URL is not set; start this suite with tests/run browser");
// One model behind an Anthropic-shaped provider, one behind an OpenAI-shaped provider.
export const [CLAUDE, GPT] = process.env.GATEWAY_MODELS.split(",");
// The one-time addresses of the first operator of two fresh installations: a language each.
export const FIRST_RUNS = (process.env.GATEWAY_FIRST_RUNS ?? "").split(" ");
// Operators who have not signed in yet: a language each.
export const OPERATORS = (process.env.GATEWAY_OPERATORS ?? "").split(" ");
export const LOCALES = ["en", "zh"];

export const PASSWORD = "a long sentence nobody guesses 71";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}

/** The browser of someone who speaks this language. */
export const spoken = (locale) => ({ locale: { en: "en-US", zh: "zh-CN" }[locale] });

/** The address of a page in a language. */
export const at = (locale, path) => `${GATEWAY}${locale === "zh" ? "/zh" : ""}${path === "/" && locale === "zh" ? "" : path}`;

/** How someone works a page: with a pointer, or with nothing but a keyboard. */
export const pointer = {
  fill: (field, text) => field.fill(text),
  press: (control) => control.click(),
};
export const keyboard = {
  async fill(field, text) {
    await tabTo(field);
    await field.press("ControlOrMeta+a");
    await field.page().keyboard.type(text);
  },
  async press(control) {
    await tabTo(control);
    await control.page().keyboard.press("Enter");
  },
};

async function tabTo(control) {
  const isFocused = () => control.evaluate((element) => element === document.activeElement);
  for (let presses = 0; presses < 150 && !(await isFocused()); presses += 1) await control.page().keyboard.press("Tab");
  assert.ok(await isFocused(), `the keyboard reaches ${control} on ${control.page().url()}`);
}

/** Presses a link or a button that leads to a page, and waits for that page. */
export async function follow(control, hands = pointer) {
  const page = control.page();
  await Promise.all([page.waitForEvent("load"), hands.press(control)]);
}

/** The button of the form that has this field. */
const buttonOf = (page, field) => page.locator(`form:has([name="${field}"]) button:not([type="button"])`).first();

/** Fills a form in and submits it. */
export async function complete(page, fields, hands = pointer) {
  for (const [name, text] of Object.entries(fields)) await hands.fill(page.locator(`main [name="${name}"]`), text);
  await follow(buttonOf(page, Object.keys(fields)[0]), hands);
}

/** Signs up, opens the link that a development server shows, signs in, and ends up in the console. */
export async function signUp(page, locale, email, hands = pointer) {
  await page.goto(at(locale, "/console/sign-up"));
  await complete(page, { email, password: PASSWORD }, hands);
  await follow(page.locator('main a[href*="/console/verify"]'), hands);
  await follow(page.locator('form[action$="/console/verify"] button'), hands);
  assert.match(page.url(), /\/console\/sign-in/, "a confirmed address leads to the sign-in");
  await complete(page, { email, password: PASSWORD }, hands);
  assert.equal(new URL(page.url()).pathname, new URL(at(locale, "/console")).pathname, "who signed in is in the console");
}

/** Creates a key, and returns it from the page that shows it once. */
export async function createKey(page, locale, name, hands = pointer) {
  await page.goto(at(locale, "/console/keys/new"));
  await complete(page, { name }, hands);
  const key = (await page.content()).match(SECRET)?.[0];
  assert.ok(key, `no key on ${page.url()}`);
  return key;
}

export const SECRET = /sk-byts-[0-9A-Za-z]{50}/;
