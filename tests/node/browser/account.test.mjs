// What a person does with their account: a second factor and its recovery codes, a forgotten password, another address,
// a deletion that is taken back, and another organisation.
import assert from "node:assert/strict";

import { journeys } from "./journeys.mjs";
import { PASSWORD, totp } from "./person.mjs";
import { like, say } from "./words.mjs";

journeys({
  async "a second factor and a recovery code"(me, { name }) {
    const { security, console } = me.words;
    await me.signUp(`guarded-${name}@example.com`);
    await toSecurity(me);
    await me.press(security.factor.begin);
    const secret = (await me.copied(security.app.typed)).replaceAll(" ", "");
    await me.type(security.app.code, "000000");
    await me.press(security.app.submit);
    await me.isRefused(security.app.code);
    await me.type(security.app.code, totp(secret, -1));
    await me.press(security.app.submit);
    await me.reads(security.codes.title, security.codes.lead);
    const codes = await me.page.locator(".recovery-codes code").allInnerTexts();
    assert.equal(codes.length, 10);
    await me.follow(security.codes.done);
    await me.reads(like(security.factor.lead_on), say(security.factor.codes_left, { count: 10 }));

    await again(me);
    await me.reads(security.second_step.title);
    await me.type(security.second_step.code, "000000");
    await me.press(security.second_step.submit);
    await me.isRefused(security.second_step.code);
    await me.type(security.second_step.code, totp(secret, 0));
    await me.press(security.second_step.submit);
    assert.equal(me.path, "/console");

    // The phone is lost: a recovery code signs in, once.
    for (const [code, isGood] of [[codes[0], true], [codes[0], false], [codes[1], true]]) {
      if (me.path === "/console") await again(me);
      await me.type(security.second_step.code, code);
      await me.press(security.second_step.submit);
      if (!isGood) await me.isRefused(security.second_step.code);
      assert.equal(me.path === "/console", isGood, `recovery code ${codes.indexOf(code)}`);
    }
    await toSecurity(me);
    await me.reads(say(security.factor.codes_left, { count: 8 }));
    await me.press(security.factor.turn_off_submit);
    await me.reads(security.flash.factor_off);
    await me.signOut();
    await me.reads(console.flash.signed_out);
  },

  async "a forgotten password"(me, { name }) {
    const { auth, console } = me.words;
    const email = `forgetful-${name}@example.com`;
    await me.signUp(email);
    await me.signOut();
    await me.follow(auth.sign_in.forgot);
    await me.type(auth.field.email, email);
    await me.press(auth.reset_request.submit);
    await me.reads(auth.check_mail.sent);
    await me.follow(auth.check_mail.development_open);
    await me.type(auth.field.new_password, "short");
    await me.press(auth.reset.submit);
    await me.isRefused(auth.field.new_password);
    await me.type(auth.field.new_password, `${PASSWORD} again`);
    await me.press(auth.reset.submit);
    await me.reads(console.flash.password_reset);
    await me.signIn(email);
    await me.reads(auth.sign_in.wrong);
    await me.signIn(email, `${PASSWORD} again`);
    assert.equal(me.path, "/console");
  },

  async "another address"(me, { name }) {
    const { auth, security, console } = me.words;
    const [before, after] = [`former-${name}@example.com`, `latter-${name}@example.com`];
    await me.signUp(before);
    await toSecurity(me);
    await me.type(security.email.new, before);
    await me.press(security.email.submit);
    await me.isRefused(security.email.new);
    await me.type(security.email.new, after);
    await me.press(security.email.submit);
    await me.reads(security.flash.email_asked, after);
    await me.follow(auth.check_mail.development_open);
    await me.reads(say(security.email.confirm_lead, { email: after }));
    await me.press(security.email.confirm);
    await me.reads(security.flash.email_changed);
    await me.signIn(before);
    await me.reads(auth.sign_in.wrong);
    await me.signIn(after);
    await toSecurity(me);
    await me.reads(say(security.email.lead, { email: after }));
    await me.go(console.nav.overview);
  },

  async "a deletion that is taken back"(me, { name }) {
    const { security } = me.words;
    const email = `leaver-${name}@example.com`;
    await me.signUp(email);
    await toSecurity(me);
    await me.follow(security.page.data);
    await me.reads(security.end.point_money, security.end.point_week);
    await me.type(security.end.confirm, "somebody@example.com");
    await me.press(security.end.submit);
    await me.isRefused(security.end.confirm);
    await me.type(security.end.confirm, email);
    await me.press(security.end.submit);
    await me.reads(security.flash.end_asked, like(security.end.asked));
    await me.look("account_deletion_asked");
    await again(me);
    assert.equal(me.path, "/console", "until then everything works");
    await toSecurity(me);
    await me.follow(security.page.data);
    await me.press(security.end.keep);
    await me.reads(security.flash.end_taken_back, security.end.point_week);
  },

  async "another organisation"(me, { name, locale }) {
    const { people, console } = me.words;
    await me.signUp(`founder-${name}@example.com`);
    const first = await me.page.locator(".console-organisation").innerText();
    const second = { en: "Analytical Engines", zh: "分析机公司" }[locale];
    await me.activate(me.page.locator(".console-organisation a"));
    await me.press(people.orgs.submit);
    await me.isRefused(people.orgs.name);
    await me.type(people.orgs.name, second);
    await me.press(people.orgs.submit);
    await me.reads(people.flash.org_created);
    assert.equal(await me.page.locator(".console-organisation").innerText(), second, "the new one is open");
    await me.go(console.nav.wallet);
    await me.reads("$0.00");
    await me.activate(me.page.locator(".console-organisation a"));
    await me.press(say(people.orgs.switch_to, { name: first }));
    assert.equal(await me.page.locator(".console-organisation").innerText(), first);
  },
});

async function toSecurity(me) {
  await me.go(me.words.console.nav.settings);
  await me.follow(me.words.security.page.title);
}

/** Signs out, and types the password again. */
async function again(me) {
  await me.signOut();
  await me.signIn(me.email);
}
