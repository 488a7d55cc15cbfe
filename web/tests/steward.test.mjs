// Story 2: a steward drops a file, sees what was read, decides the labels and publishes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, signIn, visit, ways } from "./lib/browser.mjs";
import { person } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** A small file: people with checked identifiers, and one row that does not parse. */
function file() {
  const digits = (body) => {
    const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const sum = [...body].reduce((total, digit, i) => total + Number(digit) * weights[i], 0);
    return body + "10X98765432"[sum % 11];
  };
  const rows = Array.from({ length: 60 }, (_, i) => {
    const day = String(1 + (i % 28)).padStart(2, "0");
    const id = digits(`110105${1950 + (i % 50)}01${day}${String(100 + i)}`);
    return `${i + 1},Person ${i + 1},${id},1380000${String(1000 + i)},${20_000 + i * 37}`;
  });
  return ["recid,name,identity_number,phone,income", ...rows, '61,"broken,row'].join("\n");
}

let made = 0;

describe("a data steward", () => {
  for (const way of ways) {
    it(`imports, grades and publishes a file (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, person("steward", "revenue"));
      await visitor.go("/steward");
      const id = `walk-${process.pid}-${++made}`;
      await page.fill("#dataset", id);
      await page.fill("#table", "people");
      await page.setInputFiles("#file", { name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(file()) });
      await press(visitor, page.locator("form[data-drop] button"));
      for (let i = 0; i < 60 && !new URL(page.url()).pathname.endsWith(`/steward/${id}`); i++) {
        await page.waitForTimeout(500);
        if (!way.scripts) await page.reload();
      }
      await check(visitor, "draft");
      assert.equal(await page.locator(".profile").count(), 5, "a profile a column");
      assert.ok((await page.locator(".evidence li").count()) > 0, "evidence is shown");
      assert.ok((await page.locator('a[href$="/rejects"]').count()) === 1, "the broken row is kept aside");
      await overrideOne(visitor);
      await press(visitor, page.locator('form[action$="/accept-all"] button'));
      await check(visitor, "labels decided");
      await publish(visitor, id);
      await visitor.go(`/datasets/${id}`);
      await visitor.close();
    });
  }
});

async function overrideOne(visitor) {
  const { page } = visitor;
  const column = page.locator(".profile").last();
  await column.locator("summary").click();
  await column.locator("select[name=grade]").selectOption("general-4");
  await column.locator("input[name=reason]").fill("Income of single persons in a small file");
  await press(visitor, column.locator('button[value="override"]'));
  await check(visitor, "label overridden");
}

async function publish(visitor, id) {
  const { page } = visitor;
  await visitor.go(`/steward/${id}/describe`);
  await press(visitor, page.locator('button[value="publish"]'));
  await check(visitor, "what is missing");
  assert.ok((await page.locator(".cg-error-summary a").count()) > 0, "the first thing that is missing is said");
  await page.fill("#title_en", "People of a walk");
  await page.fill("#title_zh", "走查人员");
  await page.fill("#description_en", "Sixty invented people.");
  await page.fill("#description_zh", "六十名虚构人员。");
  await page.fill("#frequency_en", "never");
  await page.fill("#frequency_zh", "从不");
  await page.locator("#lane-share").check();
  await page.locator("#sharing-conditional").check();
  await page.fill("#conditions", "For tests, by public bodies.");
  await press(visitor, page.locator('button[value="publish"]'));
  await check(visitor, "published");
  assert.match(page.url(), /published=\d+/);
}
