// A journey is written once, as what a person does and reads, and walked in every cell of the matrix below.
import { after, before, describe, test } from "node:test";

import { launch } from "./person.mjs";
import { Walker } from "./walker.mjs";

/**
 * With and without scripts, in both languages, on a narrow and on a wide screen: every value, and every pair of values of
 * two axes, is walked (an orthogonal array of strength two). All eight cells would say little more and take twice as long.
 */
export const CELLS = [
  { script: true, locale: "en", width: 360 },
  { script: true, locale: "zh", width: 1440 },
  { script: false, locale: "en", width: 1440 },
  { script: false, locale: "zh", width: 360 },
];

/**
 * Declares the journeys of a suite by their names. Each is called with a walker, and with the cell it walks in:
 * `name` is good for addresses of people, `number` counts from 0, and `another()` is somebody else in the same cell.
 */
export function journeys(all, { atOnce = 2 } = {}) {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser.close());
  for (const [title, walk] of Object.entries(all)) {
    describe(title, { concurrency: atOnce }, () => {
      CELLS.forEach((cell, number) => {
        const name = `${cell.locale}-${cell.width}-${cell.script ? "script" : "plain"}`;
        test(name, async () => {
          const walkers = [];
          const another = async () => walkers[walkers.push(await Walker.come(browser, cell)) - 1];
          await walk(await another(), { ...cell, name, number, another });
          for (const walker of walkers) await walker.leave();
        });
      });
    });
  }
}
