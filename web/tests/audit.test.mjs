// Story 7: an auditor finds every decision of a party, refusals too, reads the sealed words and exports them.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { launch, named, signIn, visit, ways } from "./lib/browser.mjs";
import { grant, person } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

describe("an auditor", () => {
  for (const way of ways) {
    it(`searches, reads and exports (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, person("auditor"));
      await visitor.go("/audit");
      const party = grant("g-north-revenue").party;
      await visitor.go(`/audit?party=${party}`, "audit of a party");
      const rows = await page.locator(".entries tbody tr").count();
      assert.ok(rows > 0, "entries of the party");
      assert.ok((await page.locator(".sealed dd").count()) > 0, "sealed words are shown");
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.locator('form[action="/audit/export"] button').click(),
      ]);
      const csv = await readFile(await file.path(), "utf8");
      assert.match(csv.split("\n")[0], /^index,at,kind/);
      assert.ok(csv.includes(party), "the export holds the party's entries");
      await visitor.close();
    });
  }

  it("is the only one who may", async () => {
    const visitor = await visit(browser, ways[0]);
    await signIn(visitor, person("analyst", "north"));
    const response = await visitor.go("/audit", "audit refused");
    assert.equal(response.status(), 403);
    await visitor.close();
  });
});
