// Story 5: the workbench. The grant is a database; refusals say why; downloads hold the same rows.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, signIn, visit, ways } from "./lib/browser.mjs";
import { demo, grant } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const held = grant("g-north-revenue");
const who = demo.accounts.find((account) => account.name === held.account);
const bench = `/grants/${held.id}/workbench`;

describe("an analyst", () => {
  for (const way of ways) {
    it(`asks, sees labels and clauses, downloads and is refused (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, who);
      await visitor.go("/my-grants");
      await visitor.go(bench);
      const table = await page.locator(".bench__table summary code").first().innerText();
      const column = (await page.locator(".bench__column code").first().innerText()).trim();
      await run(visitor, `SELECT ${column} FROM ${table} ORDER BY 1 LIMIT 20`, "run");
      assert.equal(await page.locator(".data tbody tr").count(), 20);
      assert.ok((await page.locator(".why li").count()) >= 1, "each column's label and why");
      assert.ok((await page.locator("#answer .clauses a").count()) >= 1, "the clauses that decided");
      assert.ok((await page.locator('#answer a[href^="/ledger/entries/"]').count()) >= 1, "the ledger entry");
      await download(visitor);
      await run(visitor, `SELECT ${column} FROM ${table}`, "explain");
      assert.ok((await page.locator(".why li").count()) >= 1, "explained without running");
      await run(visitor, "SELECT no_such_column FROM nowhere", "run");
      assert.equal(await page.locator(".notice--bad").count(), 1, "a wrong query is said");
      await visitor.close();
    });
  }

  it("runs with Ctrl + Enter and inserts names", async () => {
    const visitor = await visit(browser, ways[0]);
    const { page } = visitor;
    await signIn(visitor, who);
    await visitor.go(bench);
    await page.fill("#sql", "SELECT ");
    await page.focus("#sql");
    await page.locator("button.insert").first().click();
    assert.match(await page.inputValue("#sql"), /^SELECT \S+/);
    const table = await page.locator(".bench__table summary code").first().innerText();
    await page.fill("#sql", `SELECT count(*) AS n FROM ${table}`);
    await Promise.all([page.waitForEvent("domcontentloaded"), page.keyboard.press("Control+Enter")]);
    await check(visitor, "after the shortcut");
    assert.ok((await page.locator("#answer").count()) === 1);
    await visitor.close();
  });

  it("finds an expired and a refused grant closed, with the reason", async () => {
    for (const closed of demo.grants.filter((g) => ["expired", "refused"].includes(g.state))) {
      const visitor = await visit(browser, ways[0]);
      await signIn(visitor, demo.accounts.find((account) => account.name === closed.account));
      const response = await visitor.go(`/grants/${closed.id}/workbench`, `closed ${closed.id}`);
      assert.equal(response.status(), 403, closed.id);
      await visitor.close();
    }
  });
});

async function run(visitor, sql, then) {
  await visitor.page.fill("#sql", sql);
  await press(visitor, visitor.page.locator(`button[value="${then}"]`));
  await check(visitor, `workbench ${then}`);
}

async function download(visitor) {
  const [file] = await Promise.all([visitor.page.waitForEvent("download"), visitor.page.locator('button[value="csv"]').click()]);
  const lines = (await readFile(await file.path(), "utf8")).trimEnd().split("\n");
  assert.equal(lines.length, 21, "a header and the same rows");
}
