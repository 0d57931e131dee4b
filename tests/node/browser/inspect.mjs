// A page as people of both themes and two widths get it: a screenshot each, no serious accessibility fault, nothing too wide.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";

import axe from "axe-core";

const SHOTS = new URL("../../../.cache/screenshots/", import.meta.url).pathname;
const WIDTHS = { 360: 740, 1440: 900 };
mkdirSync(SHOTS, { recursive: true });

export async function inspect(page, name) {
  page.setDefaultTimeout(120_000); // The price list is 39,000 px long, and the machine may be busy.
  for (const [width, height] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width: Number(width), height });
    const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    const cut = await page.locator(".table-frame").evaluateAll((frames) => frames.filter((frame) => frame.scrollWidth > frame.clientWidth).length);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}${name}_${colorScheme}_${width}.png`, fullPage: true, animations: "disabled" });
      await assertAccessible(page, `${colorScheme} ${width}`);
    }
    assert.ok(width === "360" || cut === 0, "a table is cut off on a wide screen");
    assert.ok(overflow <= 0, `${overflow} px wider than a screen of ${width} px`);
  }
}

async function assertAccessible(page, how) {
  if (!(await page.evaluate("typeof axe !== 'undefined'"))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const told = serious.map(({ id, nodes }) => `${how}: ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(told, []);
}
