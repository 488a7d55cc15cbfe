// Story 6, and the way there: what anyone sees without signing in.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, visit, ways } from "./lib/browser.mjs";
import { base, demo } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const dataset = demo.grants[0].datasets[0];
const pages = [
  "/", "/sign-in", "/catalogue", `/datasets/${dataset}`, "/rulebook", "/grants", `/grants/${demo.grants[0].id}`,
  "/ledger", "/ledger/entries/0", "/figures", "/parties", "/help",
];

describe("anyone", () => {
  for (const way of ways) {
    it(`reads every public page (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      for (const path of pages) {
        const response = await visitor.go(path);
        assert.equal(response.status(), 200, path);
      }
      await visitor.close();
    });

    it(`searches and narrows the catalogue (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await visitor.go("/catalogue");
      const all = await page.locator(".card").count();
      assert.ok(all >= 4, "the demo world's datasets are there");
      await page.locator('input[name="provider"]:not([value=""])').first().check();
      await press(visitor, page.locator(".facets button"));
      await check(visitor, "catalogue narrowed");
      const narrowed = await page.locator(".card").count();
      assert.ok(narrowed > 0 && narrowed < all, `${narrowed} of ${all}`);
      await visitor.go("/catalogue?words=no-such-word-anywhere");
      assert.equal(await page.locator(".card").count(), 0);
      await visitor.close();
    });

    it(`follows the ledger to an entry and its proof (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await visitor.go("/ledger?kind=grant");
      await page.locator(".entries tbody a").first().click();
      await page.waitForURL(/\/ledger\/entries\/\d+$/);
      await check(visitor, "entry");
      const leaf = JSON.parse(await page.locator("pre.leaf").innerText());
      assert.equal(leaf.kind, "grant");
      assert.ok((await page.locator("#proof ~ .hash").last().innerText()).length > 64, "a root is shown");
      await visitor.close();
    });
  }

  it("finds the first page under 100 KB, and nothing of another origin", async () => {
    const visitor = await visit(browser, ways[0]);
    // Bodies are read once per address from outside the page: the browser drops a body that it
    // loaded for a moment only (a preload, a favicon), and asking it again would fail.
    const addresses = new Set();
    visitor.page.on("request", (request) => addresses.add(request.url()));
    await visitor.page.goto(`${base}/`, { waitUntil: "networkidle" });
    let bytes = 0;
    for (const address of addresses) {
      assert.ok(address.startsWith(base), address);
      const body = await (await fetch(address)).arrayBuffer();
      bytes += body.byteLength;
    }
    assert.ok(bytes > 5_000 && bytes < 100_000, `${bytes} bytes before compression`);
    await visitor.close();
  });

  it("gets safe headers and clear error pages in both languages", async () => {
    const response = await fetch(`${base}/no-such-page`, { headers: { "Accept-Language": "zh-CN" } });
    assert.equal(response.status, 404);
    const policy = response.headers.get("content-security-policy");
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(await response.text(), /没有这个页面/);
    const forged = await fetch(`${base}/sign-in`, { method: "POST", body: new URLSearchParams({ account: "x" }), redirect: "manual" });
    assert.equal(forged.status, 403, "a sign-in without its token");
  });

  it("changes the language and stays on the page", async () => {
    const visitor = await visit(browser, { lang: "en", scripts: false, width: 1280 });
    await visitor.go("/catalogue?words=income");
    await visitor.page.locator(".masthead__side a[hreflang]").click();
    await visitor.page.waitForURL(/words=income/);
    assert.equal(await visitor.page.locator("html").getAttribute("lang"), "zh-Hans");
    assert.equal(await visitor.page.inputValue("#words"), "income");
    await visitor.close();
  });
});
