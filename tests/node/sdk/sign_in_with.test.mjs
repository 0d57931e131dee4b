// We are the OAuth client: signing in with oauth2-mock-server, an OpenID provider nobody here wrote, and with a GitHub that
// speaks as GitHub's documentation says. Everything goes through the front door; the product was started with both configured.
import assert from "node:assert/strict";
import { createHash, createHmac, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { OAuth2Server } from "oauth2-mock-server";

import { GATEWAY } from "./gateway.mjs";
import { Person, unescape } from "./person.mjs";

// The ports stand in the product's configuration (with_product.rs); the system gives none of them to outgoing connections.
const ISSUER = "http://localhost:19873";
const SECRET = "a secret of the mock provider";
const GITHUB = 19874;
const provider = new OAuth2Server();
const github = fakeGitHub();

before(async () => {
  await provider.issuer.keys.generate("RS256");
  await provider.start(19873);
  provider.issuer.url = ISSUER;
  await new Promise((resolve, reject) => github.once("error", reject).listen(GITHUB, "127.0.0.1", resolve));
});
after(async () => {
  await provider.stop();
  github.close();
});

/** Somebody at the provider whose address it has verified. */
const somebody = () => ({ sub: randomUUID(), email: `${randomUUID()}@example.com`, email_verified: true, name: "Ada" });

/** The page that leads to the provider, and where it leads. */
async function sendOut(person, form = "/console/auth/mock", page = "/console/sign-in") {
  const onward = await person.fill(page, {}, form);
  assert.equal(onward.status, 200, "a redirect would be held to form-action");
  return unescape(onward.html.match(/content="0; url=([^"]*)"/)[1]);
}

/** What the provider says while `run` runs: `claims` in its tokens, and whatever else `hooks` change. */
async function saying(claims, run, hooks = {}) {
  const all = { beforeTokenSigning: (token) => Object.assign(token.payload, claims), ...hooks };
  for (const [event, hook] of Object.entries(all)) provider.service.on(event, hook);
  try {
    return await run();
  } finally {
    for (const [event, hook] of Object.entries(all)) provider.service.off(event, hook);
  }
}

/** Goes to the provider and is sent back: the address of our callback, with a code. */
async function consent(address) {
  const answer = await fetch(address, { redirect: "manual" });
  assert.equal(answer.status, 302);
  return answer.headers.get("location");
}

async function signIn(person, claims, hooks) {
  return saying(claims, async () => person.open(await consent(await sendOut(person))), hooks);
}

const isIn = async (person) => (await person.open("/console")).url.endsWith("/console");

test("2.14: what is sent out has PKCE S256, a state and a nonce, and an address from the configuration", async () => {
  const address = new URL(await sendOut(new Person()));
  const sent = Object.fromEntries(address.searchParams);
  assert.equal(address.origin, ISSUER);
  assert.equal(sent.redirect_uri, `${GATEWAY}/console/auth/mock/callback`);
  assert.equal(sent.code_challenge_method, "S256");
  assert.match(sent.code_challenge, /^[A-Za-z0-9_-]{43}$/);
  assert.match(sent.state, /^[A-Za-z0-9]{43}$/);
  assert.match(sent.nonce, /^[A-Za-z0-9]{43}$/);
  assert.notEqual(sent.state, sent.nonce);
});

test("2.14: a new account, found again by its subject whatever its address is now", async () => {
  const who = somebody();
  const first = new Person();
  const landed = await signIn(first, who);
  assert.ok(landed.url.endsWith("/console"), landed.url);
  assert.ok((await first.open("/console/settings")).html.includes(who.email));
  const again = new Person();
  await signIn(again, { ...who, email: `${randomUUID()}@example.com` });
  assert.ok((await again.open("/console/settings")).html.includes(who.email));
});

test("2.14: an address that has an account here opens nothing, and is linked from inside", async () => {
  const owner = await Person.signUp();
  const who = { ...somebody(), email: owner.email };
  const stranger = new Person();
  const refused = await signIn(stranger, who);
  assert.equal(refused.status, 400);
  assert.ok(refused.html.includes("already an account"));
  assert.equal(await isIn(stranger), false);

  const address = await sendOut(owner, "/identities/mock/link", "/console/settings/security");
  const linked = await saying(who, async () => owner.open(await consent(address)));
  assert.ok(linked.html.includes("Unlink"), "the settings show it");
  const elsewhere = new Person();
  await signIn(elsewhere, who);
  assert.ok((await elsewhere.open("/console/settings")).html.includes(owner.email));

  const unlinked = await owner.fill("/console/settings/security", {}, "/identities/mock/unlink");
  assert.ok(!unlinked.html.includes("Unlink"));
  assert.equal((await signIn(new Person(), who)).status, 400, "it opens the account no more");
});

test("2.14: the last way in cannot be unlinked", async () => {
  const person = new Person();
  await signIn(person, somebody());
  const { html } = await person.open("/console/settings/security");
  assert.ok(html.includes("Your only way in") && !html.includes("/identities/mock/unlink"));
});

test("2.14: an answer is taken once, in the browser that was sent, from the provider it was sent to", async () => {
  const who = somebody();
  await saying(who, async () => {
    const [person, thief] = [new Person(), new Person()];
    const back = await consent(await sendOut(person));
    assert.equal((await thief.open(back)).status, 400, "another browser");
    assert.equal((await person.open(back)).status, 200);
    const again = new Person();
    again.cookies = new Map(person.cookies);
    assert.equal((await again.open(back)).status, 400, "a second time");

    const mixed = new Person();
    const other = (await consent(await sendOut(mixed))).replace("/auth/mock/", "/auth/github/");
    assert.equal((await mixed.open(other)).status, 400, "another provider");
    const forged = new URL(await consent(await sendOut(mixed)));
    forged.searchParams.set("state", "x".repeat(43));
    assert.equal((await mixed.open(forged.href)).status, 400, "a state of their own");
    assert.equal(await isIn(mixed), false);
  });
});

test("2.14: a refusal over there is one of our texts, and nothing of it is repeated", async () => {
  const person = new Person();
  const back = new URL(await consent(await sendOut(person)));
  back.searchParams.delete("code");
  back.searchParams.set("error", "access_denied");
  back.searchParams.set("error_description", "<b>call 555-0100</b>");
  const page = await person.open(back.href);
  assert.equal(page.status, 400);
  assert.ok(!page.html.includes("555-0100") && !page.html.includes("access_denied"));
});

const hour = 3600;
const now = () => Math.floor(Date.now() / 1000);
const WRONG_CLAIMS = {
  "another issuer": () => ({ iss: "http://localhost:1" }),
  "its issuer with a slash": () => ({ iss: `${ISSUER}/` }),
  "another audience": () => ({ aud: "somebody-else" }),
  "two audiences and none of them authorised": () => ({ aud: ["bytespike", "somebody-else"] }),
  "another authorised party": () => ({ azp: "somebody-else" }),
  "an old token": () => ({ exp: now() - hour, iat: now() - 2 * hour }),
  "a token of the future": () => ({ iat: now() + hour, exp: now() + 2 * hour }),
  "another nonce": () => ({ nonce: "x".repeat(43) }),
  "no nonce": () => ({ nonce: undefined }),
  "no subject": () => ({ sub: "" }),
};

for (const [what, wrong] of Object.entries(WRONG_CLAIMS)) {
  test(`2.14: refused: ${what}`, async () => {
    const person = new Person();
    const page = await signIn(person, { ...somebody(), ...wrong() });
    assert.equal(page.status, 400);
    assert.ok(page.html.includes("could not be verified"), page.html.slice(0, 200));
    assert.equal(await isIn(person), false);
  });
}

for (const email_verified of [false, "false", undefined]) {
  test(`2.14: refused: an address whose verification is ${JSON.stringify(email_verified)}`, async () => {
    const person = new Person();
    const page = await signIn(person, { ...somebody(), email_verified });
    assert.ok(page.status === 400 && page.html.includes("not verified"));
    assert.equal(await isIn(person), false);
  });
}

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const FORGED = {
  "without a signature": (payload) => `${base64({ alg: "none" })}.${base64(payload)}.`,
  "signed with our own secret": (payload) => {
    const text = `${base64({ alg: "HS256" })}.${base64(payload)}`;
    return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
  },
  "whose payload was changed": (payload, token) => {
    const [head, , signature] = token.split(".");
    return `${head}.${base64({ ...payload, sub: "victim" })}.${signature}`;
  },
  "signed with a key nobody published": (payload, token) => {
    const [, body, signature] = token.split(".");
    return `${base64({ alg: "RS256", kid: "unknown" })}.${body}.${signature}`;
  },
  "that is missing": () => undefined,
};

for (const [what, forge] of Object.entries(FORGED)) {
  test(`2.14: refused: an ID token ${what}`, async () => {
    const person = new Person();
    const forgeIt = ({ body }) => {
      const payload = JSON.parse(Buffer.from(body.id_token.split(".")[1], "base64url"));
      body.id_token = forge(payload, body.id_token);
    };
    const page = await signIn(person, somebody(), { beforeResponse: forgeIt });
    assert.ok(page.status === 400 && page.html.includes("could not be verified"));
    assert.equal(await isIn(person), false);
  });
}

test("2.14: a profile of somebody else does not lend its address", async () => {
  const { email, email_verified, ...who } = somebody();
  const other = ({ body }) => Object.assign(body, { sub: "somebody-else", email, email_verified });
  assert.equal((await signIn(new Person(), who, { beforeUserinfo: other })).status, 400);
  const own = ({ body }) => Object.assign(body, { sub: who.sub, email, email_verified });
  assert.equal((await signIn(new Person(), who, { beforeUserinfo: own })).status, 200);
});

test("2.14: an answer that names another issuer is refused", async () => {
  await saying(somebody(), async () => {
    const person = new Person();
    const back = new URL(await consent(await sendOut(person)));
    back.searchParams.set("iss", "http://localhost:1");
    assert.equal((await person.open(back.href)).status, 400);
    const right = new URL(await consent(await sendOut(person)));
    right.searchParams.set("iss", ISSUER);
    assert.equal((await person.open(right.href)).status, 200);
  });
});

test("2.14: GitHub: the number is the account, and only its primary, verified address counts", async () => {
  const mail = `${randomUUID()}@example.com`;
  github.profile = { user: { id: 583231, login: "octocat", name: null }, emails: [
    { email: `${randomUUID()}@example.com`, primary: false, verified: true },
    { email: mail, primary: true, verified: true },
  ] };
  const person = new Person();
  await person.open(await consent(await sendOut(person, "/console/auth/github")));
  assert.ok((await person.open("/console/settings")).html.includes(mail));
  assert.equal(github.challenged, true, "the verifier matched the challenge");

  github.profile = { user: { id: 583232, login: "eve", name: "Eve" }, emails: [
    { email: `${randomUUID()}@example.com`, primary: true, verified: false },
    { email: `${randomUUID()}@example.com`, primary: false, verified: true },
  ] };
  const eve = new Person();
  const page = await eve.open(await consent(await sendOut(eve, "/console/auth/github")));
  assert.ok(page.status === 400 && page.html.includes("not verified"));
});

/** GitHub's authorization and token endpoints, and the two of its API that are asked. */
function fakeGitHub() {
  const challenges = new Map();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://127.0.0.1:${GITHUB}`);
    const json = (body) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (url.pathname === "/login/oauth/authorize") {
      const code = randomUUID();
      challenges.set(code, url.searchParams.get("code_challenge"));
      const back = new URL(url.searchParams.get("redirect_uri"));
      back.searchParams.set("code", code);
      back.searchParams.set("state", url.searchParams.get("state"));
      return response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === "/login/oauth/access_token") {
      const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
      const digest = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      server.challenged = challenges.get(form.get("code")) === digest;
      return json({ access_token: "gho_token", token_type: "bearer", scope: "read:user,user:email" });
    }
    if (request.headers.authorization !== "Bearer gho_token") return response.writeHead(401).end();
    if (url.pathname === "/user") return json(server.profile.user);
    if (url.pathname === "/user/emails") return json(server.profile.emails);
    return response.writeHead(404).end();
  });
  return server;
}
