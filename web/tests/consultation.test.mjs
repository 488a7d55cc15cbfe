// Stories 3 to 6 of consultations: anyone reads; a new member of the public joins, comments, amends, votes and checks the
// receipts; the body that consults moderates and answers.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { check, launch, named, press, signIn, visit, ways } from "./lib/browser.mjs";
import { docx, text } from "./lib/docx.mjs";
import { base, demo } from "./lib/world.mjs";

let browser;
let open;
let concluded;
before(async () => {
  browser = await launch();
  const listed = await (await fetch(`${base}/api/v1/consultations`)).json();
  open = listed.items.findLast((item) => item.state === "open").consultation.id;
  concluded = listed.items.findLast((item) => item.state === "concluded").consultation.id;
});
after(() => browser?.close());

const account = (name) => demo.accounts.find((a) => a.name === name);
const parts = ["", "/text", "/statements", "/opinions", "/answers", "/clauses/am-1", "/vote"];

/** A member of the public who makes an account and joins. */
async function newcomer(way, id) {
  const visitor = await visit(browser, way);
  const { page } = visitor;
  await visitor.go(`/consultations/${id}/clauses/am-1`, "clause before joining");
  await page.locator('a.cg-button[href^="/register"]').click();
  await page.waitForURL(/\/register/);
  await check(visitor, "register");
  const name = `mei-${way.lang.slice(0, 2)}${way.scripts ? "s" : "n"}${way.width}-${Date.now()}`.toLowerCase();
  await page.fill("#account", name);
  await page.fill("#name", "Mei Lin");
  await page.fill("#password", "a-long-password");
  await press(visitor, page.locator("form.narrow button"));
  await page.locator('a.cg-button[href*="/join"]').click();
  await page.waitForURL(/\/join/);
  await check(visitor, "join");
  await page.locator("#class-public").check({ force: true });
  await press(visitor, page.locator("main form.measure button"));
  assert.match(page.url(), /\/clauses\/am-1/, "back where one came from");
  return visitor;
}

async function receiptHolds(visitor, what) {
  const { page } = visitor;
  await page.locator(".notice--good a").first().click();
  await page.waitForURL(/\/receipts\/\d+$/);
  await check(visitor, `receipt of ${what}`);
  assert.equal(await page.locator("main .lines .tag--permit").count(), 3, `${what}: three checks hold`);
  assert.equal(await page.locator("main .lines .tag--deny").count(), 0);
}

