// Stories 3 and 4: a requester applies and sees what the rulebook says; heads and approver answer.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, signIn, visit, ways } from "./lib/browser.mjs";
import { person } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

describe("requester, heads and approver", () => {
  for (const way of ways) {
    it(`apply, agree and grant (${named(way)})`, async () => {
      const id = await apply(way);
      await act(way, person("head", "welfare"), id, "approve-as-requester-head");
      await act(way, person("approver", "revenue"), id, "agree", "Agreed for this purpose.");
      await act(way, person("head", "revenue"), id, "approve-as-provider-head");
      const visitor = await visit(browser, way);
      await signIn(visitor, person("requester", "welfare"));
      await visitor.go(`/applications/${id}`, "granted application");
      await visitor.page.locator(".notice--good a").click();
      await visitor.page.waitForURL(/\/grants\//);
      await check(visitor, "grant");
      await visitor.close();
    });

    it(`ask once for more, then refuse with reasons (${named(way)})`, async () => {
      const id = await apply(way);
      await act(way, person("head", "welfare"), id, "approve-as-requester-head");
      await act(way, person("approver", "revenue"), id, "ask-for-more", "Name the programme.");
      await act(way, person("requester", "welfare"), id, "supply", "Housing support.");
      await act(way, person("approver", "revenue"), id, "refuse", "The programme has its own source.");
    });
  }
});

async function apply(way) {
  const visitor = await visit(browser, way);
  const { page } = visitor;
  await signIn(visitor, person("requester", "welfare"));
  await visitor.go("/apply/revenue", "application form");
  const boxes = page.locator('input[name="columns"]');
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  await preview(visitor);
  await press(visitor, page.locator('button[value="submit"]'));
  await check(visitor, "application with problems");
  assert.ok((await page.locator(".cg-error-summary a").count()) > 0, "what is missing is said");
  await page.fill("#words", "Find households that may be owed housing support.");
  await page.fill("#legal_basis", "Welfare Act, section 4");
  await page.fill("#scenario", "Yearly review of housing support");
  await press(visitor, page.locator('button[value="submit"]'));
  await check(visitor, "receipt");
  const receipt = new URL(page.url()).searchParams.get("receipt");
  assert.ok(receipt, "a receipt is shown");
  await visitor.go(`/applications/${receipt}`, "my application");
  await visitor.close();
  return receipt;
}

/** With scripts the rulings come while one types; without, the button shows the same. */
async function preview(visitor) {
  const { page, way } = visitor;
  if (!way.scripts) await press(visitor, page.locator('button[value="preview"]'));
  await page.waitForSelector(".rulings tbody tr");
  await check(visitor, "preview");
  assert.equal(await page.locator(".rulings tbody tr").count(), 2, "a ruling a column");
  assert.ok((await page.locator(".rulings .clauses a").count()) > 0, "clauses are cited");
}

/** Somebody does something with an application, where it waits for them. */
async function act(way, who, id, code, words) {
  const visitor = await visit(browser, way);
  const { page } = visitor;
  await signIn(visitor, who);
  await visitor.go(`/applications/${id}`, `application before ${code}`);
  const button = page.locator(`button[value="${code}"]`);
  // Whether a head's agreement is needed is the rulebook's to say.
  if ((await button.count()) === 0 && code.startsWith("approve-as")) return visitor.close();
  if (words) await page.fill(`#${code}-words`, words);
  await press(visitor, button);
  await check(visitor, `application after ${code}`);
  assert.match(page.url(), /done=1/, `${who.name}: ${code}`);
  await visitor.go("/inbox", `inbox of ${who.party}`);
  await visitor.close();
}
