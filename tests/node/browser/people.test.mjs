// How people come to an organisation and go: invited, joined, given a limit and more of it, a role, and taken out; and its
// deployments and service accounts. Every page that only appears then is looked at.
import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";

import { journeys } from "./journeys.mjs";
import { CLAUDE, GATEWAY, PASSWORD } from "./person.mjs";
import { like, say } from "./words.mjs";

journeys({
  async "somebody is invited, gets more, another role, and goes"(owner, { name, another }) {
    const { people, limits, keys, console } = owner.words;
    const guest = await another();
    await owner.signUp(`owner-${name}@example.com`);
    await joins({ owner, guest }, { owner: owner.email, guest: `guest-${name}@example.com` });
    await guest.createKey("theirs");

    // A limit, with a mistake first.
    await toMember(owner, "guest-");
    await owner.follow(limits.node.change);
    await owner.type(keys.window.month, "12.50");
    await owner.type(keys.window.requests, "x");
    await owner.press(limits.node.submit);
    await owner.isRefused(keys.window.requests);
    await owner.type(keys.window.requests, "60");
    await owner.press(limits.node.submit);
    await owner.reads(console.flash.limits_saved);

    // The member asks for more, and the owner grants it.
    await guest.go(console.nav.limits);
    await guest.reads("$12.50", limits.page.room);
    await guest.follow(limits.page.ask, { row: keys.window.month });
    await guest.type(limits.ask.wanted, "10");
    await guest.type(limits.ask.reason, "The nightly evaluation runs twice.");
    await guest.press(limits.ask.submit);
    await guest.isRefused(limits.ask.wanted);
    await guest.type(limits.ask.wanted, "20");
    await guest.press(limits.ask.submit);
    await guest.reads(console.flash.request_sent, limits.request.state_waiting);
    await owner.go(console.nav.limits);
    await owner.reads("The nightly evaluation runs twice.");
    await owner.follow(limits.request.answer_link);
    await owner.look("people_request");
    await owner.choose(limits.ask.until, limits.ask.until_good);
    await owner.type(limits.request.answer, "Twice a night it is.");
    await owner.press(limits.request.grant);
    await owner.reads(console.flash.request_granted);
    await guest.go(console.nav.limits);
    await guest.reads(say(limits.request.state_granted, { amount: "$20.00" }), "Twice a night it is.");

    // Another role opens what was closed.
    await guest.open("/console/audit");
    await guest.reads(console.problem.forbidden_title);
    await guest.follow(console.problem.home);
    await toMember(owner, "guest-");
    await owner.look("people_member");
    await owner.choose(people.role_form.role, people.role.admin);
    await owner.press(people.role_form.submit);
    await owner.reads(people.flash.role_changed);
    await guest.go(console.nav.organisation);
    await guest.follow(people.tab.audit);
    await guest.reads(people.event.member_role_changed, people.event.quota_granted);
    await guest.look("people_audit");

    // And out.
    await toMember(owner, "guest-");
    await owner.follow(people.transfer.action);
    await owner.reads(people.transfer.own);
    await owner.look("people_transfer");
    await toMember(owner, "guest-");
    await owner.follow(people.remove.action);
    await owner.reads(say(people.remove.keys, { count: 1 }));
    await owner.look("people_remove");
    await owner.type(people.remove.confirm, `guest-${name}`);
    await owner.press(people.remove.action);
    await owner.reads(people.flash.member_removed);
    await guest.go(console.nav.organisation);
    assert.ok(!(await guest.text()).includes(`owner-${name}`), "they are back in their own organisation");
  },

  async "a deployment and a service account"(me, { name, locale }) {
    const { people, keys, console } = me.words;
    const [production, build] = { en: ["Production", "Nightly build"], zh: ["生产环境", "每晚构建"] }[locale];
    await me.signUp(`builder-${name}@example.com`);
    await me.go(console.nav.organisation);
    await me.follow(people.tab.deployments);
    await me.look("people_deployments");
    await me.follow(people.deployments.new);
    await me.type(people.deployments.name, production);
    await me.press(people.deployments.submit);
    await me.reads(people.flash.deployment_created, people.deployments.unused);
    await me.look("people_deployment");

    // Its key, and what it used.
    await me.go(console.nav.keys);
    await me.follow(keys.list.new);
    await me.type(keys.create.name, "server");
    await me.unfold(keys.create.advanced);
    await me.choose(keys.create.deployment, production);
    await me.press(keys.create.submit);
    const client = new Anthropic({ baseURL: GATEWAY, apiKey: await me.copied(keys.once.label), maxRetries: 0 });
    await client.messages.create({ model: CLAUDE, max_tokens: 64, messages: [{ role: "user", content: "scene:text" }] });
    await me.go(console.nav.organisation);
    await me.follow(people.tab.deployments);
    await me.follow(production);
    await me.reads(CLAUDE, "$0.0000");

    await me.go(console.nav.organisation);
    await me.follow(people.tab.services);
    await me.reads(people.services.empty);
    await me.follow(people.services.new);
    await me.type(people.services.name, build);
    await me.press(people.services.submit);
    await me.reads(people.flash.service_account_created, people.role.developer);
    await me.look("people_service_account");
    await me.go(console.nav.organisation);
    await me.follow(people.tab.services);
    await me.look("people_service_accounts");

    await me.follow(people.tab.deployments);
    await me.follow(production);
    await me.follow(people.archive.action);
    await me.reads(say(people.archive.keys, { count: 1 }), people.archive.history);
    await me.look("people_archive");
    await me.type(people.archive.confirm, production);
    await me.press(people.archive.action);
    await me.reads(people.flash.deployment_archived);
    await assert.rejects(client.models.list(), { status: 401 });
  },
});

async function toMember(owner, name) {
  await owner.go(owner.words.console.nav.organisation);
  await owner.follow(new RegExp(`^${name}`), { part: true });
}

/** Invites with a mistake first, and accepts as somebody who has no account yet. */
async function joins({ owner, guest }, emails) {
  const { people, auth, console } = owner.words;
  await owner.go(console.nav.organisation);
  await owner.follow(people.members.invite);
  await owner.type(people.invite.email, emails.owner);
  await owner.press(people.invite.submit);
  await owner.isRefused(people.invite.email);
  await owner.look("people_invite_refused");
  await owner.type(people.invite.email, emails.guest);
  await owner.choose(people.invite.role, people.role.developer);
  await owner.press(people.invite.submit);
  await owner.reads(people.flash.invitation_sent, emails.guest);
  await owner.look("people_invitation_sent");
  const link = await owner.page.locator('main a[href*="/console/invitation?"]').getAttribute("href");

  await guest.open(link);
  await guest.reads(like(people.accept.title), people.role.developer);
  await guest.look("people_invitation_before_sign-in");
  await guest.follow(people.accept.sign_up);
  await guest.type(auth.field.email, emails.guest);
  await guest.type(auth.field.password, PASSWORD);
  await guest.press(auth.sign_up.submit);
  await guest.confirmAddress();
  await guest.signIn(emails.guest);
  assert.equal(guest.path, "/console/invitation", "signing up leads back to the invitation");
  await guest.look("people_invitation");
  await guest.press(people.accept.submit);
  await guest.reads(people.flash.org_joined, people.members.lead_own, people.members.you);
  assert.equal(await guest.page.locator("tbody tr").count(), 1, "a developer sees their own row");
  await guest.look("people_own_row");
  await guest.open("/console/orgs");
  await guest.look("people_two_orgs");
  await guest.open(link);
  await guest.reads(people.accept.dead);
  await guest.look("people_invitation_used");
  await guest.open("/console");
}
