// The official OpenAI SDK for TypeScript, against both shapes of provider.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import OpenAI from "openai";

import { CLOCK, COSTLY, GATEWAY, KEY, MODELS, TEXT, WEATHER, assertChargedForWhatWasDelivered, resolvedReceipt } from "./gateway.mjs";

const client = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: KEY, maxRetries: 0 });
const tools = [
  { type: "function", function: { name: "weather", description: "The weather in a city.", parameters: WEATHER } },
  { type: "function", function: { name: "clock", description: "The time in a zone.", parameters: CLOCK } },
];
const ask = (model, scene, more = {}) =>
  ({ model, max_tokens: 64, messages: [{ role: "user", content: `scene:${scene}` }], ...more });

function assertToolCalls({ finish_reason, message }) {
  assert.equal(finish_reason, "tool_calls");
  assert.equal(message.content, "Looking.");
  const [weather, clock] = message.tool_calls;
  assert.deepEqual([weather.function.name, JSON.parse(weather.function.arguments)], ["weather", { city: "Paris" }]);
  assert.deepEqual([clock.function.name, JSON.parse(clock.function.arguments)], ["clock", { zone: "Europe/Paris" }]);
  assert.notEqual(weather.id, clock.id);
}

for (const model of MODELS) {
  describe(`OpenAI SDK, ${model}`, () => {
    test("text", async () => {
      const completion = await client.chat.completions.create(ask(model, "text"));
      assert.equal(completion.choices[0].message.content, TEXT);
      assert.deepEqual([completion.model, completion.choices[0].finish_reason], [model, "stop"]);
      assert.deepEqual([completion.usage.prompt_tokens, completion.usage.completion_tokens], [12, 5]);
    });

    for (const [options, usageChunks] of [[{}, 0], [{ stream_options: { include_usage: false } }, 0],
      [{ stream_options: { include_usage: true } }, 1]]) {
      test(`a stream with ${JSON.stringify(options)} shows usage ${usageChunks} times`, async () => {
        const chunks = [];
        for await (const chunk of await client.chat.completions.create(ask(model, "text", { stream: true, ...options }))) chunks.push(chunk);
        assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), TEXT);
        assert.equal(chunks.filter((chunk) => chunk.usage).length, usageChunks);
        assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
      });
    }

    test("parallel tools", async () =>
      assertToolCalls((await client.chat.completions.create(ask(model, "tools", { tools }))).choices[0]));

    test("parallel tools, streamed", async () =>
      assertToolCalls((await client.chat.completions.stream(ask(model, "tools", { tools })).finalChatCompletion()).choices[0]));

    test("tool round trip", async () => {
      const question = ask(model, "tools", { tools });
      const { message } = (await client.chat.completions.create(question)).choices[0];
      const results = message.tool_calls.map((call) =>
        ({ role: "tool", tool_call_id: call.id, content: `${call.function.name} answered` }));
      const answer = await client.chat.completions.create({ ...question, messages: [...question.messages, message, ...results] });
      assert.equal(answer.choices[0].message.content, "weather answered; clock answered");
    });

    for (const [status, expected] of [[400, OpenAI.BadRequestError], [429, OpenAI.RateLimitError],
      [500, OpenAI.InternalServerError], [529, OpenAI.InternalServerError]]) {
      test(`the provider's ${status} is typed and free`, async () => {
        const error = await client.chat.completions.create(ask(model, `status-${status}`)).then(() => assert.fail("no error"), (e) => e);
        assert.ok(error instanceof expected, `${error}`);
        assert.equal((await resolvedReceipt(error.headers.get("x-receipt-id"))).charged.credits, "0.000");
      });
    }

    test("an error in a stream is raised", async () => {
      const stream = await client.chat.completions.create(ask(model, "break", { stream: true }));
      await assert.rejects((async () => { for await (const _ of stream); })(), OpenAI.APIError);
    });

    test("cancellation after content charges what was delivered", async () => {
      const { data: stream, response } = await client.chat.completions.create(ask(model, "slow", { stream: true })).withResponse();
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
      stream.controller.abort();
      assertChargedForWhatWasDelivered(await resolvedReceipt(response.headers.get("x-receipt-id")));
    });

    test("a request sent again with its key is answered again, by the SDK's own retries too", async () => {
      const patient = client.withOptions({ maxRetries: 2 });
      const headers = { "idempotency-key": crypto.randomUUID() };
      await assert.rejects(patient.chat.completions.create(ask(model, "status-500"), { headers }), OpenAI.InternalServerError);
      const first = await patient.chat.completions.create(ask(model, "text"), { headers }).withResponse();
      const second = await patient.chat.completions.create(ask(model, "text"), { headers }).withResponse();
      assert.equal(second.response.headers.get("idempotent-replay"), "true");
      assert.equal(second.response.headers.get("x-receipt-id"), first.response.headers.get("x-receipt-id"));
      assert.deepEqual(second.data.choices, first.data.choices);
      await assert.rejects(client.chat.completions.create(ask(model, "slow", { stream: true }), { headers }), OpenAI.UnprocessableEntityError);
    });

    test("models are listed and found", async () => {
      const ids = [];
      for await (const listed of client.models.list()) ids.push(listed.id);
      assert.ok(ids.includes(model), ids.join());
      assert.equal((await client.models.retrieve(model)).id, model);
    });
  });
}

describe("OpenAI SDK, refusals", () => {
  for (const [what, change, status] of [
    ["an unknown model", { model: "no-such-model" }, 404],
    ["a call that cannot be paid", { model: COSTLY }, 402],
    ["a broken request", { messages: [] }, 400],
  ]) {
    test(what, async () => {
      const error = await client.chat.completions.create({ ...ask(MODELS[0], "text"), ...change }).then(() => assert.fail("no error"), (e) => e);
      assert.ok(error instanceof OpenAI.APIError);
      assert.equal(error.status, status);
    });
  }

  test("a wrong key", async () => {
    const stranger = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: "sk-byts-wrong", maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create(ask(MODELS[0], "text")), OpenAI.AuthenticationError);
  });
});
