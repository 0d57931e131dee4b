// A browser, and someone who signs up in it, with or without JavaScript, in either language.
import assert from "node:assert/strict";

import { chromium } from "playwright-core";

export const GATEWAY = process.env.GATEWAY_URL ?? assert.fail("GATEWAY_URL is not set; start this suite with tests/run browser");
// One model behind an Anthropic-shaped provider, one behind an OpenAI-shaped provider.
export const [CLAUDE, GPT] = process.env.GATEWAY_MODELS.split(",");
export const LOCALES = ["en", "zh"];

const PASSWORD = "a long sentence nobody guesses 71";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}

/** The address of a page in a language. */
export const at = (locale, path) => `${GATEWAY}${locale === "zh" ? "/zh" : ""}${path === "/" && locale === "zh" ? "" : path}`;

/** Submits the form that has this field, and waits for the page that answers. */
export async function submit(page, field) {
  const button = page.locator(`form:has([name="${field}"]) button:not([type="button"])`).first();
  await Promise.all([page.waitForURL(() => true, { waitUntil: "load" }), button.click()]);
  await page.waitForLoadState("load");
}

/** Signs up, opens the link that a development server shows, and ends up in the console. */
export async function signUp(page, locale, email) {
  await page.goto(at(locale, "/console/sign-up"));
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', PASSWORD);
  await submit(page, "password");
  await page.locator('a[href*="/console/verify"]').first().click();
  await page.locator('form[action*="verify"] button').click();
  await page.waitForLoadState("load");
  if (await page.locator('[name="password"]').count()) {
    await page.fill('[name="email"]', email);
    await page.fill('[name="password"]', PASSWORD);
    await submit(page, "password");
  }
}

/** Creates a key and returns it from the page that shows it once. */
export async function createKey(page, locale, name) {
  await page.goto(at(locale, "/console/keys/new"));
  await page.fill('[name="name"]', name);
  await submit(page, "name");
  const key = (await page.content()).match(/sk-byts-[0-9A-Za-z]{50}/)?.[0];
  assert.ok(key, `no key on ${page.url()}`);
  return key;
}
