// Someone who walks through the product with nothing but a keyboard, and reads what is written in their language.
//
// Every control is found by the name that assistive technology tells, reached with the Tab key, and has to show that it has
// the focus. Nothing is clicked, and nothing is filled in by a script.
import assert from "node:assert/strict";

import { inspect } from "./inspect.mjs";
import { GATEWAY, PASSWORD, at, spoken } from "./person.mjs";
import { written } from "./seen.mjs";
import { say, wordsOf } from "./words.mjs";

/** So many presses reach everything on the longest page of the console. */
const MOST_PRESSES = 400;
const PATIENCE_MS = 30_000;
const HEIGHTS = { 360: 740, 1440: 900 };

export class Walker {
  /** Someone with a browser of their own: whether it runs scripts, the language they read, and how wide its window is. */
  static async come(browser, { script, locale, width }) {
    const viewport = { width, height: HEIGHTS[width] };
    const options = { javaScriptEnabled: script, viewport, acceptDownloads: true, reducedMotion: "reduce", ...spoken(locale) };
    const context = await browser.newContext(options);
    const walker = new Walker();
    Object.assign(walker, { context, script, locale, width, viewport, words: wordsOf(locale), faults: [] });
    walker.page = await context.newPage();
    walker.page.setDefaultTimeout(PATIENCE_MS);
    walker.page.on("pageerror", (error) => walker.faults.push(`${error}`));
    walker.page.on("console", (message) => /Content Security Policy/i.test(message.text()) && walker.faults.push(message.text()));
    return walker;
  }

  async leave() {
    await written(this.context);
    await this.context.close();
    assert.deepEqual(this.faults, [], "no script failed, and nothing had to be blocked");
  }

  // Where they are

  /** Types an address, with the language in front, or opens a link from a letter. */
  async open(path) {
    await this.page.goto(path.startsWith("http") ? path : at(this.locale, path));
    await this.arrived();
  }

  /** Every page is in the reader's language, has one main heading, and is no wider than the window. */
  async arrived() {
    await written(this.context);
    const { origin, place, lang, headings, over } = await this.steady(() => this.page.evaluate(whatStandsHere));
    // Those of others are theirs; a page of ours may lead on to one by itself.
    if (origin !== GATEWAY) return;
    assert.equal(lang, { en: "en", zh: "zh-Hans" }[this.locale], `the language of ${place}`);
    assert.equal(headings, 1, `main headings on ${place}`);
    assert.ok(over <= 0, `${place} is ${over} px wider than the window`);
  }

  /** Asks the page something, and again if it led on to another one meanwhile: through three pages at most. */
  async steady(ask, more = 3) {
    return ask().catch(async (error) => {
      if (more === 0) throw error;
      await this.page.waitForLoadState("load");
      return this.steady(ask, more - 1);
    });
  }

  get path() {
    return new URL(this.page.url()).pathname.replace(/^\/zh(?=\/)/, "");
  }

  // What they do

  /** Follows a part of the console's navigation, which a narrow screen folds away. */
  async go(name) {
    if (this.width < 900) await this.unfold(this.words.common.nav.menu);
    await this.activate(this.page.getByRole("navigation").getByRole("link", { name, exact: true }));
  }

  /** Follows the link of this name; `row` is what stands in the same row of a table, or in the same card. */
  async follow(name, { row, part } = {}) {
    await this.activate(this.within(row).getByRole("link", part ? { name } : { name, exact: true }));
  }

  /** Presses the button of this name and gets a page. */
  async press(name, { row } = {}) {
    await this.activate(this.within(row).getByRole("button", { name, exact: true }));
  }

  /** Signs out, from the frame around the page. */
  async signOut() {
    await this.activate(this.page.getByRole("button", { name: this.words.console.nav.sign_out, exact: true }));
  }

  async type(label, text) {
    await this.tabTo(this.field(label), label);
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.press("Delete");
    await this.page.keyboard.type(text);
  }

  /** Chooses an option of a list with the arrow keys; what it means may stand behind its name. */
  async choose(label, option) {
    const list = this.field(label);
    await this.tabTo(list, label);
    const chosen = async () => {
      const text = await list.evaluate((select) => select.selectedOptions[0].text);
      return text === option || text.startsWith(`${option} — `);
    };
    await this.page.keyboard.press("Home");
    for (let presses = 0; presses < 60 && !(await chosen()); presses += 1) await this.page.keyboard.press("ArrowDown");
    assert.ok(await chosen(), `"${option}" can be chosen as ${label}`);
  }

  /** Ticks a box, or takes its tick away. */
  async tick(label, wanted = true) {
    const box = this.page.locator("main").getByRole("checkbox", { name: label, exact: true });
    await this.tabTo(box, label);
    if ((await box.isChecked()) !== wanted) await this.page.keyboard.press("Space");
    assert.equal(await box.isChecked(), wanted, label);
  }

  /** Unfolds what is folded away under these words. */
  async unfold(words) {
    const summary = this.page.locator("summary:visible").filter({ hasText: words }).or(this.page.locator(`summary[aria-label="${words}"]:visible`));
    await this.tabTo(summary, words);
    if (!(await summary.first().evaluate((element) => element.parentElement.open))) await this.page.keyboard.press("Enter");
  }

  /** Follows a link that leads to a file, and reads it. */
  async download(name) {
    const link = this.page.locator("main").getByRole("link", { name, exact: true });
    await this.tabTo(link, name);
    const [download] = await Promise.all([this.page.waitForEvent("download"), this.page.keyboard.press("Enter")]);
    const pieces = [];
    for await (const piece of await download.createReadStream()) pieces.push(piece);
    return Buffer.concat(pieces).toString("utf8");
  }

