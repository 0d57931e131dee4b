// A key in the hands of whoever holds it: derived from, limited, rotated, switched off and on, revoked; and what a program
// and a person are told when it is refused.
import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";

import { journeys } from "./journeys.mjs";
import { CLAUDE, GATEWAY } from "./person.mjs";
import { say } from "./words.mjs";

journeys({
  async "a tree of keys"(me, { name }) {
    const { keys, limits, console } = me.words;
    await me.signUp(`keeper-${name}@example.com`);
    await me.createKey("parent");
    await me.follow(keys.detail.derive);
    await me.reads(say(keys.create.derive_title, { name: "parent" }));
    await me.type(keys.create.name, "child");
    await me.type(keys.window.month, "0.5");
    await me.press(keys.create.submit);
    const child = await me.copied(keys.once.label);
    await me.look("keys_derived_once");
    await me.follow(keys.once.done);
    assert.equal((await call(child)).status, 200, "the derived key works");
    await me.go(console.nav.keys);
    assert.match(await me.page.locator("th.tree-1").innerText(), /child/, "it hangs below its parent");

    // A limit that leaves no room: the program is told which, and the person reads it where limits are.
    await me.follow("child");
    await me.unfold(keys.detail.change_limits);
    await me.type(keys.window.month, "5 dollars");
    await me.press(keys.detail.limits_submit);
    await me.isRefused(keys.window.month);
    await me.type(keys.window.month, "0.000017");
    await me.press(keys.detail.limits_submit);
    await me.reads(console.flash.limits_saved);
    const short = await call(child);
    assert.equal(short.status, 429);
    assert.match(short.message, /month limit of the key key_/, "the refusal names the limit that binds");
    await me.go(console.nav.limits);
    const node = say(keys.detail.node_named, { kind: keys.detail.node_key, name: "child" });
    await me.reads(node[0].toUpperCase() + node.slice(1), limits.page.refused_until.split("{")[0].trim());
    await me.look("limits_used_up");
    await me.go(console.nav.keys);
    await me.follow("child");
    await me.unfold(keys.detail.change_limits);
    await me.type(keys.window.month, "");
    await me.press(keys.detail.limits_submit);

    // A new secret beside the old one, which is then ended.
    await me.choose(keys.secret.overlap, say(keys.secret.overlap_hours, { n: 1 }));
    await me.press(keys.secret.rotate);
    const rotated = await me.copied(keys.once.label);
    await me.follow(keys.once.done);
    assert.deepEqual([(await call(child)).status, (await call(rotated)).status], [200, 200], "both work for a while");
    await me.follow("child");
    await me.press(keys.secret.end_now, { row: keys.secret.ends });
    await me.reads(console.flash.credential_ended);
    assert.deepEqual([(await call(child)).status, (await call(rotated)).status], [401, 200], "the old one is ended, the new one is not");

    // The parent switched off stops the child, and on again lets it go on; its networks bind the child.
    await me.go(console.nav.keys);
    await me.follow("parent");
    await me.press(keys.detail.disable);
    await me.reads(console.flash.key_disabled);
    assert.equal((await call(rotated)).status, 401);
    await me.press(keys.detail.enable);
    await me.reads(console.flash.key_enabled);
    assert.equal((await call(rotated)).status, 200);
    await me.follow(keys.detail.edit);
    await me.type(keys.create.ips, "not a network");
    await me.press(keys.edit.submit);
    await me.isRefused(keys.create.ips);
    await me.type(keys.create.ips, "203.0.113.0/24");
    await me.press(keys.edit.submit);
    await me.reads(console.flash.key_changed);
    assert.equal((await call(rotated)).status, 403);

    // Revoked, the child says so to its program and to whoever tests it.
    await me.go(console.nav.keys);
    await me.follow("child");
    await me.follow(keys.detail.revoke);
    await me.type(keys.revoke.confirm, "child");
    await me.press(keys.revoke.submit);
    await me.reads(console.flash.key_revoked);
    const refused = await call(rotated);
    assert.deepEqual([refused.status, refused.type], [401, "authentication_error"]);
    await me.follow(keys.list.check);
    await me.type(keys.check.key, rotated);
    await me.press(keys.check.submit);
    await me.reads(keys.check.revoked);
    await me.go(console.nav.keys);
    await me.follow(keys.list.ended_tab);
    await me.follow("child");
    await me.reads(keys.state.revoked, keys.detail.ended);
  },
});

/** One call with the key: its status, and what was said when it was refused. */
async function call(apiKey) {
  const client = new Anthropic({ baseURL: GATEWAY, apiKey, maxRetries: 0 });
  const asked = client.messages.create({ model: CLAUDE, max_tokens: 64, messages: [{ role: "user", content: "scene:text" }] });
  return asked.then(() => ({ status: 200 }), ({ status, message, error }) => ({ status, message, type: error?.error?.type }));
}
