// Builds dist/: one style sheet and the small modules, each with its content's hash in its name, and
// manifest.json that maps plain names to hashed ones. Fails when anything of GOV.UK's own look is left.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as sass from "sass";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const manifest = {};

function emit(name, text) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const dot = name.lastIndexOf(".");
  const hashed = `${name.slice(0, dot)}.${hash}${name.slice(dot)}`;
  writeFileSync(join(dist, hashed), text);
  manifest[name] = hashed;
  console.log(`${hashed}  ${text.length} bytes`);
}

function styles() {
  const { css } = sass.compile(join(root, "src/styles/main.scss"), {
    style: "compressed",
    importers: [new sass.NodePackageImporter(root)],
  });
  const own = css.replaceAll("govuk-", "cg-");
  for (const mark of ["@font-face", "govuk", "gov.uk", "GDS", "url("]) {
    if (own.includes(mark)) throw new Error(`the style sheet still has ${mark}: remove what brings it`);
  }
  return own;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
emit("main.css", styles());
for (const folder of ["src/scripts", "src/static"]) {
  for (const file of readdirSync(join(root, folder)).sort()) {
    emit(file, readFileSync(join(root, folder, file), "utf8"));
  }
}
writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2));
