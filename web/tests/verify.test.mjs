// A service window: a declared question about one person, yes, no or unknown, and a receipt that anyone can check.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, signIn, visit, ways } from "./lib/browser.mjs";
import { demo, grant } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const held = grant("g-south-verify");
const who = demo.accounts.find((account) => account.name === held.account);
const counter = `/grants/${held.id}/verify`;

describe("a service window", () => {
  for (const way of ways) {
    it(`asks, keeps the receipt and has it checked (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, who);
      await visitor.go("/my-grants");
      await page.locator(`a[href="${counter}"]`).click();
      await page.waitForURL(`**${counter}`);
      await check(visitor, "the counter");
      await page.locator('input[type="radio"]').first().check();
      await page.fill("#subject-1", "NO-SUCH-NUMBER");
      await press(visitor, page.locator('button[value="ask"]'));
      await check(visitor, "an answer");
      assert.equal(await page.locator(".verdict--unknown").count(), 1, "nobody of that number");
      assert.equal(await page.inputValue("#subject-1"), "", "the person is not shown again");
      const receipt = await page.inputValue("#receipt");
      const salt = (await page.locator(".verdict .hash code").innerText()).trim();
      const [file] = await Promise.all([page.waitForEvent("download"), page.locator('button[value="receipt"]').click()]);
      assert.equal((await readFile(await file.path(), "utf8")).trim(), receipt.trim());
      await receipts(visitor, receipt, salt);
      await visitor.close();
    });
  }

  it("is told which value is missing, and which grant is no counter", async () => {
    const visitor = await visit(browser, ways[0]);
    await signIn(visitor, demo.accounts.find((account) => account.name === grant("g-north-revenue").account));
    const response = await visitor.go("/grants/g-north-revenue/verify", "no counter");
    assert.equal(response.status(), 404);
    await visitor.close();
  });
});

async function receipts(visitor, receipt, salt) {
  const { page } = visitor;
  await visitor.go("/receipts");
  await page.fill("#receipt", receipt);
  await page.locator("details summary").first().click();
  await page.fill("#values", "NO-SUCH-NUMBER");
  await page.fill("#salt", salt);
  await press(visitor, page.locator('form[action="/receipts"] button'));
  await check(visitor, "a genuine receipt");
  assert.equal(await page.locator(".notice--good").count(), 1);
  await page.fill("#receipt", receipt.replace("answer unknown", "answer yes"));
  await press(visitor, page.locator('form[action="/receipts"] button'));
  await check(visitor, "a forged receipt");
  assert.equal(await page.locator(".notice--good").count(), 0);
  assert.equal(await page.locator(".cg-error-summary").count(), 1);
}
