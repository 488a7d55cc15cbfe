// The rulebook's loop: a drafter branches the rules, sees what was found, what changes and what it would have done; the
// prescribed people approve; the rules hold; a text without rules is split into clauses.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, signIn, visit, ways } from "./lib/browser.mjs";
import { base, demo, person } from "./lib/world.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const drafter = () => person("drafter", "authority");

describe("drafter", () => {
  for (const way of ways) {
    it(`branches the rulebook, checks and compares (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, drafter());
      await visitor.go("/drafts", "drafts");
      await press(visitor, page.locator("#branch"));
      await check(visitor, "draft editor");
      const id = page.url().split("/").at(-2);
      const source = await page.inputValue("#original");
      // A rule that contradicts itself, and a clause without an anchor.
      const dead = '\n## Never {#never}\n\nNothing.\n\n```cedar\n@treatment("clear")\npermit (principal, action == Action::"use", resource)\nwhen { resource.grade >= 4 && resource.grade <= 2 };\n```\n\n## No anchor\n\nWords.\n';
      await page.fill("#original", source + dead);
      await found(visitor, /anchor/);
      await page.fill("#original", source + dead.replace("## No anchor", "## No anchor {#none}"));
      await page.fill("#translation", `${await page.inputValue("#translation")}\n## 从不 {#never}\n\n无。\n\n## 另条 {#none}\n\n字。\n`);
      await found(visitor, way.lang === "en" ? /can never apply/ : /永远不会适用/);
      await page.fill("#title_en", "Twenty instead of ten");
      await page.fill("#title_zh", "二十代替十");
      await page.fill("#original", source.replace("groups of at least ten rows; from general 3", "groups of at least twenty rows; from general 3").replace('@min_group("10")\npermit (principal in Class::"government"', '@min_group("20")\npermit (principal in Class::"government"'));
      await page.fill("#translation", (await page.inputValue("#translation")).split("\n## 从不")[0]);
      await press(visitor, page.locator('button[value="close"]'));
      await check(visitor, "draft");
      assert.equal(await page.locator("article.clause").count(), 1, "one clause differs");
      assert.ok((await page.locator("pre.difference ins").count()) > 0, "the rule's difference is marked");
      await visitor.go(`/drafts/${id}/replay`, "replay");
      assert.match(await page.locator("#replay-lead").innerText(), /\d/);
      await visitor.go(`/drafts/${id}/proof?claim=nothing-new`, "proof");
      assert.ok((await page.locator("#verdict .tag--permit").count()) === 1, "nothing new is proved");
      await visitor.go(`/drafts/${id}/proof?claim=nobody&class=enterprise&form=rows&category=person.health&others=yes`, "proof of nobody");
      assert.ok((await page.locator("#verdict .tag--permit").count()) === 1, "no enterprise has rows of health data");
      await visitor.go(`/drafts/${id}/proof?claim=nobody&class=government&form=rows`, "refutation");
      assert.ok((await page.locator("#verdict .tag--deny").count()) === 1, "a counterexample is shown");
      await visitor.close();
    });

    it(`splits another text into clauses (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, drafter());
      await visitor.go("/drafts", "drafts before a text");
      await page.fill("#title", "A text on openness");
      await page.setInputFiles("#file", { name: "bad.docx", mimeType: "application/octet-stream", buffer: Buffer.from("PK\u0003\u0004 nothing") });
      await press(visitor, page.locator("#begin-text"));
      await check(visitor, "a file that is no document");
      assert.ok((await page.locator(".cg-error-summary a").count()) > 0, "what is wrong is said");
      assert.equal(await page.inputValue("#title"), "A text on openness", "nothing typed is lost");
      await page.fill("#text", "On openness\n\nArticle 1 Purpose\n\nData serves people. <script>alert(1)</script>\n\nArticle 2 Scope\n\nAll bodies.\n");
      await press(visitor, page.locator("#begin-text"));
      await check(visitor, "text editor");
      await press(visitor, page.locator('button[value="close"]'));
      await check(visitor, "text draft");
      assert.equal(await page.locator("article.clause").count(), 2, "two clauses");
      await press(visitor, page.locator('button[value="publish"]'));
      await check(visitor, "text published");
      const path = new URL(page.url()).pathname;
      const anyone = await fetch(base + path);
      assert.equal(anyone.status, 200, "everybody reads it");
      assert.doesNotMatch(await anyone.text(), /<script>alert/);
      await visitor.close();
    });
  }

  it("consults, answers and adopts: the engine decides by it at once, and the clause leads back to who caused it", async () => {
    const way = ways[0];
    const id = await published(way);
    const consultation = await consulted(way, id);
    const pages = `/consultations/${consultation}`;
    await everywhere(drafter(), [`/drafts/${id}`, `/drafts/${id}/replay`, pages, `${pages}/clauses/${clause}`]);
    await everywhere(person("head", "authority"), [`${pages}/answers`]);
    await answered(way, id, consultation);
    for (const [role, name] of [["admin"], ["head"], ["approver", "ruben"]]) {
      const who = name ? demo.accounts.find((a) => a.name === name) : person(role, "authority");
      const visitor = await visit(browser, way);
      await signIn(visitor, who);
      await visitor.go(`/drafts/${id}`, `draft before the approval of ${role}`);
      await press(visitor, visitor.page.locator('button[value="approve"]'));
      await check(visitor, `approved by ${role}`);
      await visitor.close();
    }
    const visitor = await visit(browser, way);
    const { page } = visitor;
    await signIn(visitor, person("admin", "authority"));
    await everywhere(person("admin", "authority"), [`/drafts/${id}`, `${pages}/answers`]);
    await visitor.go(`/drafts/${id}`, "draft before adoption");
    assert.equal(await page.locator("#not-yet").count(), 1, "that it is too early is said before");
    await page.fill("#reasons", "Typed before.");
    await press(visitor, page.locator('button[value="adopt"]'));
    await check(visitor, "adoption too early");
    assert.ok((await page.locator(".cg-error-summary").count()) === 1, "thirty days are prescribed");
    assert.equal(await page.inputValue("#reasons"), "Typed before.", "nothing typed is lost");
    await page.check("#urgent");
    await page.fill("#reasons", "Two reports of persons singled out in small groups.");
    await press(visitor, page.locator('button[value="adopt"]'));
    await check(visitor, "adopted");
    assert.match(page.url(), /done=adopt/);
    await visitor.go("/rulebook", "rulebook after adoption");
    assert.equal(await page.locator(`a[href="/drafts/${id}"]`).count(), 1, "the version leads to its draft");
    const because = page.locator(`#${clause} details.because`);
    await because.locator("summary").click();
    await check(visitor, "how the clause came to be");
    assert.equal(await because.locator(`a[href^="/consultations/${consultation}/answers/"]`).count(), 1, "the answer");
    await because.locator(`a[href^="/consultations/${consultation}/receipts/"]`).first().click();
    await page.waitForURL(/\/receipts\/\d+$/);
    await check(visitor, "the contribution behind it");
    assert.match(await page.locator("main").innerText(), /Say it as Mei asked/);
    await visitor.close();
    await everywhere(person("citizen"), ["/rulebook", `/drafts/${id}`, pages]);
    const after = await fetch(`${base}/rulebook`);
    assert.match(await after.text(), /As Mei asked/);
  });
});

