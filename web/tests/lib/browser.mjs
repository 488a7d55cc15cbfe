// Chromium as the suite drives it: every way a person may come, and what must hold on each page they see.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { base } from "./world.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const shots = process.env.COGOV_SHOTS;

/** Both languages, with and without scripts, at both widths. */
export const ways = ["en", "zh-Hans"].flatMap((lang) =>
  [true, false].flatMap((scripts) => [1280, 390].map((width) => ({ lang, scripts, width }))),
);
export const named = (way) => `${way.lang}, ${way.scripts ? "scripts" : "no scripts"}, ${way.width} px`;

export async function launch() {
  const executablePath = process.env.COGOV_CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}: install chromium or set COGOV_CHROMIUM`);
  return chromium.launch({ executablePath, args: flags });
}

/** A visitor of one way. `look` goes to a page and checks what must hold on every page. */
export async function visit(browser, way) {
  const context = await browser.newContext({
    viewport: { width: way.width, height: 900 },
    javaScriptEnabled: way.scripts,
    acceptDownloads: true,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("console", (line) => {
    if (line.text().includes("Content Security Policy")) complaints.push(line.text());
  });
  await page.goto(`${base}/?lang=${way.lang}`);
  const visitor = { page, way, complaints, close: () => context.close() };
  visitor.go = async (path, name) => {
    const response = await page.goto(base + path);
    await check(visitor, name ?? path);
    return response;
  };
  return visitor;
}

export async function signIn(visitor, who) {
  const { page } = visitor;
  await page.goto(`${base}/sign-in`);
  await page.fill("#account", who.name);
  await page.fill("#password", who.password);
  await press(visitor, page.locator("form.narrow button"));
  assert.equal(await page.locator('form[action="/sign-out"]').count(), 1, `${who.name} is signed in`);
}

/** Presses a button that sends a form and waits for the page that follows. */
export async function press(visitor, button) {
  await Promise.all([visitor.page.waitForEvent("domcontentloaded"), button.click()]);
}

let shot = 0;

/** What must hold on every page: language, one heading, nothing wider than the screen, no complaint, axe content. */
export async function check(visitor, name) {
  const { page, way } = visitor;
  assert.equal(await page.locator("html").getAttribute("lang"), way.lang, `${name}: language`);
  assert.equal(await page.locator("h1").count(), 1, `${name}: one heading`);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(tooWide <= 0, `${name}: ${tooWide} px wider than the screen`);
  assert.deepEqual(visitor.complaints, [], `${name}: complaints`);
  if (shots) {
    mkdirSync(shots, { recursive: true });
    const file = `${String(++shot).padStart(3, "0")}-${way.lang}-${way.width}-${name.replace(/[^a-z0-9]+/gi, "_").slice(0, 50)}.png`;
    await page.screenshot({ path: `${shots}/${file}`, fullPage: true });
  }
  if (way.scripts) await audit(page, name);
}

async function audit(page, name) {
  await page.evaluate(axe);
  const result = await page.evaluate(() =>
    // eslint-disable-next-line no-undef
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const found = result.violations.map((v) => `${v.id}: ${v.help}\n    ${v.nodes.map((n) => n.html.slice(0, 160)).join("\n    ")}`);
  assert.deepEqual(found, [], `${name}: axe`);
}
