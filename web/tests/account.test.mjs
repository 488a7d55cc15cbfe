// Signing in and tokens: the first step of every story.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, signIn, visit, ways } from "./lib/browser.mjs";
import { base, person } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

describe("an account", () => {
  for (const way of ways) {
    it(`makes a token and revokes it (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, person("requester", "welfare"));
      await visitor.go("/account");
      await page.fill("#name", `walk ${named(way)}`);
      await press(visitor, page.locator('form[action="/account/tokens"] button'));
      await check(visitor, "a new token");
      assert.ok((await page.locator(".token").innerText()).length > 20);
      await press(visitor, page.locator('form[action$="/revoke"] button').last());
      await check(visitor, "revoked");
      await visitor.close();
    });
  }

  it("is not opened with a wrong password, and says so in the form", async () => {
    const visitor = await visit(browser, ways[0]);
    await visitor.page.goto(`${base}/sign-in`);
    await visitor.page.fill("#account", "nobody-here");
    await visitor.page.fill("#password", "wrong");
    await press(visitor, visitor.page.locator("form.narrow button"));
    await check(visitor, "sign-in refused");
    assert.equal(await visitor.page.locator(".cg-error-summary").count(), 1);
    await visitor.close();
  });

  it("comes back to the page that asked for it, and ends", async () => {
    const visitor = await visit(browser, ways[0]);
    const who = person("requester", "welfare");
    await visitor.page.goto(`${base}/apply/revenue`);
    assert.match(visitor.page.url(), /sign-in\?next=/);
    await visitor.page.fill("#account", who.name);
    await visitor.page.fill("#password", who.password);
    await press(visitor, visitor.page.locator("form.narrow button"));
    assert.match(visitor.page.url(), /\/apply\/revenue$/);
    await press(visitor, visitor.page.locator(".masthead__button"));
    await visitor.page.goto(`${base}/account`);
    assert.match(visitor.page.url(), /sign-in/);
    await visitor.close();
  });
});
