// A browser, and whoever wants to be on a page of it soon, to look at that page. Whoever walks there as people do is in
// `walker.mjs`.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import { chromium } from "playwright-core";

import { watch } from "./seen.mjs";

export const GATEWAY = process.env.GATEWAY_URL ?? assert.fail("GATEWAY_URL is not set; start this suite with tests/run browser");
// One model behind an Anthropic-shaped provider, one behind an OpenAI-shaped provider.
export const [CLAUDE, GPT] = process.env.GATEWAY_MODELS.split(",");
// The one-time addresses of the first operator of two fresh installations: a language each.
export const FIRST_RUNS = (process.env.GATEWAY_FIRST_RUNS ?? "").split(" ");
// Operators who have not signed in yet: a language each.
export const OPERATORS = (process.env.GATEWAY_OPERATORS ?? "").split(" ");
export const LOCALES = ["en", "zh"];

// Everybody's. It is a secret that must turn up nowhere, as are those that `with-product` gives the product.
export const PASSWORD = process.env.GATEWAY_PASSWORD;

export async function launch() {
  return watch(await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  }));
}

/** The browser of someone who speaks this language. */
export const spoken = (locale) => ({ locale: { en: "en-US", zh: "zh-CN" }[locale] });

/** The address of a page in a language. */
export const at = (locale, path) => `${GATEWAY}${locale === "zh" ? "/zh" : ""}${path === "/" && locale === "zh" ? "" : path}`;

/** Presses a link or a button that leads to a page, and waits for that page. */
export async function follow(control) {
  const page = control.page();
  await Promise.all([page.waitForEvent("load"), control.click()]);
}

/** The button of the form that has this field. */
const buttonOf = (page, field) => page.locator(`form:has([name="${field}"]) button:not([type="button"])`).first();

/** Fills a form in and submits it. */
export async function complete(page, fields) {
  for (const [name, text] of Object.entries(fields)) await page.locator(`main [name="${name}"]`).fill(text);
  await follow(buttonOf(page, Object.keys(fields)[0]));
}

/** Signs up, opens the link that a development server shows, signs in, and ends up in the console. */
export async function signUp(page, locale, email) {
  await page.goto(at(locale, "/console/sign-up"));
  await complete(page, { email, password: PASSWORD });
  await follow(page.locator('main a[href*="/console/verify"]'));
  await follow(page.locator('form[action$="/console/verify"] button'));
  assert.match(page.url(), /\/console\/sign-in/, "a confirmed address leads to the sign-in");
  await complete(page, { email, password: PASSWORD });
  assert.equal(new URL(page.url()).pathname, new URL(at(locale, "/console")).pathname, "who signed in is in the console");
}

/** Creates a key, and returns it from the page that shows it once. */
export async function createKey(page, locale, name) {
  await page.goto(at(locale, "/console/keys/new"));
  await complete(page, { name });
  const key = (await page.content()).match(SECRET)?.[0];
  assert.ok(key, `no key on ${page.url()}`);
  return key;
}

export const SECRET = /sk-byts-[0-9A-Za-z]{50}/;

/** The code an authenticator app shows, or will or did in another step (RFC 6238). */
export function totp(secret, stepsAway = 0) {
  const bits = [...secret].map((char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + stepsAway));
  const mac = createHmac("sha1", key).update(step).digest();
  const at = mac.at(-1) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
