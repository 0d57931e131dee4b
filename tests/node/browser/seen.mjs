// What a browser and the programs of a test are answered, written down for `with-product`, which searches it for secrets.
import { appendFileSync } from "node:fs";

import { GATEWAY } from "./person.mjs";

const TEXT = /^(text|application)\/(?!javascript|octet-stream)/;

function note(method, url, headers, body) {
  if (!process.env.GATEWAY_SEEN) return;
  const place = `${method} ${new URL(url).pathname}`;
  appendFileSync(process.env.GATEWAY_SEEN, `${JSON.stringify({ place, headers, body })}\n`);
}

/** Has every answer to this browser written down. */
export function watch(browser) {
  const open = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await open(options);
    reading.set(context, []);
    // What the page no longer has, because it went on, cannot be read any more.
    context.on("response", (response) => reading.get(context).push(read(response).catch(() => {})));
    return context;
  };
  return browser;
}

/** Waits for what is being written down. */
export const written = async (context) => { await Promise.all(reading.get(context).splice(0)); };

const reading = new WeakMap();

async function read(response) {
  if (!response.url().startsWith(GATEWAY)) return;
  const headers = (await response.headersArray()).map(({ name, value }) => [name, value]);
  const kind = response.headers()["content-type"] ?? "";
  // A redirect has no body, and a stream that goes on for ever never has all of it.
  const body = TEXT.test(kind) && kind !== "text/event-stream" ? await response.text() : "";
  note(response.request().method(), response.url(), headers, body);
}

/** `fetch`, written down too. */
export async function watchedFetch(input, init) {
  const answer = await fetch(input, init);
  if (answer.url.startsWith(GATEWAY)) note(init?.method ?? "GET", answer.url, [...answer.headers], await answer.clone().text());
  return answer;
}
