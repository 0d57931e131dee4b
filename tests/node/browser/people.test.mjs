// How people come to an organisation and go: invited, joined, given a role and a limit, removed; its deployments, service
// accounts and audit log. Without JavaScript by keyboard, with it by pointer; every page that only appears then is looked at.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { inspect } from "./inspect.mjs";
import { GATEWAY, PASSWORD, at, complete, createKey, follow, keyboard, launch, pointer, signUp, spoken } from "./person.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

describe("an organisation's people", { concurrency: 1 }, () => {
  for (const [locale, javaScriptEnabled, hands] of [["en", false, keyboard], ["zh", true, pointer]]) {
    test(`${locale}, JavaScript ${javaScriptEnabled ? "on" : "off"}`, async () => {
      const contexts = await Promise.all([0, 1].map(() => browser.newContext({ javaScriptEnabled, ...spoken(locale) })));
      const [owner, guest] = await Promise.all(contexts.map((context) => context.newPage()));
      const look = javaScriptEnabled ? lookInBoth : async () => {};
      await journey({ owner, guest, locale, hands, look }, locale);
      await Promise.all(contexts.map((context) => context.close()));
    });
  }
});

/** Looks at a page in Chinese, in which it was opened, and in English. */
async function lookInBoth(page, name) {
  const url = page.url();
  await inspect(page, `zh_people_${name}`);
  await page.goto(url.replace("/zh/console", "/console"));
  await inspect(page, `en_people_${name}`);
  await page.goto(url);
}

async function journey({ owner, guest, locale, hands, look }, name) {
  await signUp(owner, locale, `owner-${name}@example.com`, hands);
  const email = `guest-${name}@example.com`;
  const link = await invited(owner, { locale, hands, look }, email);

  await guest.goto(link);
  await look(guest, "invitation_before_sign-in");
  await follow(guest.locator('main a[href*="/console/sign-up"]'), hands);
  await complete(guest, { email, password: PASSWORD }, hands);
  await follow(guest.locator('main a[href*="/console/verify"]'), hands);
  await follow(guest.locator('form[action$="/console/verify"] button'), hands);
  await complete(guest, { email, password: PASSWORD }, hands);
  assert.match(guest.url(), /\/console\/invitation\?token=/, "signing up leads back to the invitation");
  await look(guest, "invitation");
  await follow(guest.locator('form[action$="/console/invitation/accept"] button'), hands);
  assert.match(guest.url(), /\/console\/members\?ok=org-joined/);
  assert.equal(await guest.locator("tbody tr").count(), 1, "a developer sees their own row");
  await look(guest, "own_row");
  await createKey(guest, locale, "theirs", hands);
  await guest.goto(at(locale, "/console/orgs"));
  await look(guest, "two_orgs");
  const answer = await guest.goto(at(locale, "/console/audit"));
  assert.equal(answer.status(), 403, "the log is not a developer's to read");
  await guest.goto(link);
  await look(guest, "invitation_used");

  await owner.goto(at(locale, "/console/members"));
  await follow(owner.locator("tbody a", { hasText: /^guest-/ }), hands);
  const member = new URL(owner.url()).pathname;
  await follow(owner.locator('main a[href*="/limits/node/mem:"]'), hands);
  await complete(owner, { limit_month: "12.50", limit_requests: "x" }, hands);
  assert.ok(await owner.locator('[name="limit_requests"][aria-invalid="true"]').count(), "a fault stands at its field");
  await complete(owner, { limit_requests: "60" }, hands);
  assert.match(owner.url(), /ok=limits-saved/);
  await owner.goto(`${GATEWAY}${member}`);
  await look(owner, "member");
  await owner.goto(`${GATEWAY}${member}/transfer`);
  await look(owner, "transfer");
  await places(owner, { locale, hands, look });

  await owner.goto(`${GATEWAY}${member}/remove`);
  await look(owner, "remove");
  await complete(owner, { confirm: `guest-${name}` }, hands);
  assert.match(owner.url(), /ok=member-removed/);
  await guest.goto(at(locale, "/console/members"));
  assert.ok(!(await guest.content()).includes(`owner-${name}`), "they are back in their own organisation");
  await owner.goto(at(locale, "/console/audit"));
  await look(owner, "audit");
  assert.ok((await owner.locator("tbody tr").count()) >= 8, "every step is in the log");
}

/** Invites with a mistake first; answers the link that a development server shows. */
async function invited(owner, { locale, hands, look }, email) {
  await owner.goto(at(locale, "/console/members/invite"));
  await complete(owner, { email: email.replace("guest", "owner") }, hands);
  assert.ok(await owner.locator('[name="email"][aria-invalid="true"]').count(), "a member's address is refused at its field");
  await look(owner, "invite_refused");
  await complete(owner, { email }, hands);
  assert.match(owner.url(), /ok=invitation-sent/);
  await look(owner, "invitation_sent");
  return owner.locator('main a[href*="/console/invitation?"]').getAttribute("href");
}

async function places(owner, { locale, hands, look }) {
  await owner.goto(at(locale, "/console/deployments/new"));
  await complete(owner, { name: locale === "zh" ? "生产环境" : "Production" }, hands);
  assert.match(owner.url(), /ok=deployment-created/);
  await look(owner, "deployment");
  await follow(owner.locator('main a[href$="/archive"]'), hands);
  await look(owner, "archive");
  await owner.goto(at(locale, "/console/deployments"));
  await look(owner, "deployments");
  await owner.goto(at(locale, "/console/service-accounts/new"));
  await complete(owner, { name: locale === "zh" ? "每晚构建" : "Nightly build" }, hands);
  await look(owner, "service_account");
  await owner.goto(at(locale, "/console/service-accounts"));
  await look(owner, "service_accounts");
}
