/** The history of the demo repository: a small library with two releases, and some commits that no changelog tells yet. */

export interface DemoCommit {
  /** RFC 3339; author and committer alike. */
  at: string;
  author: string;
  message: string;
  /** Whole new contents by path. */
  files: Record<string, string>;
  tag?: string;
}

export const DEMO_REPOSITORY = "changelog-demo";

const MIRA = "Mira Okafor <mira@example.com>";
const TOMAS = "Tomas Lind <tomas@example.com>";

export const DEMO_HISTORY: DemoCommit[] = [
  {
    at: "2026-08-03T09:12:00Z",
    author: MIRA,
    message: "feat: parse durations such as 1h30m",
    files: {
      "README.md": readme(["parse"]),
      "package.json": manifest("0.0.0"),
      "src/index.js": index(["parse"]),
      "src/parse.js": parser({ days: false, trims: false }),
    },
  },
  {
    at: "2026-08-04T14:40:00Z",
    author: MIRA,
    message: "test: cover minutes and seconds",
    files: {
      "test/parse.test.js": parserTest([
        'assert.equal(parse("2m5s"), 125_000);',
        'assert.equal(parse("1h30m"), 5_400_000);',
      ]),
    },
  },
  {
    at: "2026-08-05T08:02:00Z",
    author: MIRA,
    message: "chore: release 0.1.0",
    tag: "v0.1.0",
    files: { "CHANGELOG.md": changelog(["0.1.0"]), "package.json": manifest("0.1.0") },
  },
  {
    at: "2026-08-19T16:21:00Z",
    author: TOMAS,
    message: "feat: format milliseconds as text",
    files: {
      "README.md": readme(["parse", "format"]),
      "src/format.js": formatter({ largest: false }),
      "src/index.js": index(["parse", "format"]),
    },
  },
  {
    at: "2026-08-21T07:55:00Z",
    author: MIRA,
    message: "chore: release 0.2.0",
    tag: "v0.2.0",
    files: { "CHANGELOG.md": changelog(["0.2.0", "0.1.0"]), "package.json": manifest("0.2.0") },
  },
  {
    at: "2026-09-08T11:30:00Z",
    author: TOMAS,
    message: "feat(parse): accept days\n\nA day is 24 hours here; calendars are somebody else's trade.",
    files: { "src/parse.js": parser({ days: true, trims: false }) },
  },
  {
    at: "2026-09-15T13:05:00Z",
    author: MIRA,
    message: "fix(parse): ignore white space around the text",
    files: {
      "src/parse.js": parser({ days: true, trims: true }),
      "test/parse.test.js": parserTest([
        'assert.equal(parse("2m5s"), 125_000);',
        'assert.equal(parse("1h30m"), 5_400_000);',
        'assert.equal(parse(" 1d "), 86_400_000);',
      ]),
    },
  },
  {
    at: "2026-09-16T09:48:00Z",
    author: MIRA,
    message: "docs: show days in the README",
    files: { "README.md": readme(["parse", "format", "days"]) },
  },
  {
    at: "2026-10-02T15:17:00Z",
    author: TOMAS,
    message: "feat(format): stop at the largest unit when asked to",
    files: { "src/format.js": formatter({ largest: true }) },
  },
];

function readme(shown: ("parse" | "format" | "days")[]): string {
  const lines = {
    parse: 'parse("1h30m"); // 5400000',
    format: 'format(5_400_000); // "1h30m"',
    days: 'parse("2d"); // 172800000',
  };
  return `# plain-duration

Durations as people write them, in milliseconds and back. No dependencies.

\`\`\`js
${shown.map((key) => lines[key]).join("\n")}
\`\`\`
`;
}

function manifest(version: string): string {
  const fields = { name: "plain-duration", version, type: "module", exports: "./src/index.js", license: "MIT" };
  return `${JSON.stringify({ ...fields, scripts: { test: "node --test" } }, null, 2)}\n`;
}

function index(names: string[]): string {
  return names.map((name) => `export { ${name} } from "./${name}.js";\n`).join("");
}

function parser({ days, trims }: { days: boolean; trims: boolean }): string {
  return `const UNITS = { ${days ? "d: 86_400_000, " : ""}h: 3_600_000, m: 60_000, s: 1_000 };

/** "1h30m" → 5400000; null for anything that is no duration. */
export function parse(text) {
  const parts = [...text${trims ? ".trim()" : ""}.matchAll(/(\\d+)([${days ? "d" : ""}hms])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text${trims ? ".trim()" : ""}) return null;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNITS[unit], 0);
}
`;
}

function formatter({ largest }: { largest: boolean }): string {
  return `const UNITS = [["h", 3_600_000], ["m", 60_000], ["s", 1_000]];

/** 5400000 → "1h30m"${largest ? '; with { largest: true } only "1h"' : ""}. */
export function format(milliseconds${largest ? ", { largest = false } = {}" : ""}) {
  const parts = [];
  let rest = milliseconds;
  for (const [unit, size] of UNITS) {
    if (rest >= size) parts.push(\`\${Math.floor(rest / size)}\${unit}\`);
    rest %= size;
  }
  return ${largest ? "(largest ? parts.slice(0, 1) : parts)" : "parts"}.join("") || "0s";
}
`;
}

function parserTest(assertions: string[]): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "../src/parse.js";

test("reads durations", () => {
${assertions.map((assertion) => `  ${assertion}`).join("\n")}
});
`;
}

function changelog(versions: ("0.2.0" | "0.1.0")[]): string {
  const sections = {
    "0.2.0": "## 0.2.0\n\n### Added\n\n- Format milliseconds as text\n",
    "0.1.0": "## 0.1.0\n\n### Added\n\n- Parse durations such as 1h30m\n",
  };
  return `# Changelog\n\n${versions.map((version) => sections[version]).join("\n")}`;
}
