// The official Anthropic SDK for TypeScript, against both shapes of provider.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import { CLOCK, COSTLY, GATEWAY, KEY, MODELS, TEXT, WEATHER, assertChargedForWhatWasDelivered, resolvedReceipt } from "./gateway.mjs";

const client = new Anthropic({ baseURL: GATEWAY, apiKey: KEY, maxRetries: 0 });
const tools = [
  { name: "weather", description: "The weather in a city.", input_schema: WEATHER },
  { name: "clock", description: "The time in a zone.", input_schema: CLOCK },
];
const ask = (model, scene, more = {}) =>
  ({ model, max_tokens: 64, messages: [{ role: "user", content: `scene:${scene}` }], ...more });

function assertToolCalls(message) {
  assert.equal(message.stop_reason, "tool_use");
  assert.deepEqual(message.content.map((block) => block.type), ["text", "tool_use", "tool_use"]);
  const [, weather, clock] = message.content;
  assert.deepEqual([weather.name, weather.input], ["weather", { city: "Paris" }]);
  assert.deepEqual([clock.name, clock.input], ["clock", { zone: "Europe/Paris" }]);
  assert.notEqual(weather.id, clock.id);
}

for (const model of MODELS) {
  describe(`Anthropic SDK, ${model}`, () => {
    test("text", async () => {
      const message = await client.messages.create(ask(model, "text", { system: "Be brief." }));
      assert.equal(message.content[0].text, TEXT);
      assert.deepEqual([message.model, message.stop_reason], [model, "end_turn"]);
      assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [12, 5]);
    });

    test("stream", async () => {
      const message = await client.messages.stream(ask(model, "text")).finalMessage();
      assert.equal(message.content[0].text, TEXT);
      assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [12, 5]);
    });

    test("every event of a stream once and in order", async () => {
      const kinds = [];
      for await (const event of await client.messages.create(ask(model, "text", { stream: true }))) kinds.push(event.type);
      assert.deepEqual(kinds.filter((kind) => kind !== "ping"), ["message_start", "content_block_start",
        ...Array(3).fill("content_block_delta"), "content_block_stop", "message_delta", "message_stop"]);
    });

    test("parallel tools", async () => assertToolCalls(await client.messages.create(ask(model, "tools", { tools }))));

    test("parallel tools, streamed", async () =>
      assertToolCalls(await client.messages.stream(ask(model, "tools", { tools })).finalMessage()));

    test("tool round trip", async () => {
      const question = ask(model, "tools", { tools });
      const { content } = await client.messages.create(question);
      const results = content.filter((block) => block.type === "tool_use")
        .map(({ id, name }) => ({ type: "tool_result", tool_use_id: id, content: `${name} answered` }));
      const messages = [...question.messages, { role: "assistant", content }, { role: "user", content: results }];
      const answer = await client.messages.create({ ...question, messages });
      assert.equal(answer.content[0].text, "weather answered; clock answered");
    });

    for (const [status, expected] of [[400, Anthropic.BadRequestError], [429, Anthropic.RateLimitError],
      [500, Anthropic.InternalServerError], [529, Anthropic.InternalServerError]]) {
      test(`the provider's ${status} is typed and free`, async () => {
        const error = await client.messages.create(ask(model, `status-${status}`)).then(() => assert.fail("no error"), (e) => e);
        assert.ok(error instanceof expected, `${error}`);
        assert.equal((await resolvedReceipt(error.headers.get("x-receipt-id"))).charged.credits, "0.000");
      });
    }

    test("an error in a stream is raised", async () => {
      await assert.rejects(client.messages.stream(ask(model, "break")).finalMessage(), Anthropic.APIError);
    });

    test("cancellation after content charges what was delivered", async () => {
      const { data: stream, response } = await client.messages.create(ask(model, "slow", { stream: true })).withResponse();
      for await (const event of stream) if (event.type === "content_block_delta") break;
      stream.controller.abort();
      assertChargedForWhatWasDelivered(await resolvedReceipt(response.headers.get("x-receipt-id")));
    });

    test("a request sent again with its key is answered again, by the SDK's own retries too", async () => {
      const patient = client.withOptions({ maxRetries: 2 });
      const headers = { "idempotency-key": crypto.randomUUID() };
      await assert.rejects(patient.messages.create(ask(model, "status-500"), { headers }), Anthropic.InternalServerError);
      const first = await patient.messages.create(ask(model, "text"), { headers }).withResponse();
      const second = await patient.messages.create(ask(model, "text"), { headers }).withResponse();
      assert.equal(second.response.headers.get("idempotent-replay"), "true");
      assert.equal(second.response.headers.get("x-receipt-id"), first.response.headers.get("x-receipt-id"));
      assert.deepEqual(second.data.content, first.data.content);
      await assert.rejects(client.messages.create(ask(model, "slow", { stream: true }), { headers }), Anthropic.UnprocessableEntityError);
    });

    test("models are listed and found", async () => {
      const ids = [];
      for await (const listed of client.models.list({ limit: 5 })) ids.push(listed.id);
      assert.ok(ids.includes(model), ids.join());
      assert.equal((await client.models.retrieve(model)).id, model);
    });

    test("tokens are counted", async () => {
      const { input_tokens } = await client.messages.countTokens({ model, messages: [{ role: "user", content: "one" }], tools });
      assert.ok(input_tokens > 0);
    });
  });
}

describe("Anthropic SDK, refusals", () => {
  for (const [what, change, expected] of [
    ["an unknown model", { model: "no-such-model" }, Anthropic.NotFoundError],
    ["a call that cannot be paid", { model: COSTLY }, Anthropic.PaymentRequiredError],
    ["a broken request", { messages: [] }, Anthropic.BadRequestError],
  ]) {
    test(what, async () => {
      await assert.rejects(client.messages.create({ ...ask(MODELS[0], "text"), ...change }), expected);
    });
  }

  test("a wrong key", async () => {
    const stranger = new Anthropic({ baseURL: GATEWAY, apiKey: "sk-byts-wrong", maxRetries: 0 });
    await assert.rejects(stranger.messages.create(ask(MODELS[0], "text")), Anthropic.AuthenticationError);
  });
});
