/** The shape of the code: who may import whom, no cycles, small files, and documents that name what is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { deliveryStatuses, verificationFailures } from "#protocol/delivery.ts";
import { apiErrorCodes, errorAnswer } from "#protocol/errors.ts";
import { outcomeReasonSchema } from "#protocol/occurrence.ts";
import { runErrorCodes } from "#protocol/run-errors.ts";
import { triggerInputSchema } from "#protocol/triggers.ts";
import { webhookSources } from "#protocol/webhook-sources.ts";
import { type Import, importsOf, withoutComments } from "./rules/support/imports.ts";

const ROOT = join(import.meta.dirname, "..");
const PROGRAM_FOLDERS = [
  "protocol",
  "rules",
  "instance",
  "worker",
  "durable-objects",
  "sandbox-runner",
  "cli",
  "scripts",
  "web",
  "bench",
] as const;
type ProgramFolder = (typeof PROGRAM_FOLDERS)[number];
const TOP_FOLDERS = [...PROGRAM_FOLDERS, "migrations", "test", "docs"];

/** Which of our folders a folder may import from, beside itself. Tests may import everything. */
const MAY_IMPORT: Record<ProgramFolder, readonly string[]> = {
  protocol: [],
  rules: ["protocol"],
  instance: ["protocol", "rules"],
  worker: ["protocol", "rules", "instance", "durable-objects", "migrations"],
  "durable-objects": ["protocol", "rules", "instance", "migrations"],
  "sandbox-runner": ["protocol", "rules"],
  // The runner is one of its commands.
  cli: ["protocol", "rules", "sandbox-runner"],
  // A deploy checks the variables that it gives as the worker will.
  scripts: ["protocol", "instance"],
  web: ["protocol"],
  // The worker, to serve it with a counter of rows around its objects.
  bench: ["protocol", "rules", "scripts", "sandbox-runner", "worker"],
};
/** What runs where the web app is built, not in it. */
const BUILDS_WEB = "web/vite.config.ts";
/** Written by a generator from the API's document. */
const GENERATED = "web/src/client/generated.ts";
/** It reads the API's document out of the worker's code, under hooks that stand in for the platform and have to be there first. */
const READS_THE_WORKER = "scripts/generate-client.ts";
/** The platform finds the classes of the objects in the worker's main file. */
const CLASSES_ARE_EXPORTED_IN = "worker/index.ts";
/** The one file per program that starts processes. What installs the packages or finds Node runs before there is anything to import. */
const SPAWNERS: Record<ProgramFolder, readonly string[]> = {
  protocol: [],
  rules: [],
  instance: [],
  worker: [],
  "durable-objects": [],
  "sandbox-runner": ["sandbox-runner/process/spawn.ts"],
  cli: ["cli/reveille.mjs"],
  scripts: ["scripts/child-process.ts", "scripts/ensure-installed.mjs"],
  web: [],
  bench: ["bench/support/helper.ts"],
};
/** Programs of those who work on the project: what they import of packages need not be there to run an instance. */
const FOR_CONTRIBUTORS = [
  "bench",
  "scripts/browser",
  "scripts/check-generated.ts",
  "scripts/generate-client.ts",
  "scripts/screenshots",
  "scripts/screenshots.ts",
];
const MAY_READ_ENVIRONMENT = [
  "worker/index.ts",
  "worker/app.ts",
  "worker/deps.ts",
  "worker/parties/parties.ts",
  "worker/exit/sandbox-exit.ts",
];
/** The worker's calls have their deadlines there; readiness asks D1 and the roster with one of its own. */
const MAY_HOLD_BINDINGS = ["worker/parties/parties.ts", "worker/health/readiness.ts"];
const LINE_LIMITS = { "worker/index.ts": 40, source: 300, test: 400 };

interface Edge extends Import {
  from: string;
}

