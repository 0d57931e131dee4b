// Sign in with ByteSpike, as a person decides about it: a program with a cap of its own by code, a device by its code, and
// both cut off again. The program is oauth4webapi, which checks every answer against the standards.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before } from "node:test";

import Anthropic from "@anthropic-ai/sdk";
import * as oauth from "oauth4webapi";

import { journeys } from "./journeys.mjs";
import { CLAUDE, GATEWAY } from "./person.mjs";
import { watchedFetch } from "./seen.mjs";
import { say } from "./words.mjs";

const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: watchedFetch };
const client = { client_id: "dosia-desktop", token_endpoint_auth_method: "none" };
let server;

/** The program's own address on this machine, where the browser comes back to. */
const back = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><html lang=en><title>Done</title>"));
let redirect;

before(async () => {
  await new Promise((done) => back.listen(0, "127.0.0.1", done));
  redirect = `http://127.0.0.1:${back.address().port}/callback`;
  const issuer = new URL(GATEWAY);
  server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...options }));
});
after(() => back.close());

journeys({
  async "a program with a cap, and its end"(me, { name }) {
    const { oauth: words, limits, keys, console } = me.words;
    await me.signUp(`allower-${name}@example.com`);
    const { address, finish } = await ask("profile models:read keys:provision offline_access");
    await me.open(address);
    await me.reads(say(words.consent.title, { program: "DOSIA" }), words.scope.keys_provision, words.consent.spends, me.email);
    await me.look("oauth_consent");
    await me.type(words.consent.month_limit, "0");
    await me.press(words.consent.allow);
    await me.isRefused(words.consent.month_limit);
    await me.look("oauth_consent_refused");
    await me.type(words.consent.month_limit, "2.50");
    await me.choose(words.consent.expiry, say(keys.create.expiry_days, { days: 30 }));
    await me.press(words.consent.allow);
    await me.page.waitForURL(`${redirect}?*`);
    const tokens = await finish(new URL(me.page.url()));
    assert.equal(tokens.authorization_details[0].spend_limit.amount, "2.500000000", "the cap that was chosen");

    const made = await (await bearer("POST", "/v1/oauth/keys", tokens, { label: "DOSIA on a laptop" })).json();
    assert.equal(made.limits[0].limit_credits, "2500000.000");
    const calls = new Anthropic({ baseURL: GATEWAY, apiKey: made.key, maxRetries: 0 });
    const call = () => calls.messages.create({ model: CLAUDE, max_tokens: 64, messages: [{ role: "user", content: "scene:text" }] });
    await call();

    await me.open("/console/limits");
    await me.reads("$2.50", limits.page.room);
    await me.go(console.nav.apps);
    await me.reads("DOSIA", words.scope.offline_access, words.apps.keys);
    await me.look("oauth_app");
    await me.press(words.apps.disconnect);
    await me.reads(console.flash.app_disconnected, words.apps.empty);
    await assert.rejects(call(), { status: 401 }, "its key ended with it");
    const dead = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, options);
    await assert.rejects(oauth.processRefreshTokenResponse(server, client, dead), { error: "invalid_grant" });
  },

  async "a program that is denied"(me, { name }) {
    const { oauth: words } = me.words;
    await me.signUp(`denier-${name}@example.com`);
    const { address, finish } = await ask("profile");
    await me.open(address);
    await me.press(words.consent.deny);
    await me.page.waitForURL(`${redirect}?*`);
    await assert.rejects(async () => finish(new URL(me.page.url())), { error: "access_denied" });
    await me.open(address.replace(/state=[^&]*/, "state=again").replace("127.0.0.1%3A", "127.0.0.2%3A"));
    await me.reads(words.refused.redirect_uri);
  },

  async "a device, and its end"(me, { name, number }) {
    const { oauth: words, console } = me.words;
    await me.signUp(`pairer-${name}@example.com`);
    const asked = await oauth.deviceAuthorizationRequest(server, client, oauth.None(), new URLSearchParams({ scope: "profile keys:provision" }), options);
    const codes = await oauth.processDeviceAuthorizationResponse(server, client, asked);
    const poll = async () => oauth.processDeviceCodeResponse(server, client,
      await oauth.deviceCodeGrantRequest(server, client, oauth.None(), codes.device_code, options));
    await assert.rejects(poll(), { error: "authorization_pending" });

    await me.open(codes.verification_uri);
    // From one network few codes may be tried.
    if (number === 0) {
      await me.type(words.device.code, "BBBB-BBBB");
      await me.press(words.device.submit);
      await me.isRefused(words.device.code);
    }
    await me.type(words.device.code, codes.user_code.toLowerCase());
    await me.press(words.device.submit);
    await me.reads(say(words.device.in_front, { code: codes.user_code }), "127.0.0.1");
    await me.look("oauth_device_decide");
    await me.type(words.consent.month_limit, "3");
    await me.press(words.consent.allow);
    await me.reads(words.device.allowed_title, say(words.device.allowed, { program: "DOSIA" }));
    await me.look("oauth_device_allowed");
    const tokens = await poll();
    assert.equal(tokens.scope, "profile keys:provision");
    assert.equal((await bearer("GET", "/v1/me", tokens)).status, 200);
    await me.follow(words.device.to_apps);
    await me.press(words.apps.disconnect);
    await me.reads(console.flash.app_disconnected);
    await assert.rejects(bearer("GET", "/v1/me", tokens), { status: 401 });
  },
});

/** A request of the program: where the browser is sent, and what becomes of where it comes back. */
async function ask(scope) {
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: redirect, response_type: "code", state, scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const finish = async (place) => {
    const parameters = oauth.validateAuthResponse(server, client, place, state);
    const answer = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, redirect, verifier, options);
    return oauth.processAuthorizationCodeResponse(server, client, answer);
  };
  return { address: address.href, finish };
}

function bearer(method, path, tokens, body) {
  const headers = new Headers({ "content-type": "application/json", "idempotency-key": crypto.randomUUID() });
  const text = body && JSON.stringify(body);
  return oauth.protectedResourceRequest(tokens.access_token, method, new URL(path, GATEWAY), method === "GET" ? undefined : headers, text, options);
}
