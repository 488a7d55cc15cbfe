// The node under test and its people, from the environment: COGOV_BASE_URL and COGOV_DEMO_JSON (the path of demo.json).
import { readFileSync } from "node:fs";

export const base = (process.env.COGOV_BASE_URL ?? "http://127.0.0.1:8080").replace(/\/$/, "");
const path = process.env.COGOV_DEMO_JSON;
if (!path) throw new Error("set COGOV_DEMO_JSON to the path of demo.json (cargo xtask test does)");
export const demo = JSON.parse(readFileSync(path, "utf8"));

/** The first person with a role, of a party when one is named. */
export function person(role, party) {
  const found = demo.accounts.find((a) => a.roles.includes(role) && (!party || a.party === party));
  if (!found) throw new Error(`nobody of ${party ?? "any party"} is ${role} in demo.json`);
  return found;
}

/** A grant of the demo world by its id. */
export function grant(id) {
  const found = demo.grants.find((g) => g.id === id);
  if (!found) throw new Error(`demo.json has no grant ${id}`);
  return found;
}
