/** However long and however nasty a text is, the pages' work on it grows with its length and no faster. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import * as actors from "#web/src/format/actor.ts";
import * as amounts from "#web/src/format/amounts.ts";
import * as connectors from "#web/src/format/connectors.ts";
import * as durations from "#web/src/format/duration.ts";
import * as origins from "#web/src/format/origin.ts";
import * as repositories from "#web/src/format/repository.ts";
import * as repositoryLinks from "#web/src/format/repository-links.ts";
import * as statuses from "#web/src/format/status.ts";
import * as triggers from "#web/src/format/triggers.ts";
import * as toolInputs from "#web/src/session/items/tool-input.ts";
import * as plainItems from "#web/src/session/plain-items.ts";
import * as ansi from "#web/src/session/text/ansi.ts";
import * as itemTexts from "#web/src/session/text/item-markdown.ts";
import * as jsonTexts from "#web/src/session/text/json-text.ts";
import * as links from "#web/src/session/text/link-address.ts";
import * as chunks from "#web/src/session/text/markdown-chunks.ts";
import * as markdown from "#web/src/session/text/parse-markdown.ts";
import * as previews from "#web/src/session/text/preview.ts";
import * as toolSummaries from "#web/src/session/text/tool-summary.ts";
import * as visible from "#web/src/session/text/visible-text.ts";
import * as transcripts from "#web/src/session/transcript-items.ts";

type Work = (text: string) => unknown;

const IDS = { session_id: `session_${"0".repeat(26)}`, run_id: `run_${"0".repeat(26)}` };
const AT = "2026-11-22T00:00:01.250Z";

function eventsOf(text: string): TranscriptEvent[] {
  const bodies = [
    { type: "agent.message", message_id: "m", text },
    { type: "tool.call", tool_call_id: text.slice(0, 200), name: "Bash", input: { command: text } },
    { type: "tool.result", tool_call_id: text.slice(0, 200), is_error: false, text },
  ];
  return bodies.map((body, index) => transcriptEventSchema.parse({ seq: index + 1, at: AT, ...IDS, ...body }));
}

/** Every function that a text from outside can reach, under the name that its module exports. */
const WORK: Record<string, Work> = {
  branchLink: (text) => [
    repositoryLinks.branchLink(text, text),
    repositoryLinks.branchLink(`https://github.com/${text}`, `${text}\ud800`),
    repositoryLinks.branchLink("https://github.com/a/b", text),
  ],
  commitLink: (text) => repositoryLinks.commitLink("https://github.com/a/b", text),
  itemMarkdown: (text) => {
    const items = new transcripts.TranscriptItems();
    items.append(eventsOf(text));
    return items.items.map(itemTexts.itemMarkdown);
  },
  repositoryName: repositories.repositoryName,
  triggerLine: (text) => triggers.triggerLine(triggerOf(text)),
  triggerTerms: (text) => triggers.triggerTerms(triggerOf(text)),
  jsonText: (text) => jsonTexts.jsonText({ [text]: [text] }),
  jsonLine: (text) => jsonTexts.jsonLine({ [text]: [text] }),
  toolInput: (text) => [
    toolInputs.toolInput({ [text]: text, old_string: text, new_string: `${text}x` }),
    toolInputs.toolInput(text),
  ],
  outputLanguage: (text) => [
    toolInputs.outputLanguage("Read", { file_path: text }, text),
    toolInputs.outputLanguage("Bash", text, `{${text}`),
  ],
  plainItem: (text) => eventsOf(text).map((event) => plainItems.plainItem(event, "k")),
  hasAnsi: ansi.hasAnsi,
  ansiPieces: ansi.ansiPieces,
  withoutAnsi: ansi.withoutAnsi,
  linkAddress: (text) => [
    links.linkAddress(text),
    links.linkAddress(`https://x/${text}`),
    links.linkAddress(`mailto:${text}`),
  ],
  markdownChunks: chunks.markdownChunks,
  preview: (text) => [
    previews.preview(text, { lines: 1e6, characters: 1e6 }),
    previews.preview(text, { lines: 20, characters: 1e6 }),
  ],
  toolName: (text) => [
    toolSummaries.toolName(text),
    toolSummaries.toolName(`mcp__${text}`),
    toolSummaries.toolName(`mcp__${text}\n`),
  ],
  tellingInput: (text) => [
    toolSummaries.tellingInput(text),
    toolSummaries.tellingInput({ command: text }),
    toolSummaries.tellingInput({ command: `x${text}y` }),
    toolSummaries.tellingInput({ path: text }),
    toolSummaries.tellingInput({ [text]: [text] }),
  ],
  shortPath: (text) => [toolSummaries.shortPath(text), toolSummaries.shortPath(`/${text}/runs/run_`)],
  shortPaths: (text) => [
    toolSummaries.shortPaths(text),
    toolSummaries.shortPaths(`/${text}/runs/run_1M80KR6P64847JN8W9FE4CPEYE.1/a`),
    toolSummaries.shortPaths("/runs/run_1M80KR6P64847JN8W9FE4CPEYE.1/a".repeat(text.length / 40)),
  ],
  visibleText: visible.visibleText,
  visibleLine: visible.visibleLine,
  TranscriptItems: (text) => {
    const [items, later] = [new transcripts.TranscriptItems(), new transcripts.TranscriptItems()];
    items.append(eventsOf(text));
    later.append(eventsOf(text).slice(2));
    later.prepend(items);
    return later.items;
  },
};