/** What has been read: each of some hundred errors is looked for in all sources. */
const texts = new Map<string, string>();
const sources = PROGRAM_FOLDERS.flatMap((folder) => filesIn(folder)).filter(isProgram);
const tests = filesIn("test").filter(isProgram);
const documents = ["README.md", "CONTRIBUTING.md", ...filesIn("docs").filter((file) => extname(file) === ".md")];
const edges: Edge[] = sources.flatMap((from) => importsOf(from, read(from)).map((one) => ({ from, ...one })));

it("finds all files and their imports", () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(edges).toContainEqual({ from: CLASSES_ARE_EXPORTED_IN, target: "worker/app.ts", isType: false });
});

describe("imports", () => {
  it("go round in no circle, types included", () => {
    expect(cycles()).toEqual([]);
  });

  it("of protocol are zod and protocol", () => {
    const wrong = edges.filter(
      ({ from, target }) => topOf(from) === "protocol" && !isOneOf(target, ["zod", "protocol"]),
    );
    expect(arrows(wrong)).toEqual([]);
  });

  it.each(PROGRAM_FOLDERS)("of %s stay within what it may know of us", (folder) => {
    const wrong = edges.filter(
      ({ from, target }) =>
        topOf(from) === folder &&
        ((target === "(computed)" && from !== READS_THE_WORKER) ||
          (isOurs(target) && !isOneOf(target, [folder, ...MAY_IMPORT[folder]]))),
    );
    expect(arrows(wrong)).toEqual([]);
  });

  it("of packages are, in what people run, those that a start installs", () => {
    const { dependencies } = JSON.parse(read("package.json"));
    const given = [...Object.keys(dependencies), "node:", "cloudflare:", "package.json"];
    const wrong = edges.filter(
      ({ from, target, isType }) =>
        !isType &&
        !isOneOf(from, FOR_CONTRIBUTORS) &&
        !isOurs(target) &&
        target !== "(computed)" &&
        !given.some((name) => target === name || target.startsWith(name.endsWith(":") ? name : `${name}/`)),
    );
    expect(arrows(wrong)).toEqual([]);
  });

  // With the WebSocket client of Miniflare, a script beside an instance finds one though no tests have been installed.
  it.each(["workerd", "ws"])("lead to one %s, which a start installs", (name) => {
    const { packages } = JSON.parse(read("package-lock.json"));
    const found = Object.keys(packages).filter((place) => place.endsWith(`node_modules/${name}`));
    expect(found.map((place) => [place, packages[place].dev ?? false])).toEqual([[`node_modules/${name}`, false]]);
  });

  it("of rules are protocol, zod, croner, re2js and @noble/hashes", () => {
    const known = ["rules", "protocol", "zod", "croner", "re2js", "@noble/hashes"];
    const wrong = edges.filter(({ from, target }) => topOf(from) === "rules" && !isOneOf(target, known));
    expect(arrows(wrong)).toEqual([]);
  });

  it("by the worker of an object's code are types; the classes are the main file's", () => {
    const wrong = edges.filter(
      ({ from, target, isType }) =>
        topOf(from) === "worker" && topOf(target) === "durable-objects" && !isType && from !== CLASSES_ARE_EXPORTED_IN,
    );
    expect(arrows(wrong)).toEqual([]);
  });

  it("by the web app, of ours, are types of protocol, and of what is not ours nothing of Node or zod", () => {
    const wrong = edges.filter(
      ({ from, target, isType }) =>
        topOf(from) === "web" &&
        from !== BUILDS_WEB &&
        ((topOf(target) === "protocol" && !isType) || /^(node:|zod\b)/.test(target)),
    );
    expect(arrows(wrong)).toEqual([]);
  });

  it("of the pool's hosts are made where the pool is put together; everybody else knows the port alone", () => {
    const [hosts, port] = ["durable-objects/pool/hosts", "durable-objects/pool/hosts/lease-host.ts"];
    const wrong = edges.filter(
      ({ from, target }) =>
        isOneOf(target, [hosts]) &&
        target !== port &&
        !isOneOf(from, [hosts]) &&
        from !== "durable-objects/pool/assemble.ts",
    );
    expect(arrows(wrong)).toEqual([]);
  });

  it("by the pool's hosts are of its tables and of nothing above them", () => {
    const tables = ["durable-objects/pool/hosts", "durable-objects/pool/database.ts", "durable-objects/pool/schema.ts"];
    const wrong = edges.filter(
      ({ from, target }) =>
        isOneOf(from, ["durable-objects/pool/hosts"]) &&
        isOneOf(target, ["durable-objects"]) &&
        !isOneOf(target, tables),
    );
    expect(arrows(wrong)).toEqual([]);
  });

  it.each(PROGRAM_FOLDERS)("of node:child_process in %s are in its one file for it", (folder) => {
    const spawners = edges.filter(
      ({ from, target }) => topOf(from) === folder && /^(node:)?child_process$/.test(target),
    );
    expect([...new Set(spawners.map(({ from }) => from))].sort()).toEqual([...SPAWNERS[folder]].sort());
  });
});

