// Prompts and answers, from turning their keeping on to reading, taking and deleting them, and to turning it off.
import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";

import { journeys } from "./journeys.mjs";
import { CLAUDE, GATEWAY } from "./person.mjs";
import { say } from "./words.mjs";

journeys({
  async "prompts and answers"(me, { name }) {
    const { bodies, console } = me.words;
    const { setting, receipt } = bodies;
    await me.signUp(`keeper-${name}@example.com`);
    const key = await me.createKey("kept");
    await me.go(console.nav.settings);
    await me.follow(setting.title);
    await me.reads(setting.off, setting.who, setting.operators);
    await me.look("bodies_off");
    const days = say(setting.days, { count: 30 });
    await me.type(days, "31");
    await me.press(setting.turn_on);
    await me.isRefused(days);
    await me.type(days, "3");
    await me.press(setting.turn_on);
    await me.reads(bodies.flash.on);
    await me.look("bodies_on");

    const client = new Anthropic({ baseURL: GATEWAY, apiKey: key, maxRetries: 0 });
    const ask = (content) => client.messages.create({ model: CLAUDE, max_tokens: 64, messages: [{ role: "user", content }] }).withResponse();
    const { response } = await ask("scene:text <b>bold</b>");
    await me.go(console.nav.calls);
    await me.reads(say(bodies.calls.kept, { count: 3 }));
    await me.activate(me.page.locator(`main a[href$="/console/receipts/${response.headers.get("x-receipt-id")}"]`));
    await me.readsSoon("<b>bold</b>");
    await me.reads("你好🌍", say(receipt.status, { status: 200 }));
    await me.look("bodies_receipt");
    assert.match(await me.download(receipt.take_request), /"scene:text <b>bold<\/b>"/);
    await me.press(receipt.delete);
    await me.reads(bodies.flash.deleted, receipt.none);

    await me.go(console.nav.settings);
    await me.follow(setting.title);
    await me.press(setting.turn_off);
    await me.reads(bodies.flash.off, setting.off);
  },
});
