// The running gateway that the suites talk to; `tests/run sdk` starts it beside scripted providers of both shapes.
import assert from "node:assert/strict";

export const GATEWAY = required("GATEWAY_URL");
export const KEY = required("GATEWAY_KEY");
// One model behind an Anthropic-shaped provider, one behind an OpenAI-shaped provider.
export const MODELS = required("GATEWAY_MODELS").split(",");
// A model that nobody here can pay for.
export const COSTLY = required("GATEWAY_COSTLY_MODEL");

export const TEXT = "Hello from the scripted provider. 你好🌍";
export const WEATHER = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const CLOCK = { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] };

function required(name) {
  return process.env[name] ?? assert.fail(`${name} is not set; start this suite with tests/run sdk`);
}

/** The receipt once its call is over. A call that was hung up on is resolved a moment later. */
export async function resolvedReceipt(id) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 50))) {
    const answer = await fetch(`${GATEWAY}/v1/receipts/${id}`, { headers: { "x-api-key": KEY } });
    const receipt = await answer.json();
    if (["settled", "released", "expired"].includes(receipt.outcome)) return receipt;
  }
  assert.fail(`receipt ${id} was not resolved in time`);
}

export function assertChargedForWhatWasDelivered(receipt) {
  const [charged, held] = [Number(receipt.charged.credits), Number(receipt.held.credits)];
  assert.ok(charged > 0 && charged <= held, `charged ${charged} of ${held}`);
}
