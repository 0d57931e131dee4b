// Passkeys in Chromium, with the device that its developer tools pretend to have: added, used to sign in, refused when replayed,
// renamed and removed; and nothing of them where there is no script.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { PASSWORD, at, complete, follow, launch, signUp, spoken } from "./person.mjs";

const SECURITY = "/console/settings/security";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** A device that confirms by itself. */
async function withDevice(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}

const passkeyForm = (page, end) => page.locator(`form[data-passkey][action$="${end}"]`);

async function addPasskey(page, locale, name) {
  await page.goto(at(locale, SECURITY));
  await follow(page.locator('form[action$="/passkeys/begin"] button'));
  await page.locator('main [name="name"]').fill(name);
  await follow(passkeyForm(page, "/security/passkeys").locator("button"));
  await page.locator(".choices strong", { hasText: name }).waitFor();
}

async function signOut(page, locale) {
  await page.context().clearCookies({ name: "bs_sid" });
  await page.goto(at(locale, "/console/sign-in"));
}

const isSignedIn = (page, locale) => assert.equal(new URL(page.url()).pathname, new URL(at(locale, "/console")).pathname);

describe("passkeys", { concurrency: 1 }, () => {
  for (const locale of ["en", "zh"]) {
    test(`added, used, renamed and removed, ${locale}`, async () => {
      const context = await browser.newContext(spoken(locale));
      const page = await context.newPage();
      const device = await withDevice(page);
      await signUp(page, locale, `passkey-${locale}@example.com`);

      await page.goto(at(locale, SECURITY));
      await follow(page.locator('form[action$="/passkeys/begin"] button'));
      await inspect(page, `${locale}_passkeys_new`);
      await addPasskey(page, locale, "work laptop");
      await inspect(page, `${locale}_passkeys_list`);

      // The answer that signs in is caught on its way, and sent again afterwards.
      await signOut(page, locale);
      await inspect(page, `${locale}_passkeys_sign-in`);
      const [sent] = await Promise.all([
        page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/sign-in/passkey")),
        follow(passkeyForm(page, "/sign-in/passkey").locator("button")),
      ]);
      isSignedIn(page, locale);
      await context.clearCookies({ name: "bs_sid" });
      const replayed = await page.request.post(sent.url(), {
        headers: { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" },
        data: sent.postData(), maxRedirects: 0,
      });
      assert.equal(replayed.status(), 422, "an answer counts once");

      // Back with the password, to rename it and take it away.
      await page.goto(at(locale, "/console/sign-in"));
      await complete(page, { email: `passkey-${locale}@example.com`, password: PASSWORD });
      await page.goto(at(locale, SECURITY));
      await page.locator("details.more summary").first().click();
      await page.locator('main [name^="name-"]').fill("old laptop");
      await follow(page.locator('form[action$="/name"] button'));
      await page.locator(".choices strong", { hasText: "old laptop" }).waitFor();
      await follow(page.locator('form[action$="/remove"] button'));
      assert.equal(await page.locator('form[action$="/remove"]').count(), 0);

      // The device still has it; here it is nobody's.
      await signOut(page, locale);
      await follow(passkeyForm(page, "/sign-in/passkey").locator("button"));
      assert.match(page.url(), /\/console\/sign-in\/passkey$/);
      await device.session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: device.authenticatorId });
      await context.close();
    });
  }

  test("a device that gives none leaves the page as it was, and says so", async () => {
    const context = await browser.newContext(spoken("en"));
    const page = await context.newPage();
    const { session, authenticatorId } = await withDevice(page);
    await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.goto(at("en", "/console/sign-in"));
    await passkeyForm(page, "/sign-in/passkey").locator("button").click();
    await page.locator("form[data-passkey] [role=status]", { hasText: "No passkey was given" }).waitFor();
    assert.match(page.url(), /\/console\/sign-in$/);
    await context.close();
  });

  test("without a script there is no trace of them where one signs in", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, ...spoken("en") });
    const page = await context.newPage();
    await page.goto(at("en", "/console/sign-in"));
    assert.equal(await passkeyForm(page, "/sign-in/passkey").isVisible(), false);
    await signUp(page, "en", "passkey-plain@example.com");
    await page.goto(at("en", SECURITY));
    await follow(page.locator('form[action$="/passkeys/begin"] button'));
    assert.equal(await passkeyForm(page, "/security/passkeys").isVisible(), false);
    await page.getByText("needs JavaScript").waitFor();
    await context.close();
  });
});
