// oauth4webapi, a third-party OAuth client that checks every answer against the standards, signs in with ByteSpike.
import assert from "node:assert/strict";
import { before, test } from "node:test";

import * as oauth from "oauth4webapi";

import { GATEWAY } from "./gateway.mjs";
import { Person, unescape } from "./person.mjs";

const REDIRECT = "http://127.0.0.1:19872/callback";
const options = { [oauth.allowInsecureRequests]: true };
const client = { client_id: "dosia-desktop", token_endpoint_auth_method: "none" };
let server;

before(async () => {
  const issuer = new URL(GATEWAY);
  const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...options });
  server = await oauth.processDiscoveryResponse(issuer, found);
});

test("the code flow with PKCE, state and issuer, and a refresh", async () => {
  const person = await Person.signUp();
  const tokens = await signIn(person);
  assert.equal(tokens.token_type, "bearer");
  const me = await oauth.protectedResourceRequest(tokens.access_token, "GET", new URL("/v1/me", GATEWAY), undefined, undefined, options);
  assert.equal((await me.json()).client_id, client.client_id);
  const again = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, options);
  const renewed = await oauth.processRefreshTokenResponse(server, client, again);
  assert.notEqual(renewed.refresh_token, tokens.refresh_token);
});

test("a replayed refresh token is refused and ends the family", async () => {
  const person = await Person.signUp();
  const { refresh_token: first } = await signIn(person);
  const refresh = async (token) => oauth.processRefreshTokenResponse(server, client,
    await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, options));
  const second = await refresh(first);
  const third = await refresh(second.refresh_token);
  await assert.rejects(refresh(first), { error: "invalid_grant" });
  await assert.rejects(refresh(third.refresh_token), { error: "invalid_grant" });
});

test("a revocation and a device code", async () => {
  const person = await Person.signUp();
  const { access_token } = await signIn(person);
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, oauth.None(), access_token, options));
  await assert.rejects(
    oauth.protectedResourceRequest(access_token, "GET", new URL("/v1/me", GATEWAY), undefined, undefined, options),
    (error) => error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401);

  const asked = await oauth.deviceAuthorizationRequest(server, client, oauth.None(), new URLSearchParams({ scope: "profile" }), options);
  const codes = await oauth.processDeviceAuthorizationResponse(server, client, asked);
  const poll = async () => oauth.processDeviceCodeResponse(server, client,
    await oauth.deviceCodeGrantRequest(server, client, oauth.None(), codes.device_code, options));
  await assert.rejects(poll(), { error: "authorization_pending" });
  const shown = await person.fill(codes.verification_uri_complete, {});
  await person.submit(shown, { decision: "allow" });
  assert.equal((await poll()).scope, "profile");
});

async function signIn(person) {
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: REDIRECT, response_type: "code", state, scope: "profile offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const back = new URL(await person.allow(address.href));
  const parameters = oauth.validateAuthResponse(server, client, back, state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, REDIRECT, verifier, options);
  return oauth.processAuthorizationCodeResponse(server, client, answer);
}