describe("consultations", () => {
  for (const way of ways) {
    it(`are read by anyone (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      await visitor.go("/consultations", "consultations");
      for (const part of parts) {
        const response = await visitor.go(`/consultations/${open}${part}`, `open${part}`);
        assert.equal(response.status(), 200, part);
      }
      await visitor.go(`/consultations/${concluded}`, "concluded");
      await visitor.go(`/consultations/${concluded}/answers/1`, "an answer");
      await visitor.close();
    });

    it(`take a newcomer's comment, amendment, statement and votes (${named(way)})`, async () => {
      const visitor = await newcomer(way, open);
      const { page } = visitor;
      await page.fill("#words", '<script>alert("x")</script> Twenty is fine.');
      await press(visitor, page.locator("form.act button"));
      await check(visitor, "comment sent");
      assert.match(await page.locator(".said li").first().innerText(), /<script>/, "words stay words");
      await receiptHolds(visitor, "a comment");
      await visitor.go(`/consultations/${open}/clauses/am-1`, "clause");
      await page.locator("details.cg-details summary").first().click();
      const own = await page.inputValue("#proposed");
      await page.fill("#proposed", own.replace(/twenty|二十/, way.lang === "en" ? "thirty" : "三十"));
      await page.fill("#reasons", "More is safer.");
      await press(visitor, page.locator("details.cg-details form button"));
      await check(visitor, "amendment sent");
      assert.equal(await page.locator(".said li").first().locator("ins").count(), 1, "the difference is shown");
      await visitor.go(`/consultations/${open}/statements`, "statements");
      await page.fill("#words", `A statement of ${named(way)} at ${Date.now()}`);
      await press(visitor, page.locator("main form.measure button"));
      await check(visitor, "statement sent");
      await visitor.go(`/consultations/${open}/vote`, "vote");
      for (const vote of ["agree", "disagree", "pass"]) {
        await press(visitor, page.locator(`button[value="${vote}"]`));
        await check(visitor, `voted ${vote}`);
      }
      await receiptHolds(visitor, "a vote");
      await visitor.go(`/consultations/${open}/mine`, "mine");
      assert.equal(await page.locator("main table tbody tr").count(), 3, "three votes");
      await page.locator("main table tbody td a").first().click();
      await page.waitForURL(/statement=/);
      await press(visitor, page.locator('button[value="agree"]'));
      await visitor.close();
    });

    it(`are moderated and answered by the body that asks (${named(way)})`, async () => {
      const author = await newcomer(way, open);
      await author.page.fill("#words", `Call me at 555 (${named(way)})`);
      await press(author, author.page.locator("form.act button"));
      const number = await author.page.locator(".said li .said__number").first().innerText();
      await author.close();
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, account("zhao"));
      await visitor.go(`/consultations/${open}/moderate`, "moderate");
      const row = page.locator(`#c-${number}`);
      await row.locator("summary").click();
      await row.locator("select").selectOption("personal-data");
      await row.locator('input[name="reason"]').fill("A phone number.");
      await press(visitor, row.locator('button[value="hide"]'));
      await check(visitor, "hidden");
      await visitor.go(`/consultations/${open}/answers?on=am-2`, "answers");
      const waiting = page.locator('input[name="contribution"]');
      if ((await waiting.count()) > 0) {
        await waiting.first().check();
        await page.fill("#title", "On what is missing");
        await page.fill("#words", "The number of groups is shown.");
        await page.fill("#because", "It is so already.");
        await press(visitor, page.locator("#waiting ~ button").first());
        await check(visitor, "answered");
        assert.match(page.url(), /\/answers\/\d+$/);
      }
      await visitor.close();
      const reader = await visit(browser, way);
      await reader.go(`/consultations/${open}/clauses/am-1`, "clause with a hidden comment");
      const text = await reader.page.locator(`#c-${number}`).innerText();
      assert.doesNotMatch(text, /555/, "hidden words are not shown");
      assert.match(text, /A phone number/, "the reason is public");
      await reader.close();
    });
  }

  it("are opened with a text that is split by its headings", async () => {
    const visitor = await visit(browser, { lang: "en", scripts: false, width: 390 });
    const { page } = visitor;
    await signIn(visitor, account("zhao"));
    await visitor.go("/consultations/new", "open a consultation");
    await page.fill("#text_en", "## One {#one}\nFirst.\n\n## Two\nSecond.");
    await press(visitor, page.locator('button[value="check"]'));
    await check(visitor, "text checked");
    assert.equal(await page.locator(".panel .contents li").count(), 2);
    await press(visitor, page.locator('button[value="open"]'));
    await check(visitor, "without a title");
    assert.ok((await page.locator(".cg-error-summary a").count()) > 0);
    await page.fill("#title_en", `Two clauses ${Date.now()}`);
    await page.fill("#summary_en", "To see that it works.");
    await press(visitor, page.locator('button[value="open"]'));
    await check(visitor, "opened");
    assert.match(page.url(), /\/consultations\/c-[0-9a-f]+$/);
    assert.equal(await page.locator(".contents li").count(), 2);
    await visitor.close();
  });

  for (const way of [ways[0], ways.at(-1)]) {
    it(`are opened with the words of files (${named(way)})`, async () => {
      const visitor = await visit(browser, way);
      const { page } = visitor;
      await signIn(visitor, account("zhao"));
      await visitor.go("/consultations/new", "open a consultation with files");
      const title = `Of files ${Date.now()}`;
      await page.fill("#title_en", title);
      await page.fill("#summary_en", "To see that files are read.");
      await page.fill("#text_zh", "## 打字");
      const laughs = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]>';
      for (const file of [
        text("broken.docx", "PK\u0003\u0004 nothing"),
        docx("laughs.docx", ["&c;"], laughs),
        text("long.md", "x".repeat(9 * 1024 * 1024)),
        text("picture.md", "\u0000"),
      ]) {
        await page.setInputFiles("#file_en", file);
        await press(visitor, page.locator('button[value="check"]'));
        await check(visitor, `refused ${file.name}`);
        assert.match(await page.locator('.cg-error-summary a[href="#file_en"]').innerText(), new RegExp(file.name));
        assert.equal(await page.inputValue("#title_en"), title, "nothing typed is lost");
        assert.equal(await page.inputValue("#text_zh"), "## 打字");
      }
      await page.setInputFiles("#file_en", docx("text.docx", ["Article 1 Purpose", "Data serves &lt;people&gt;.", "Article 2 Scope", "All bodies."]));
      await page.setInputFiles("#file_zh", text("text.md", "第一条 目的\n\n数据为民。\n\n第二条 范围\n\n所有机构。\n"));
      await press(visitor, page.locator('button[value="check"]'));
      await check(visitor, "files read");
      assert.equal(await page.locator(".panel .contents li").count(), 2, "two clauses by their numbers");
      assert.match(await page.inputValue("#text_en"), /Article 2 Scope/, "the words stand in the field");
      assert.match(await page.inputValue("#text_zh"), /第二条/);
      await press(visitor, page.locator('button[value="open"]'));
      await check(visitor, "opened with files");
      assert.match(page.url(), /\/consultations\/c-[0-9a-f]+$/);
      await visitor.go(`${new URL(page.url()).pathname}/clauses/art-2`, "a clause of a file");
      assert.match(await page.locator("article.clause").innerText(), way.lang === "en" ? /All bodies/ : /所有机构/);
      await visitor.close();
    });
  }

  it("give their open data to anyone and refuse votes without an account", async () => {
    for (const file of ["votes.csv", "comments.csv", "participants-votes.csv", "summary.csv", "coverage.csv", "record.jsonl", "results.json"]) {
      const response = await fetch(`${base}/api/v1/consultations/${open}/${file}`);
      assert.equal(response.status, 200, file);
      assert.ok((await response.text()).length > 20, file);
    }
    const vote = await fetch(`${base}/api/v1/consultations/${open}/votes`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ statement: 0, vote: "agree" }),
    });
    assert.equal(vote.status, 401);
    const { name, token } = account("judith");
    const late = await fetch(`${base}/api/v1/consultations/${concluded}/votes`, {
      method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` }, body: JSON.stringify({ statement: 0, vote: "agree" }),
    });
    assert.equal(late.status, 409, name);
    assert.match((await late.json()).detail, /closed/);
  });
});
