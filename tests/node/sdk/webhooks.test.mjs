// The library of Standard Webhooks, which nobody here wrote, verifies what a real receiver gets.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { GATEWAY } from "./gateway.mjs";

const KEY = process.env.GATEWAY_MANAGER_KEY;
const PORT = 19875;
const received = [];
const waiting = [];
const server = createServer((request, answer) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer.end("thank you");
    waiting.splice(0).forEach((told) => told());
  });
});

before(() => new Promise((done) => server.listen(PORT, "127.0.0.1", done)));
after(() => server.close());

async function ask(method, path, body) {
  const headers = { "x-api-key": KEY, ...(body && { "content-type": "application/json" }) };
  const answer = await fetch(`${GATEWAY}/api/v1/webhooks${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

/** The next message that the receiver gets after `count` of them. */
async function next(count) {
  while (received.length <= count) await new Promise((told) => waiting.push(told));
  return received[count];
}

test("a message verifies with the secret, with both while one replaces the other, and with no other", async () => {
  const hook = await ask("POST", "", { url: `http://127.0.0.1:${PORT}/hook` });
  await ask("POST", `/${hook.id}/test`);
  const first = await next(0);
  const event = new Webhook(hook.secret).verify(first.body, first.headers);
  assert.equal(event.type, "webhook.test");
  assert.equal(event.id, first.headers["webhook-id"]);
  assert.throws(() => new Webhook(hook.secret).verify(first.body.replace("test", "best"), first.headers));

  const { secret } = await ask("POST", `/${hook.id}/rotate`, { overlap_seconds: 3600 });
  await ask("POST", `/${hook.id}/test`);
  const second = await next(1);
  for (const valid of [hook.secret, secret]) new Webhook(valid).verify(second.body, second.headers);
  assert.throws(() => new Webhook(secret).verify(first.body, first.headers), "it was signed before the secret was made");

  const last = await ask("POST", `/${hook.id}/rotate`, { overlap_seconds: 0 });
  const { data } = await ask("GET", `/${hook.id}/messages`);
  await ask("POST", `/${hook.id}/messages/${data.at(-1).id}/resend`);
  const third = await next(2);
  assert.equal(third.headers["webhook-id"], first.headers["webhook-id"]);
  assert.equal(new Webhook(last.secret).verify(third.body, third.headers).id, event.id);
  assert.throws(() => new Webhook(secret).verify(third.body, third.headers), "a replaced secret signs nothing");
  await ask("DELETE", `/${hook.id}`);
});
