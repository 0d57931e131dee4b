// An operator from the first sign-in to the log: a second factor, credit for an organisation, a price, a channel; and what a
// customer reads of it.
import assert from "node:assert/strict";

import { journeys } from "./journeys.mjs";
import { CLAUDE, OPERATORS, PASSWORD, totp } from "./person.mjs";
import { like } from "./words.mjs";

// One after another: there is one draft of prices.
journeys({
  async "an operator's day"(me, { name, number, locale, another }) {
    const { admin, auth, security, console } = me.words;
    const customer = await another();
    await customer.signUp(`customer-${name}@example.com`);

    await me.open("/admin/orgs");
    await me.type(auth.field.email, OPERATORS[number]);
    await me.type(auth.field.password, "wrong");
    await me.press(admin.sign_in.submit);
    await me.reads(admin.sign_in.wrong);
    await me.type(auth.field.password, PASSWORD);
    await me.press(admin.sign_in.submit);
    await me.reads(admin.set_up.why);
    const secret = (await me.copied(security.app.typed)).replaceAll(" ", "");
    await me.type(security.app.code, totp(secret, -1));
    await me.press(security.app.submit);
    await me.reads(security.codes.lead);
    await me.follow(security.codes.done);
    assert.equal(me.path, "/admin/orgs", "and goes on where they were going");

    // Credit, with a mistake first; the customer reads why.
    const why = { en: "For the outage of Tuesday", zh: "补偿周二的故障" }[locale];
    await me.type(admin.orgs.search, customer.email);
    await me.press(admin.orgs.find);
    await me.activate(me.page.locator("main tbody a").first());
    await me.type(admin.org.amount, "nothing");
    await me.type(admin.org.reason, why);
    await me.press(admin.org.credit_submit);
    await me.isRefused(admin.org.amount);
    await me.type(admin.org.amount, "25");
    await me.press(admin.org.credit_submit);
    await me.reads(admin.did.credit_booked);
    await customer.go(console.nav.wallet);
    await customer.reads("25,000,000.000", why);

    // A price: into the draft, published, and in the customer's list of models.
    const price = `2.5${number}`;
    await me.go(admin.nav.prices);
    await me.type(admin.prices.model, CLAUDE);
    await me.press(admin.prices.open);
    await me.type(admin.price_model.usd, price);
    await me.press(admin.price_model.submit);
    await me.reads(admin.did.price_kept, `$${price}`);
    await me.type(admin.publish.note, why);
    await me.press(admin.publish.submit);
    await me.reads(admin.did.published, admin.prices.nothing, why);
    await customer.go(console.nav.models);
    await customer.readsSoon(price);

    // A channel that leads nowhere says so when it is tested, and goes.
    await me.go(admin.nav.channels);
    await me.follow(admin.channels.add);
    await me.type(admin.channel.id, `nowhere-${name}`);
    await me.type(admin.channel.provider, "scripted");
    await me.type(admin.channel.base_url, "http://channel.invalid/v1");
    await me.type(admin.channel.models, CLAUDE);
    await me.press(admin.channel.add);
    await me.isRefused(admin.channel.base_url);
    await me.reads(admin.channel.not_tls);
    await me.type(admin.channel.base_url, "https://channel.invalid/v1");
    await me.type(admin.channel.keys, "CANARY-of-a-channel-3d70");
    await me.press(admin.channel.add);
    await me.reads(admin.did.channel_saved);
    await me.press(admin.channel_test.submit);
    await me.reads(admin.channel_test.bad, like(admin.channel_test.unreachable));
    await me.press(admin.channel.off_submit);
    await me.reads(admin.did.channel_off);
    await me.press(admin.channel.remove_submit);
    await me.reads(admin.did.channel_removed);

    // All of it stands in the log, under their name.
    await me.go(admin.nav.audit);
    await me.reads(admin.event.wallet_credited, admin.event.prices_published, admin.event.channel_tested, admin.event.channel_removed);
    await me.type(admin.log.event, "operator.");
    await me.press(admin.log.find);
    await me.reads(admin.event.operator_signed_in, admin.event.operator_sign_in_failed);
    await me.signOut();
    assert.equal(me.path, "/admin/sign-in");
  },
}, { atOnce: 1 });
