// Every page there is, public and signed in, found by following the links from where people come in.
import { GATEWAY, at } from "./person.mjs";

/** Pages that must be found, so that a page nothing leads to is noticed. */
const PUBLIC = ["/", "/pricing", "/pricing/history", "/docs", "/docs/quickstart", "/docs/authentication", "/docs/billing", "/docs/errors", "/blog",
  "/console/sign-up", "/console/sign-in", "/console/forgot"];
const SIGNED_IN = ["/console", "/console/keys", "/console/keys/new", "/console/keys/check", "/console/limits", "/console/models", "/console/calls", "/console/wallet", "/console/wallet/billing", "/console/wallet/recharge",
  "/console/settings", "/console/settings/security", "/console/settings/bodies", "/console/settings/data", "/console/orgs", "/console/members", "/console/members/invite", "/console/service-accounts",
  "/console/service-accounts/new", "/console/deployments", "/console/deployments/new", "/console/audit",
  "/console/webhooks", "/console/webhooks/new", "/console/notices", "/console/usage"];

/** Of operators. */
const ADMIN = ["/admin", "/admin/orgs", "/admin/users", "/admin/channels", "/admin/channels/new", "/admin/prices", "/admin/books", "/admin/audit", "/admin/account",
  "/admin/credits", "/admin/vouchers", "/admin/announcements", "/admin/announcements/new", "/admin/switches", "/admin/sign-ups", "/admin/retention", "/admin/prices/rules"];

/** Names and paths of the pages that anyone sees, and the must-haves that no link leads to. */
export async function publicPages(locale) {
  const paths = await crawl(async (url) => {
    const answer = await fetch(url, { redirect: "manual" });
    return { status: answer.status, html: await answer.text() };
  }, locale, "/");
  const unlinked = ["/docs/search?q=hold", "/docs/search?q=xyzzy", "/docs/no-such-page", "/no-such-page", "/console/resend",
    "/console/check-mail", "/pricing?q=xyzzy", "/pricing?kind=image&currency=cny"];
  return { pages: named([...new Set([...paths, ...unlinked])]), lost: PUBLIC.filter((path) => !paths.includes(path)) };
}

/** The same for someone who has a key and has made calls. */
export async function consolePages(page, locale) {
  const paths = await crawl(async (url) => {
    const answer = await page.request.get(url, { maxRedirects: 0 });
    return { status: answer.status(), html: await answer.text() };
  }, locale, "/console");
  // Whoever has only one organisation is not led to leaving it.
  const unlinked = ["/console/no-such-page", "/console/members/leave", "/console/settings/security/passkeys/new", "/console/calls?outcome=not-billed", "/console/calls?model=xyzzy", "/console/keys?show=ended", "/console/keys?tag=prod",
    "/console/usage?period=24h&group=key&measure=tokens", "/console/usage?group=outcome&measure=requests", "/console/usage?group=tag"];
  return { pages: named([...paths, ...unlinked]), lost: SIGNED_IN.filter((path) => !paths.includes(path)) };
}

/** The operators' pages, for an operator who signed in. */
export async function adminPages(page, locale, model) {
  const paths = await crawl(async (url) => {
    const answer = await page.request.get(url, { maxRedirects: 0 });
    return { status: answer.status(), html: await answer.text() };
  }, locale, "/admin");
  const unlinked = ["/admin/no-such-page", "/admin/prices/preview", `/admin/prices/model?id=${model}`, "/admin/prices/model?id=claude", "/admin/orgs?q=xyzzy", "/admin/users?q=xyzzy", "/admin/audit?event=operator."];
  return { pages: named([...paths, ...unlinked]), lost: ADMIN.filter((path) => !paths.includes(path)) };
}

/**
 * Follows links within a language, and below where it starts. What leads elsewhere by itself is no page.
 * Of pages that are alike, such as those of single models, one is enough.
 */
async function crawl(read, locale, start) {
  const [seen, leadElsewhere] = [new Set([start]), new Set()];
  for (const path of seen) {
    const { status, html } = await read(at(locale, path));
    if (status >= 300 && status < 400) leadElsewhere.add(path);
    for (const [, link] of html.matchAll(/<a\s[^>]*href="([^"#]+)/g)) {
      const found = pathOf(link, locale);
      if (found?.startsWith(start) && !ALIKE.some((alike) => alike.test(found) && [...seen].some((path) => alike.test(path)))) seen.add(found);
    }
  }
  return [...seen].filter((path) => !leadElsewhere.has(path));
}

const ALIKE = [/^\/pricing\/(?!history$)./, /^\/admin\/orgs\/./, /^\/admin\/users\/./, /^\/admin\/channels\/(?!new$)./, /^\/admin\/announcements\/(?!new$)./, /^\/admin\/vouchers\/batches\/./];

/** The path of a page of this language, without its language. */
function pathOf(link, locale) {
  const url = new URL(link.replaceAll("&amp;", "&"), `${GATEWAY}/`);
  const [, zh, path] = url.pathname.match(/^(\/zh(?=\/|$))?(.*)$/);
  const isPage = url.origin === GATEWAY && url.search === "" && !/\/(json|csv)$|\.[a-z]{2,4}$|^\/v1\/|^\/_a\//.test(path);
  if (isPage && (zh !== undefined) === (locale === "zh")) return path || "/";
}

/** Ids differ from run to run, so they are numbered in file names. */
function named(paths) {
  const counts = new Map();
  return paths.map((path) => {
    const plain = path.replace(/(key_|rcp_|k_|org_|usr_|dep_|mem_|qrq_|ord_|inv_|whe_|whd_)[0-9a-z]+/g, "one").replace(/^\/$/, "/home").slice(1).replaceAll(/[^a-z0-9.-]+/gi, "_");
    counts.set(plain, (counts.get(plain) ?? 0) + 1);
    const count = counts.get(plain);
    return { path, name: count === 1 ? plain : `${plain}_${count}` };
  });
}

export { SIGNED_IN };
