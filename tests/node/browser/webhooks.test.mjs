// A webhook from its address to its removal: added, heard, its answer read, sent again, its secret replaced.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before } from "node:test";

import { Webhook } from "standardwebhooks";

import { journeys } from "./journeys.mjs";
import { say } from "./words.mjs";

// The product under test may reach this place of this machine; see `with-product`.
const PORT = 19875;
const heard = [];
const receiver = createServer(async (request, answer) => {
  let body = "";
  for await (const piece of request) body += piece;
  heard.push({ path: request.url, headers: request.headers, body });
  answer.end("thank you");
});
before(() => new Promise((done) => receiver.listen(PORT, "127.0.0.1", done)));
after(() => receiver.close());

journeys({
  async "a webhook"(me, { name }) {
    const { people, webhooks, console } = me.words;
    const heardHere = () => heard.filter(({ path }) => path === `/${name}`);
    await me.signUp(`receiver-${name}@example.com`);
    await me.go(console.nav.organisation);
    await me.follow(people.tab.webhooks);
    await me.reads(webhooks.list.empty);
    await me.follow(webhooks.list.new);
    await me.type(webhooks.form.url, "http://10.0.0.1/hook");
    await me.press(webhooks.form.submit);
    await me.isRefused(webhooks.form.url);
    await me.look("webhooks_refused");
    await me.type(webhooks.form.url, `http://127.0.0.1:${PORT}/${name}`);
    await me.type(webhooks.form.description, "Pager");
    await me.tick(webhooks.form.every);
    await me.press(webhooks.form.submit);
    const first = await me.copied(webhooks.once.label);
    await me.look("webhooks_secret");
    await me.follow(webhooks.once.done);
    await me.reads("Pager", webhooks.message.none, webhooks.state.on);

    await me.press(webhooks.detail.test);
    await me.readsSoon(webhooks.message.delivered);
    await me.reads("200", "thank you", "webhook.test");
    await me.look("webhooks_message");
    assert.equal(new Webhook(first).verify(heardHere()[0].body, heardHere()[0].headers).type, "webhook.test");
    await me.press(webhooks.message.again);
    await me.reads(webhooks.flash.sent_again);
    await me.readsSoon(new RegExp(`${webhooks.message.delivered}.*thank you.*thank you`));
    assert.equal(heardHere()[0].headers["webhook-id"], heardHere()[1].headers["webhook-id"], "it is the same message");

    // While one secret replaces the other, both verify.
    await me.follow("Pager");
    await me.choose(webhooks.secret.overlap, say(webhooks.secret.hours, { count: 1 }));
    await me.press(webhooks.secret.submit);
    const second = await me.copied(webhooks.once.label);
    assert.notEqual(first, second);
    await me.follow(webhooks.once.done);
    await me.press(webhooks.detail.test);
    await me.readsSoon(webhooks.message.delivered);
    for (const secret of [first, second]) new Webhook(secret).verify(heardHere()[2].body, heardHere()[2].headers);
    await me.follow("Pager");
    await me.look("webhooks_detail");

    await me.follow(webhooks.detail.remove);
    await me.reads(say(webhooks.remove.lead, { name: "Pager" }));
    await me.press(webhooks.remove.submit);
    await me.reads(webhooks.flash.removed, webhooks.list.empty);
  },
});
