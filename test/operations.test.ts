/** The page for whoever is on call, and the tables of what the log tells: each has what the other has. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LOG_EVENTS } from "#protocol/log-events.ts";
import { TROUBLES } from "#protocol/troubles.ts";
import { withoutComments } from "./rules/support/imports.ts";

const ROOT = join(import.meta.dirname, "..");
const page = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
const sources = ["worker", "durable-objects", "instance"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(join(ROOT, folder, file), "utf8") })),
);

/** The parts of a section by their headings, in their order. */
function partsOf(section: string): Map<string, string> {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? "";
  const parts = text.split(/^### /m).slice(1);
  return new Map(parts.map((part) => [part.split("\n", 1)[0] ?? "", part]));
}

const named = (fields: object) => Object.keys(fields).map((field) => `\`${field}\``);

describe("lines of the log", () => {
  const parts = partsOf("Lines of the log");

  it("have a heading each, and no other", () => {
    expect([...parts.keys()]).toEqual(Object.keys(LOG_EVENTS));
  });

  it.each(Object.entries(LOG_EVENTS))("tell what %s carries", (what, { shape }) => {
    expect(parts.get(what)).toContain(`\nCarries ${named(shape).join(", ")}.\n`);
  });

  it.each(Object.keys(LOG_EVENTS))("of %s are written somewhere, in one place each", (what) => {
    const writers = sources.filter(
      ({ text }) => text.includes(`logEvent("${what}"`) || text.includes(`logSoon("${what}"`),
    );
    expect(writers).toHaveLength(1);
  });
});

describe("troubles", () => {
  const parts = partsOf("Troubles");

  it("have a heading each, in the order of the table, and no other", () => {
    expect([...parts.keys()]).toEqual(Object.keys(TROUBLES));
  });

  it.each(Object.entries(TROUBLES))("tell of %s what it means, what happens by itself, and what to do", (code, row) => {
    const fields = named(row.carries.shape);
    const carries = fields.length === 0 ? "" : `; carries ${fields.join(", ")}`;
    const part = parts.get(code) ?? "";
    expect(part).toContain(`\n\n\`${row.level}\`${carries}\n\n${row.means}\n\n`);
    expect(part).toMatch(/^- By itself: \S/m);
    expect(part).toMatch(/^- Do: \S/m);
  });

  it.each(Object.keys(TROUBLES))("of %s are met somewhere", (code) => {
    expect(sources.filter(({ text }) => text.includes(`"${code}"`))).not.toEqual([]);
  });

  it("that need somebody come before those that mend by themselves", () => {
    const levels = Object.values(TROUBLES).map(({ level }) => level);
    expect(levels.lastIndexOf("error")).toBeLessThan(levels.indexOf("warn"));
  });
});

it("nothing else is written: the worker and its objects know no other way into the log", () => {
  const wrong = sources.filter(({ text }) => /\bconsole\s*[.[]/.test(withoutComments(text))).map(({ file }) => file);
  expect(wrong).toEqual([]);
});

it("links within the page lead to a heading", () => {
  const slugOf = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");
  const slugs = new Set([...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => slugOf(heading)));
  const missing = [...page.matchAll(/\]\(#([^)]+)\)/g)].flatMap(([, slug = ""]) => (slugs.has(slug) ? [] : [slug]));
  expect(missing).toEqual([]);
});