  // What they read

  /** The page says all of this. */
  async reads(...texts) {
    const page = await this.text();
    for (const text of texts) {
      const found = text instanceof RegExp ? text.test(page) : page.includes(text);
      assert.ok(found, `${this.page.url()} does not say ${text}, but: ${page.slice(0, 1200)}`);
    }
  }

  /** The page says so, at the latest when it was loaded a few times more. */
  async readsSoon(text) {
    for (let looks = 0; looks < 60 && !(text instanceof RegExp ? text.test(await this.text()) : (await this.text()).includes(text)); looks += 1) {
      await this.page.waitForTimeout(250);
      await this.page.reload();
    }
    await this.reads(text);
  }

  async text() {
    const text = await this.steady(() => this.page.locator("main, body:not(:has(main))").innerText());
    return text.replaceAll(/\s+/g, " ");
  }

  /** What is shown once, to be copied from the field of this name. */
  async copied(label) {
    return this.page.locator("main").getByLabel(label, { exact: true }).textContent();
  }

  /** A fault stands beside this field, and the page's title says first that there is one. */
  async isRefused(label) {
    assert.equal(await this.field(label).getAttribute("aria-invalid"), "true", `${label} is refused at its field`);
    assert.ok((await this.page.title()).startsWith(this.words.console.problem.error_prefix), await this.page.title());
  }

  /** Screenshots and the accessibility check in both themes and at both widths: once a language, where scripts run. */
  async look(name) {
    if (!this.script) return;
    await inspect(this.page, `${this.locale}_${name}`);
    this.page.setDefaultTimeout(PATIENCE_MS);
    await this.page.emulateMedia({ colorScheme: null });
    await this.page.setViewportSize(this.viewport);
  }

  // What most of them have to do

  /** Signs up, confirms the address by the link that a development server shows, and signs in. */
  async signUp(email) {
    const { auth } = this.words;
    await this.open("/console/sign-up");
    await this.type(auth.field.email, email);
    await this.type(auth.field.password, PASSWORD);
    await this.press(auth.sign_up.submit);
    await this.confirmAddress();
    await this.signIn(email);
    assert.equal(this.path, "/console", "who signed in is in the console");
    this.email = email;
  }

  async confirmAddress() {
    const { auth, console } = this.words;
    await this.follow(auth.check_mail.development_open);
    await this.press(auth.verify.submit);
    await this.reads(console.flash.verified);
  }

  /** Types address and password into the form they are at. */
  async signIn(email, password = PASSWORD) {
    const { auth } = this.words;
    await this.type(auth.field.email, email);
    await this.type(auth.field.password, password);
    await this.press(auth.sign_in.submit);
  }

  /** Makes a key, and takes it from the page that shows it once. */
  async createKey(name) {
    const { keys, console } = this.words;
    await this.go(console.nav.keys);
    await this.follow(keys.list.new);
    await this.type(keys.create.name, name);
    await this.press(keys.create.submit);
    const key = await this.copied(keys.once.label);
    await this.follow(keys.once.done);
    await this.go(console.nav.keys);
    await this.follow(name);
    return key;
  }

  // How a keyboard gets there

  field(label) {
    return this.page.locator("main").getByLabel(label, { exact: true }).and(this.page.locator("input, select, textarea"));
  }

  within(row) {
    const main = this.page.locator("main");
    return row === undefined ? main : main.locator("tr, .sheet, .danger-zone, form").filter({ hasText: row }).last();
  }

  /** Presses Enter on a link or button and waits for the page it leads to. */
  async activate(control) {
    await this.tabTo(control, `${control}`);
    await Promise.all([this.page.waitForEvent("load"), this.page.keyboard.press("Enter")]);
    await this.arrived();
  }

  /** Presses Tab until the control has the focus, which has to be seen. */
  async tabTo(control, what) {
    if (!(await control.count())) assert.fail(`${what} is not on ${this.page.url()}: ${(await this.text()).slice(0, 1200)}`);
    const wanted = await control.first().elementHandle();
    let presses = 0;
    for (; presses < MOST_PRESSES && !(await wanted.evaluate((element) => element === document.activeElement)); presses += 1) {
      await this.page.keyboard.press("Tab");
    }
    assert.ok(presses < MOST_PRESSES, `the Tab key reaches ${what} on ${this.page.url()}`);
    assert.equal(await wanted.evaluate(howFocusShows), "seen", `the focus on ${what} on ${this.page.url()}`);
    await wanted.dispose();
  }
}

function whatStandsHere() {
  const { documentElement: html } = document;
  return {
    origin: location.origin,
    place: location.pathname,
    lang: html.lang,
    headings: document.querySelectorAll("h1").length,
    over: html.scrollWidth - html.clientWidth,
  };
}

/** Whether somebody sees that the element has the focus: it is marked, on the screen, and nothing lies over it. */
function howFocusShows(element) {
  const style = getComputedStyle(element);
  const isOutlined = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) > 0;
  if (!isOutlined && style.boxShadow === "none") return "not marked";
  const { left, top, width, height } = element.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + Math.min(height / 2, 20)];
  if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return "outside the window";
  const there = document.elementFromPoint(x, y);
  return element.contains(there) || there?.contains(element) ? "seen" : `under ${there?.outerHTML.slice(0, 80)}`;
}

export { say };
