// A person at the console, without a browser.
import assert from "node:assert/strict";

import { GATEWAY } from "./gateway.mjs";

export const PASSWORD = process.env.GATEWAY_PASSWORD;

/** Someone at a browser without scripts: cookies, pages and their forms. */
export class Person {
  cookies = new Map();

  static async signUp() {
    const person = new Person();
    const email = person.email = `${crypto.randomUUID()}@example.com`;
    const sent = await person.fill("/console/sign-up", { email, password: PASSWORD });
    await person.fill(unescape(sent.html.match(/href="([^"]*verify\?token=[^"]*)"/)[1]), {});
    await person.fill("/console/sign-in", { email, password: PASSWORD });
    return person;
  }

  async open(place, init = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(new URL(place, GATEWAY), { ...init, redirect: "manual", headers: { ...init.headers, cookie, origin: GATEWAY } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = set.match(/^([^=]+)=([^;]*)/);
      this.cookies.set(name, value);
    }
    const next = answer.headers.get("location");
    return next ? this.open(next) : { html: await answer.text(), url: answer.url, status: answer.status };
  }

  /** Opens a page and submits its form with these fields changed; with `part`, the form whose address contains it. */
  async fill(place, fields, part = "") {
    return this.submit(await this.open(place), fields, part);
  }

  submit({ html, url }, fields, part = "") {
    for (const [, action, inside] of html.matchAll(/<form method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)) {
      if (/\/theme|\/sign-out/.test(action) || !action.includes(part)) continue;
      const body = new URLSearchParams({ ...Object.fromEntries(inputs(inside)), ...fields });
      return this.open(unescape(action), { method: "POST", body });
    }
    assert.fail(`no form on ${url}`);
  }

  /** Follows a program's link, allows what it asks, and answers where the browser is sent back to. */
  async allow(address) {
    const { html } = await this.fill(address, { decision: "allow" });
    return unescape(html.match(/content="0; url=([^"]*)"/)[1]);
  }
}

function* inputs(inside) {
  for (const [tag] of inside.matchAll(/<input [^>]*>/g)) {
    const at = Object.fromEntries([...tag.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    if (at.type !== "checkbox" || / checked/.test(tag)) yield [at.name, unescape(at.value ?? "")];
  }
  for (const [, name, choices] of inside.matchAll(/<select [^>]*name="([^"]*)"[^>]*>([\s\S]*?)<\/select>/g)) {
    yield [name, (choices.match(/<option value="([^"]*)"[^>]* selected/) ?? choices.match(/<option value="([^"]*)"/))[1]];
  }
}

export const unescape = (text) => text.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#x27;", "'").replaceAll("&#39;", "'");