/** Those that get no text of a length from outside: numbers, times, words of ours, or what another of the table has bounded. */
const NO_TEXT = [
  ...["actorWords", "formatCost", "formatTokens", "totalTokens", "plural", "formatBytes"],
  ...["formatDuration", "formatElapsed", "durationBetween", "formatRelative"],
  ...[
    "isActiveStatus",
    "isUntaken",
    "runLabel",
    "runHeadline",
    "originTerms",
    "connectorName",
    "cutOf",
    "messageKey",
    "isObject",
  ],
  // By way of `triggerLine` and `triggerTerms`.
  ...["filterWords", "routineLine", "scheduleWords", "waitingLine"],
  // Of pieces that `markdownChunks` bounds: see `Markdown, piece by piece`.
  "parseMarkdown",
];

const INPUTS: Record<string, (length: number) => string> = {
  blanks: (n) => " ".repeat(n),
  "blanks between words": (n) => `a${" ".repeat(n)}b`,
  "blanks and lines": (n) => "  \n".repeat(n / 3),
  "line ends": (n) => "\n".repeat(n),
  "carriage returns": (n) => "\r".repeat(n),
  tabs: (n) => "\t".repeat(n),
  "wide blanks": (n) => "\u2003\u00a0".repeat(n / 2),
  "one word": (n) => "a".repeat(n),
  words: (n) => "word ".repeat(n / 5),
  slashes: (n) => `${"/".repeat(n)}x`,
  "slashes in the middle": (n) => `x${"/".repeat(n)}x`,
  "paths to runs": (n) => "/runs/run_".repeat(n / 10),
  underscores: (n) => "_".repeat(n),
  "underscores and a line": (n) => `${"_".repeat(n)}\n`,
  "stars and underscores": (n) => "*_".repeat(n / 2),
  backticks: (n) => "`".repeat(n),
  "ever longer fences": (n) => Array.from({ length: Math.sqrt(2 * n) }, (_, k) => "`".repeat(k)).join("\n"),
  tildes: (n) => "~".repeat(n),
  "tildes and a backtick": (n) => `${"~".repeat(n)}\``,
  "backticks and a word": (n) => `${"`".repeat(n)}a\``,
  "open fences": (n) => "```\n".repeat(n / 4),
  "other fences": (n) => "~~~\n```\n".repeat(n / 8),
  brackets: (n) => "[".repeat(n),
  "brackets and parentheses": (n) => "[](".repeat(n / 3),
  images: (n) => "![".repeat(n / 2),
  angles: (n) => "<".repeat(n),
  ampersands: (n) => "&a".repeat(n / 2),
  quotes: (n) => ">".repeat(n),
  "quotes and blanks": (n) => "> ".repeat(n / 2),
  "nested lists": (n) => Array.from({ length: Math.sqrt(n) }, (_, k) => `${"  ".repeat(k % 50)}- a`).join("\n"),
  "list marks": (n) => "1. ".repeat(n / 3),
  digits: (n) => "1".repeat(n),
  "table marks": (n) => "|".repeat(n),
  URLs: (n) => "https://a.b/".repeat(n / 12),
  "www and dots": (n) => "www.".repeat(n / 4),
  addresses: (n) => "a@".repeat(n / 2),
  dots: (n) => ".git".repeat(n / 4),
  escapes: (n) => "\u001b".repeat(n),
  "escapes that open": (n) => "\u001b[".repeat(n / 2),
  "escapes with blanks": (n) => "\u001b[   ".repeat(n / 5),
  "escapes with parameters": (n) => "\u001b[1;2;3".repeat(n / 7),
  "escapes that name a title": (n) => "\u001b]0;a".repeat(n / 5),
  "one title without an end": (n) => `\u001b]${"a".repeat(n)}`,
  colours: (n) => "\u001b[31ma".repeat(n / 6),
  "half pairs": (n) => "\ud800".repeat(n),
  "whole pairs": (n) => "\ud83d\ude00".repeat(n / 2),
  overrides: (n) => "\u202e".repeat(n),
  "control characters": (n) => "\u0001\u007f\u0085".repeat(n / 3),
};

