// The words that people read, from the same catalogues that the pages are made of.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";

import { parse } from "smol-toml";

const LOCALES_DIR = new URL("../../../locales/", import.meta.url);

/** `wordsOf("zh").keys.create.submit`; a name that the catalogue does not have fails where it is asked for. */
export function wordsOf(locale) {
  const files = readdirSync(new URL(`${locale}/`, LOCALES_DIR)).filter((name) => name.endsWith(".toml"));
  const areas = files.map((name) => [name.replace(".toml", ""), parse(readFileSync(new URL(`${locale}/${name}`, LOCALES_DIR), "utf8"))]);
  return strict(Object.fromEntries(areas), locale);
}

/** A text with its placeholders filled in; of a text that depends on a number, the form for `count`. */
export function say(text, values = {}) {
  const form = typeof text === "string" ? text : values.count === 1 && "one" in text ? text.one : text.other;
  return form.replaceAll(/\{(\w+)\}/g, (_, name) => values[name] ?? assert.fail(`${form}: {${name}} is not given`));
}

/** A text with placeholders as a pattern in which each may be anything. */
export function like(text) {
  return new RegExp(text.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[\\s\\S]*?"));
}

function strict(words, path) {
  return new Proxy(words, {
    get(target, name) {
      if (typeof name === "symbol") return target[name];
      assert.ok(name in target, `no words ${path}.${name}`);
      const found = target[name];
      return typeof found === "string" || "other" in found ? found : strict(found, `${path}.${name}`);
    },
  });
}