describe("files", () => {
  it("of rules ask no clock and no chance, and wait for nothing", () => {
    const wrong = sources.filter(
      (file) =>
        topOf(file) === "rules" &&
        /\bDate\.now\b|new Date\(\)|\bMath\.random\b|\bcrypto\.|\bfetch\(|\bawait\b/.test(withoutComments(read(file))),
    );
    expect(wrong).toEqual([]);
  });

  it("of the worker read the environment at its doors only", () => {
    const wrong = sources.filter(
      (file) =>
        topOf(file) === "worker" &&
        !MAY_READ_ENVIRONMENT.includes(file) &&
        /(?<![-\w])env\s*\??[.[]|\.env\b/.test(withoutComments(read(file))),
    );
    expect(wrong).toEqual([]);
  });

  it("of the worker call objects, D1, R2 and the queue in one place, which gives each call its deadline", () => {
    const wrong = sources.filter(
      (file) =>
        topOf(file) === "worker" &&
        !MAY_HOLD_BINDINGS.includes(file) &&
        /\.(DB|ROUTINE|POOL|GATE|ROSTER|BUDGET|CLOCK|BODIES|ASSETS)\b|\b(routine|pool|gate|roster|budget)Object\(/.test(
          withoutComments(read(file)),
        ),
    );
    expect(wrong).toEqual([]);
  });

  it("are short enough to be read at once", () => {
    const limitOf = (file: string) => (file === CLASSES_ARE_EXPORTED_IN ? LINE_LIMITS[file] : LINE_LIMITS.source);
    const long = [
      ...sources.filter((file) => file !== GENERATED).map((file) => ({ file, limit: limitOf(file) })),
      ...tests.map((file) => ({ file, limit: LINE_LIMITS.test })),
    ].flatMap(({ file, limit }) => {
      const lines = read(file).trimEnd().split("\n").length;
      return lines > limit ? [`${file}: ${lines} lines, at most ${limit}`] : [];
    });
    expect(long).toEqual([]);
  });

  it("leave nothing for later", () => {
    const marks = new RegExp(["TO", "DO|FIX", "ME"].join(""));
    const wrong = [...sources, ...tests, ...documents].filter((file) => marks.test(read(file)));
    expect(wrong).toEqual([]);
  });
});

describe("documents", () => {
  it("have a row for each folder of the program that holds files, and none for another", () => {
    const folders = PROGRAM_FOLDERS.flatMap((folder) => filesIn(folder))
      .map((file) => dirname(file))
      .filter((folder) => !folder.startsWith("bench/scratch-"));
    const [, rooms = ""] = read("docs/architecture.md").split(/^## Rooms$|^## Words$/m);
    const rows = [...rooms.matchAll(/^\| `([^`]+)\/` +\|/gm)].map(([, folder]) => folder);
    expect(rows.toSorted()).toEqual([...new Set([...folders, "migrations", "test"])].sort());
  });

  it("name only files that are there", () => {
    const missing = documents.flatMap((document) =>
      namedPaths(read(document))
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${document} → ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it("link only to files that are there", () => {
    const missing = documents.flatMap((document) =>
      linkedPaths(document, read(document))
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${document} → ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it.each([
    ["API errors", apiErrorCodes],
    ["Run errors", runErrorCodes],
  ])("of %s have a heading for each code, and no other", (section, codes) => {
    const text =
      read("docs/errors.md")
        .split(/^## /m)
        .find((part) => part.startsWith(`${section}\n`)) ?? "";
    const headings = [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(codes);
  });

  it.each(apiErrorCodes)("tell the status and type of %s", (code) => {
    const { status, body } = errorAnswer({ code }, "req_1");
    expect(read("docs/errors.md")).toContain(`\n### ${code}\n\n${status} \`${body.error.type}\`\n`);
  });

  it.each([...apiErrorCodes, ...runErrorCodes])("tell of %s, which something gives", (code) => {
    const givers = sources.filter((file) => file !== "protocol/errors.ts" && read(file).includes(`"${code}"`));
    expect(givers).not.toEqual([]);
  });

  it.each([
    ...triggerInputSchema.options.map(({ shape }) => shape.type.value),
    ...outcomeReasonSchema.options,
    ...verificationFailures,
    ...deliveryStatuses,
  ])("tell newcomers of %s", (word) => {
    expect(read("docs/triggers.md")).toContain(`\`${word}\``);
  });

  it.each(webhookSources)("lead from the triggers to the page of %s", (source) => {
    expect(read("docs/triggers.md")).toMatch(new RegExp(`^\\| \`${source}\` .*\\(listeners/${source}\\.md\\)`, "m"));
  });

  it("have no third section of errors", () => {
    expect(read("docs/errors.md").match(/^### /gm)).toHaveLength(apiErrorCodes.length + runErrorCodes.length);
  });
});

function read(file: string): string {
  const text = texts.get(file) ?? readFileSync(join(ROOT, file), "utf8");
  texts.set(file, text);
  return text;
}

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

function isProgram(file: string): boolean {
  return [".ts", ".mts", ".js", ".mjs", ".tsx"].includes(extname(file));
}

function topOf(path: string): string {
  return path.split("/")[0] ?? "";
}

function isOurs(path: string): boolean {
  return TOP_FOLDERS.includes(topOf(path));
}

function isOneOf(path: string, names: readonly string[]): boolean {
  return names.some((name) => path === name || path.startsWith(`${name}/`));
}

function arrows(found: readonly Edge[]): string[] {
  return found.map(({ from, target, isType }) => `${from} → ${target}${isType ? " (types)" : ""}`);
}

/** The shortest circle through each file that lies on one; a circle is told once. */
function cycles(): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const found = new Set<string>();
  for (const start of sources) {
    const circle = wayBack(start, next);
    if (circle === null) continue;
    const first = circle.indexOf([...circle].sort()[0] ?? start);
    const turned = [...circle.slice(first), ...circle.slice(0, first)];
    found.add([...turned, turned[0]].join(" → "));
  }
  return [...found].sort();
}

/** Breadth first: the files from `start` until an import leads back to it. */
function wayBack(start: string, next: ReadonlyMap<string, readonly Edge[]>): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const { target: neighbour } of next.get(file) ?? []) {
      if (neighbour === start) return wayTo(file, cameFrom);
      if (cameFrom.has(neighbour)) continue;
      cameFrom.set(neighbour, file);
      queue.push(neighbour);
    }
  }
  return null;
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end];
  for (let file = cameFrom.get(end); file !== undefined; file = cameFrom.get(file)) way.unshift(file);
  return way;
}

/** Paths in backticks that begin with a folder of ours; of a pattern, the folder in which it begins. */
function namedPaths(text: string): string[] {
  return [...text.matchAll(/`#?([\w.-]+\/[^`\s]*)`/g)]
    .map(([, path = ""]) => path.replace(/(?::\d+|#.*)$/, "").replace(/[^/]*[*<{…].*$/, ""))
    .filter((path) => isOurs(path));
}

/** Targets of links that are no address and no heading of the same page. */
function linkedPaths(document: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link.replace(/#.*$/, ""))
    .filter((link) => link !== "" && !/^[a-z]+:/.test(link) && !link.startsWith("/"))
    .map((link) => normalize(join(dirname(document), link)));
}