/** The clause that the loop changes. */
const clause = "research";

/** Pages of the loop as they stand now, in both languages and widths, with everything that unfolds unfolded. */
async function everywhere(who, paths) {
  for (const way of ways.filter((way) => way.scripts)) {
    const visitor = await visit(browser, way);
    await signIn(visitor, who);
    for (const path of paths) {
      await visitor.page.goto(base + path);
      await visitor.page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
      await check(visitor, `${path} (${named(way)})`);
    }
    await visitor.close();
  }
}

/** A consultation on a published draft, opened by its drafter; somebody of the public comments. Closes within minutes. */
async function consulted(way, id) {
  const stranger = await visit(browser, way);
  await signIn(stranger, person("analyst"));
  const refused = await stranger.go(`/consultations/new?draft=${id}`, "who may not open a consultation");
  assert.equal(refused.status(), 403);
  await stranger.close();
  const visitor = await visit(browser, way);
  const { page } = visitor;
  await signIn(visitor, drafter());
  await visitor.go(`/drafts/${id}`, "draft before its consultation");
  assert.equal(await page.locator("#hindrances + ul li").count(), 1, "a consultation is prescribed");
  await page.locator("#consult").click();
  await page.waitForURL(/\/consultations\/new\?draft=/);
  await check(visitor, "consultation of a draft");
  assert.equal(await page.locator("#text_en").count(), 0, "the text is the draft's");
  assert.ok((await page.locator("details .contents li").count()) > 20, "its clauses are listed");
  await page.fill("#summary_en", "What research may publish.");
  await page.fill("#questions_en", "Is it clear?");
  await page.fill("#closes", new Date(Date.now() + 150_000).toISOString().slice(0, 16));
  await press(visitor, page.locator('button[value="open"]'));
  await check(visitor, "consultation of a draft opened");
  const consultation = page.url().split("/").at(-1);
  assert.equal(await page.locator(`a[href="/drafts/${id}/replay"]`).count(), 1, "it leads to the draft's replay");
  assert.equal(await page.locator(`#changed a[href$="/clauses/${clause}"]`).count(), 1, "the clause that changes is named first");
  await visitor.go(`/drafts/${id}`, "draft under consultation");
  assert.equal(await page.locator(`a[href="/consultations/${consultation}"]`).count(), 1, "the draft leads to it");
  await visitor.close();
  const citizen = await visit(browser, way);
  await signIn(citizen, person("citizen"));
  await citizen.go(`/consultations/${consultation}/join?next=/consultations/${consultation}/clauses/${clause}`, "join");
  await citizen.page.locator("#class-public").check({ force: true });
  await press(citizen, citizen.page.locator("main form.measure button"));
  await citizen.page.fill("#words", "Say it as Mei asked.");
  await press(citizen, citizen.page.locator("form.act button"));
  await check(citizen, "comment on a draft's clause");
  await citizen.close();
  return consultation;
}