function triggerOf(text: string) {
  const filters = [{ field: text, operator: "is_one_of", value: [text, text] }];
  return { type: "webhook", source: "generic", events: [text], filters } as unknown as triggers.ShownTrigger;
}

const LENGTH = 4_000;
const TIMES = 8;
/** Work that grows with the length grows to 8 times, work that grows with its square to 64 times. */
const BOUND = 24;
/** What is done within this time says nothing: its square, at eight times the length, is far above the bound all the same. */
const UNIT_US = 2_000;
/** A machine that is busy makes work look like more, now and then; it makes it look like less never. */
const TRIES = 6;

/** The processor time of this thread alone, in microseconds: what else the machine does counts for little. */
function costOf(work: Work, text: string): number {
  const before = process.threadCpuUsage();
  work(text);
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** Tried until it is well below the bound; only what never is, in many tries, grows faster. */
function growthOf(work: Work, input: (length: number) => string, length: number): number {
  const [short, long] = [input(length), input(TIMES * length)];
  // The first times are of code that is not compiled yet: they would hide growth.
  let least = Math.min(costOf(work, short), costOf(work, short), costOf(work, short));
  let [leastLong, growth] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let tried = 0; tried < TRIES && growth >= BOUND; tried += 1) {
    least = Math.min(least, costOf(work, short));
    leastLong = Math.min(leastLong, costOf(work, long));
    growth = leastLong / Math.max(least, UNIT_US);
  }
  return growth;
}

describe.each(Object.entries(WORK))("%s", (_name, work) => {
  it("does work that grows with the length of what it is given", () => {
    const growths = Object.entries(INPUTS).map(([title, input]) => ({ title, growth: growthOf(work, input, LENGTH) }));
    expect(growths.filter(({ growth }) => growth >= BOUND)).toEqual([]);
  });
});

it("Markdown, piece by piece, is read with work that grows with the length", () => {
  const read: Work = (text) =>
    chunks.markdownChunks(text).map((chunk) => chunk.kind === "markdown" && markdown.parseMarkdown(chunk.text));
  const titles = [
    "words",
    "blanks between words",
    "stars and underscores",
    "backticks",
    "ampersands",
    "nested lists",
    "URLs",
    "table marks",
  ];
  const growths = titles.map((title) => ({ title, growth: growthOf(read, INPUTS[title] ?? String, 6_000) }));
  expect(growths.filter(({ growth }) => growth >= BOUND)).toEqual([]);
});

it("knows every function of the pages that a text can reach", () => {
  const modules = {
    ...actors,
    ...connectors,
    ...origins,
    ...amounts,
    ...durations,
    ...origins,
    ...repositories,
    ...repositoryLinks,
    ...statuses,
    ...triggers,
    ...toolInputs,
    ...plainItems,
  };
  const texts = {
    ...ansi,
    ...itemTexts,
    ...jsonTexts,
    ...links,
    ...chunks,
    ...markdown,
    ...previews,
    ...toolSummaries,
    ...visible,
    ...transcripts,
  };
  const exported = Object.entries({ ...modules, ...texts } as Record<string, unknown>);
  const functions = exported.filter(([, value]) => typeof value === "function").map(([name]) => name);
  expect([...Object.keys(WORK), ...NO_TEXT].toSorted()).toEqual(functions.toSorted());
  const files = ["web/src/session/text", "web/src/format"].flatMap((folder) =>
    readdirSync(folder).filter((file) => file.endsWith(".ts")),
  );
  expect(files.toSorted()).toEqual([
    ...[
      "actor.ts",
      "amounts.ts",
      "ansi.ts",
      "connectors.ts",
      "duration.ts",
      "item-markdown.ts",
      "json-text.ts",
      "link-address.ts",
      "markdown-chunks.ts",
      "origin.ts",
    ],
    ...[
      "parse-markdown.ts",
      "preview.ts",
      "repository-links.ts",
      "repository.ts",
      "sources.ts",
      "status.ts",
      "tool-summary.ts",
      "triggers.ts",
      "visible-text.ts",
    ],
  ]);
});
