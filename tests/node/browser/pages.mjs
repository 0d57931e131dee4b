// Every page there is, public and signed in, found from the pages themselves where they are many.
import { GATEWAY } from "./person.mjs";

/** Names and paths of the pages that anyone sees. */
export async function publicPages() {
  const [docs, posts, models] = await Promise.all([
    linked("/docs", /^\/docs\/[a-z0-9-]+$/), linked("/blog", /^\/blog\/[a-z0-9-]+$/), linked("/pricing", /^\/pricing\/[^?#]+$/)]);
  return named(["/", "/pricing", models[0], "/docs", ...docs, "/docs/search?q=hold", "/blog", ...posts, "/no-such-page",
    "/console/sign-up", "/console/sign-in", "/console/forgot", "/console/resend", "/console/check-mail"]);
}

/** Names and paths of the pages of someone who has a key and has made calls. */
export async function consolePages(page) {
  await page.goto(`${GATEWAY}/console/keys`);
  const key = await page.locator('main a[href^="/console/keys/k"]').first().getAttribute("href");
  await page.goto(`${GATEWAY}/console/calls`);
  const receipts = await page.locator('main a[href*="/console/receipts/"]').evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  return named(["/console", "/console/keys", "/console/keys/new", "/console/keys/check", key, `${key}/revoke`, "/console/calls",
    ...new Set(receipts), "/console/wallet", "/console/settings", "/console/no-such-page"]);
}

async function linked(path, pattern) {
  const page = await (await fetch(GATEWAY + path)).text();
  const links = [...page.matchAll(/href="([^"#]+)/g)].map(([, link]) => link.replace(GATEWAY, ""));
  return [...new Set(links.filter((link) => pattern.test(link)))];
}

/** Ids differ from run to run, so they are numbered in file names. */
function named(paths) {
  const counts = new Map();
  return paths.map((path) => {
    const plain = path.replace(/(key_|rcp_|k_)[0-9a-z]+/g, "one").replace(/^\/$/, "/home").slice(1).replaceAll(/[^a-z0-9.-]+/gi, "_");
    counts.set(plain, (counts.get(plain) ?? 0) + 1);
    const count = counts.get(plain);
    return { path, name: count === 1 ? plain : `${plain}_${count}` };
  });
}