/** The head answers and, once the clock has closed it, concludes; the drafter publishes the change that was promised. */
async function answered(way, id, consultation) {
  const head = await visit(browser, way);
  const { page } = head;
  await signIn(head, person("head", "authority"));
  await head.go(`/consultations/${consultation}/answers`, "answers of a draft's consultation");
  await page.locator('input[name="contribution"]').first().check();
  await page.fill("#title", "On the words");
  await page.fill("#words", "We agree.");
  await page.selectOption("#changed", clause);
  await page.fill("#because", "It says as Mei asked.");
  await press(head, page.locator("#waiting ~ button").first());
  await check(head, "answer that changes a clause");
  await head.go(`/drafts/${id}`, "draft that does not keep the promise yet");
  await press(head, page.locator('button[value="approve"]'));
  assert.match(page.url(), /done=approve/);
  const closed = async () => (await (await fetch(`${base}/api/v1/consultations/${consultation}`)).json()).state === "answering";
  for (let tries = 0; tries < 200 && !(await closed()); tries++) await new Promise((done) => setTimeout(done, 1000));
  await head.go(`/consultations/${consultation}/answers`, "answers after the last day");
  await page.fill("#conclusion", "The words are changed.");
  await press(head, page.locator("#conclude ~ form button"));
  await check(head, "concluded");
  await head.close();
  const visitor = await visit(browser, way);
  await signIn(visitor, drafter());
  await visitor.go(`/drafts/${id}`, "draft that promises a change");
  assert.match(await visitor.page.locator("#hindrances + ul").innerText(), new RegExp(clause), "the promise is not kept yet");
  await visitor.go(`/drafts/${id}/edit`);
  const source = await visitor.page.inputValue("#original");
  await visitor.page.fill("#original", source.replace("The statement of the test.", "As Mei asked."));
  await press(visitor, visitor.page.locator('button[value="close"]'));
  await check(visitor, "draft with a newer text than the published one");
  await visitor.page.locator("#unpublished a").click();
  await visitor.page.waitForURL(/view=published/);
  await check(visitor, "the published text, for its drafter");
  assert.equal(await visitor.page.locator('button[value="publish"]').count(), 0, "what is not shown is not published");
  await visitor.page.locator("#as-published a").click();
  await visitor.page.waitForURL((url) => !url.search);
  await press(visitor, visitor.page.locator('button[value="publish"]'));
  await check(visitor, "the promise is kept");
  assert.equal(await visitor.page.locator("#unpublished").count(), 0);
  assert.equal(await visitor.page.locator("#hindrances").count(), 0, "nothing of the consultation is open");
  assert.equal(await visitor.page.locator(`#c-${clause} .because a[href*="/receipts/"]`).count(), 1, "the change leads to the comment");
  await visitor.close();
}

/** A published draft that changes one clause's words and rule. */
async function published(way) {
  const visitor = await visit(browser, way);
  const { page } = visitor;
  await signIn(visitor, drafter());
  await visitor.go("/drafts");
  await press(visitor, page.locator("#branch"));
  const id = page.url().split("/").at(-2);
  const source = await page.inputValue("#original");
  await page.fill("#original", source.replace("Universities and research bodies make", "The statement of the test. Universities and research bodies make"));
  await press(visitor, page.locator('button[value="close"]'));
  await press(visitor, page.locator('button[value="publish"]'));
  await check(visitor, "published");
  assert.match(page.url(), /done=publish/);
  await visitor.close();
  return id;
}

/** With scripts findings come while one types; without, the button shows the same. */
async function found(visitor, words) {
  const { page, way } = visitor;
  if (!way.scripts) await press(visitor, page.locator('button[value="check"]'));
  await page.locator(".found__list", { hasText: words }).waitFor({ timeout: 15000 });
  await check(visitor, "findings");
}
