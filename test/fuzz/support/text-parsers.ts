/** Every parser of a text from outside: what it may throw, what its answer has to be, and what its texts are made of. */
import { expect } from "vitest";
import { branchRef, isPlainBranch, isRefName, readRef } from "#protocol/git-refs.ts";
import { kindOf, ownerKeyOf, timeOf } from "#protocol/ids.ts";
import { errorText } from "#protocol/log.ts";
import { webhookFault } from "#protocol/notification.ts";
import { outsideAddressFault } from "#protocol/outside-address.ts";
import { isPublicName } from "#protocol/public-name.ts";
import { clonedRepositorySchema } from "#protocol/repository.ts";
import { durationMs, durationSchema } from "#protocol/time.ts";
import { readToolRule, toolPolicySchema, toolRuleFault } from "#protocol/tools.ts";
import { escapeUnseen } from "#protocol/unseen-characters.ts";
import { parseAddress } from "#protocol/web-address.ts";
import { beginningOf, endOf, wellFormedJson } from "#protocol/well-formed.ts";
import { readableErrorCode, readableScope } from "#rules/connectors/oauth-login.ts";
import { filtersFaults, judgeFilters } from "#rules/filters/judge-filters.ts";
import { findWholeMatch, regexFault } from "#rules/filters/regex.ts";
import { parseJson } from "#rules/json.ts";
import { nearestKey } from "#rules/routine/nearest-key.ts";
import { deedIn, marked, runIn } from "#rules/run/deed-marker.ts";
import { titleOf } from "#rules/run/session-title.ts";
import { readCron } from "#rules/schedules/cron-fields.ts";
import { readAt } from "#rules/schedules/one-off.ts";
import { scheduleFault } from "#rules/schedules/schedule.ts";
import { zoneNameFault } from "#rules/schedules/zone-name.ts";
import { fillSecrets, secretsIn } from "#rules/secrets/placeholders.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { withheld } from "#rules/secrets/withheld.ts";
import { judgeCall } from "#rules/tools/judge-call.ts";
import { matchesGlob } from "#rules/tools/matches-glob.ts";
import { callsOf } from "#rules/tools/shell-calls.ts";
import { judgeAnswer } from "#rules/wake-gate/judge-answer.ts";
import { expressionFault, parseExpression } from "#rules/wake-gate/parse-expression.ts";
import { ExpressionFault } from "#rules/wake-gate/tokens.ts";
import { basicPassword, bearerToken } from "#worker/auth/credentials.ts";
import { parseExact, parseToWrite, printExact } from "#worker/http/exact-json.ts";
import { isNestedDeeper } from "#worker/http/nesting.ts";
import { takeApart } from "#worker/proxy/github/gh-document.ts";

export interface TextParser {
  /** @throws only what `mayThrow` names. */
  parse(text: string): unknown;
  mayThrow?: abstract new (...values: never[]) => Error;
  words?: readonly string[];
  examples?: readonly string[];
  /** What holds of an answer. */
  check?(answer: never, text: string): void;
  /** How long a text it may be given, in characters, where that is less than a body may bring. */
  longest?: number;
}

const NOW = Date.UTC(2026, 10, 30);
const SECRETS = ["correct-horse-battery", "a+b/c==\nsecond line"];
const redactor = new Redactor(SECRETS);
export const policy = toolPolicySchema.parse({
  deny: ["Bash(git push:*)", "Web*"],
  ask: ["Bash(rm:*)"],
  allow: ["Bash", "Read"],
});
const event = { payload: JSON.parse('{"a":{"b":["x",1,true,null]},"title":"x"}'), fields: { action: "opened" } };
const shell = [
  "git push",
  "rm -rf",
  "<<EOF\n",
  "\nEOF\n",
  "&&",
  "||",
  ";",
  "|&",
  "$((",
  "))",
  "case x in",
  "esac",
  "sh -c '",
  "eval ",
  "xargs ",
];

const isWellFormed = (answer: string) => expect(answer.isWellFormed()).toBe(true);
/** A sentence for people, or null. */
function fault(answer: string | null): void {
  if (answer === null) return;
  expect(answer.length).toBeGreaterThan(3);
  expect(answer.length).toBeLessThan(2_500);
}

export const TEXT_PARSERS: Record<string, TextParser> = {
  "cron expressions": {
    parse: readCron,
    words: ["*/", "MON", "JAN", "L", "W", "#", "@daily", " ", "59", "1-5", "?"],
    examples: ["0 9 * * 1-5", "*/15 0-6,12 1 JAN,feb mon#2"],
    check: (answer: object) => expect("fault" in answer || "fields" in answer).toBe(true),
  },
  schedules: {
    parse: (text) => scheduleFault({ cron: text, at: undefined, timezone: "Europe/Berlin" }, NOW),
    words: ["*", "31", "2", "29", " "],
    examples: ["0 0 31 2 *", "0 0 29 2 *", "59 23 31 12 7"],
    check: (answer: { message: string } | null) => fault(answer?.message.slice(0, 100) ?? null),
    longest: 2_000,
  },
  "times of one-offs": {
    parse: (text) => readAt(text, "America/St_Johns", NOW),
    words: ["in ", "weeks", "99999", "T", "Z", "+14:00", "9999", ":60"],
    examples: ["in 2 weeks", "2026-12-05T09:00", "9999-12-31T23:59:59.999-23:59", "in 99999 days"],
    check: (answer: { atMs: number } | { fault: string }) => {
      if ("fault" in answer) fault(answer.fault.slice(0, 100));
      else expect(new Date(answer.atMs).toISOString()).toMatch(/^\d{4}-/);
    },
    longest: 2_000,
  },
  "names of zones": {
    parse: zoneNameFault,
    words: ["Europe/", "Etc/GMT", "UTC", "BST", "+01:00", "EST5EDT"],
    examples: ["Europe/Berlin", "America/Argentina/Buenos_Aires"],
    check: (answer: string | null) => fault(answer?.slice(0, 100) ?? null),
    longest: 2_000,
  },
  "regular expressions": {
    parse: (text) => [regexFault(text), findWholeMatch(text, [text, "x".repeat(200)])],
    words: ["(?:", "(?P<n>", "[[:alpha:]]", "{1,1000}", "\\pL", "\\1", "(?i)", "|", "\\Q", "\\x{10FFFF}", "+?"],
    examples: ["^(?:a|b)*c{2,3}$", "(((a{1,9}){1,9}){1,9}){1,9}"],
    longest: 1_000,
  },
  "filters by regular expression": {
    parse: (text) => {
      const filters = [{ field: text.slice(0, 200) || "a", operator: "matches_regex", value: text }] as const;
      return [filtersFaults(filters), judgeFilters(filters, event)];
    },
    words: ["a.b", "payload.", "action", ".*"],
    check: ([, [check]]: [unknown, [{ why: string; matched: boolean }]]) => {
      expect(check.why.length).toBeGreaterThan(0);
      expect(typeof check.matched).toBe("boolean");
    },
    longest: 1_000,
  },
  "gates' expressions": {
    parse: (text) => {
      const known = expressionFault(text);
      try {
        parseExpression(text);
        expect(known).toBeNull();
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionFault);
        expect(known).not.toBeNull();
      }
      return judgeAnswer(event.payload, text);
    },
    words: ["count(", "exists(", " and ", " or ", "not ", ">=", "==", "a.b", "contains", '"x"', "[0]"],
    examples: ["count(a.b) > 2 and not exists(title)", 'title == "x" or a.b contains 1'],
    check: (answer: { detail: string }) => expect(answer.detail.length).toBeGreaterThan(0),
    longest: 2_000,
  },
  "placeholders of secrets": {
    parse: (text) => [secretsIn({ A: text }), fillSecrets({ A: text }, new Map([["NAME", "{{ OTHER }}"]]))],
    words: ["{{ NAME }}", "\\{{NAME}}", "{{", "}}", " ", "{{ {{NAME}} }}"],
    check: ([users, filled]: [Map<string, string[]>, { A: string }]) => {
      expect(typeof filled.A).toBe("string");
      for (const name of users.keys()) expect(name).toMatch(/^[A-Za-z_]/);
    },
  },
  "secrets in texts": {
    parse: (text) => redactor.text(text),
    words: [...SECRETS, "%2B", "\\u002b", "&#43;", "correct-horse", "\\n", "\r\n"],
    check: (answer: string) => {
      for (const secret of SECRETS) expect(answer).not.toContain(secret);
      expect(redactor.text(answer)).toBe(answer);
    },
  },
  "texts that are withheld": {
    parse: (text) => withheld(text, SECRETS),
    words: SECRETS,
    check: (answer: string) => expect(SECRETS.some((secret) => answer.includes(secret))).toBe(false),
  },
  "commands of a shell": {
    parse: (text) => [
      callsOf(text),
      judgeCall(policy, "Bash", { command: text }),
      judgeCall(policy, text, { command: text }),
    ],
    words: shell,
    examples: [
      "git push origin HEAD && rm -rf /tmp/x",
      'bash -c "git $(echo push)" <<EOF\nx\nEOF',
      "for f in *; do eval $f; done",
    ],
    check: ([, verdict, ofName]: [unknown, { decision: string }, { decision: string }]) => {
      expect(["allow", "deny", "ask"]).toContain(verdict.decision);
      expect(["allow", "deny", "ask"]).toContain(ofName.decision);
    },
  },
  "patterns of names": {
    parse: (text) => [matchesGlob(text, "mcp__*__*read*"), matchesGlob("mcp__a__read".repeat(4), text)],
    words: ["*", "mcp__", "a"],
    longest: 2_000,
  },
  "rules of tools": {
    parse: (text) => [toolRuleFault(text), readToolRule(text)],
    words: ["Bash(", ")", ":*", "mcp__a__*", "Task", " *"],
    examples: ["Bash(git push:*)", "mcp__linear__*", "WebFetch"],
    check: ([fault, rule]: [string | null, { name: string } | null]) => {
      expect(fault === null).toBe(rule !== null);
      if (rule !== null) expect(typeof rule.name).toBe("string");
    },
    longest: 2_000,
  },
  "JSON whose numbers keep their digits": {
    parse: (text) => printExact(parseExact(text), 0),
    mayThrow: SyntaxError,
    words: ["[", "]", "{", "}", ":", ",", "12345678901234567890", "1e400", '"a"', "true"],
    examples: ['{"a":[12345678901234567890,1.10],"__proto__":{"b":1e999}}'],
    check: (answer: string) => {
      expect(printExact(parseExact(answer), 0)).toBe(answer);
      expect(JSON.stringify(parseToWrite(answer).toWrite)).toBe(answer);
    },
  },
  JSON: { parse: parseJson, words: ["[", "{", '"', ":", ","], examples: ['{"a":["\\ud800"],"a":2}'] },
  "depth of JSON": {
    parse: (text) => isNestedDeeper(text, 100),
    words: ["[", "]", "{", '"', '\\"'],
    check: (answer: boolean, text: string) => {
      if (answer) expect((text.match(/[[{]/g) ?? []).length).toBeGreaterThan(100);
    },
  },
  "well-formed JSON": {
    parse: wellFormedJson,
    words: ["\\ud83d", "\\ude00", "\\\\", '\\"', "\\u00e4"],
    check: (answer: string, text: string) => {
      isWellFormed(answer);
      expect(wellFormedJson(answer)).toBe(answer);
      expect(answer).toHaveLength(text.length);
    },
  },
  "beginnings and ends": {
    parse: (text) => [beginningOf(text, 7), endOf(text, 7)],
    check: (parts: string[], text: string) => {
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(7);
        if (text.isWellFormed()) isWellFormed(part);
      }
    },
  },
  "what is shown in a terminal": {
    parse: escapeUnseen,
    words: ["\u001b]8;;", "\u0007", "\u200f", "\u2066"],
    check: (answer: string) => {
      expect(answer).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u);
      expect(escapeUnseen(answer)).toBe(answer);
    },
  },
  "documents of GraphQL": {
    parse: takeApart,
    words: ["{", "}", "{\n", "\n}", "query", "mutation", '"', "\\", ",", "...on"],
    examples: ["query PullRequest($owner: String!) {\n  repository(owner: $owner) {\n    {id,number}\n  }\n}"],
    check: (answer: { frame: string; fields: string[] } | null, text: string) => {
      if (answer !== null)
        expect(answer.frame.length + answer.fields.join("").length).toBeLessThanOrEqual(4 * text.length + 10);
    },
  },
  ids: {
    parse: (text) => [ownerKeyOf(text), kindOf(text)],
    words: ["rtn_", "run_", "session_", "0".repeat(26), "Z"],
    examples: ["rtn_1M80BZZZZZZZZZZZZZZZZZZZZZ", "session_00000000000000000000000000"],
    check: ([owner, kind]: [string | null, string | null], text: string) => {
      expect(owner === null).toBe(kind === null);
      if (owner === null) return;
      expect(owner).toHaveLength(12);
      expect(timeOf(text)).toBeGreaterThanOrEqual(0);
    },
  },
  addresses: {
    parse: (text) => [
      parseAddress(text),
      webhookFault(text),
      outsideAddressFault(parseAddress(text)),
      isPublicName(text),
    ],
    words: [
      "https://",
      "http:",
      "@",
      "[::1]",
      "127.0.0.1",
      "0x7f",
      "xn--",
      "{{ NAME }}",
      "%2e",
      ":443",
      "。",
      "localhost",
    ],
    examples: ["https://hooks.acme.dev/a/{{ NAME }}", "https://user:password@acme.dev:8443/#x", "HTTPS://ÄCME.dev/"],
    check: ([address, webhook]: [URL | null, string | null, string | null, boolean], text: string) => {
      if (/[\r\n\t]/.test(text)) expect(address).toBeNull();
      if (webhook === null) expect(text.replaceAll(/\{\{ *\w+ *\}\}/g, "")).toMatch(/^https:\/\/[^\s\\]+$/);
    },
  },
  "addresses of repositories": {
    parse: (text) => clonedRepositorySchema.safeParse({ url: text, branch: text.slice(0, 250) }),
    words: ["https://", "github.com", ".git", "..", "%2f", "refs/heads/", "@{", "~"],
    examples: ["https://github.com/acme/app"],
    check: ({ success, data }: { success: boolean; data?: { url: string } }) => {
      if (success) expect(new URL(data?.url ?? "").href.replace(/\/$/, "")).toBe(data?.url.replace(/\/$/, ""));
    },
    longest: 2_000,
  },
  "names of git's refs": {
    parse: (text) => [isRefName(text), readRef(text), branchRef(text), isPlainBranch(text)],
    words: ["refs/heads/", "..", "@{", ".lock", "/", "HEAD", "-"],
    examples: ["refs/heads/claude/x", "main"],
    check: ([, , branch]: [boolean, string | null, string | null]) => {
      if (branch !== null) expect(branch).toMatch(/^refs\/heads\/[^\0- \x7f~^:?*[\\]+$/);
    },
  },
  durations: {
    parse: (text) => durationMs(text),
    mayThrow: RangeError,
    words: ["ms", "s", "m", "h", "d", "999999"],
    examples: ["30s", "60m"],
    check: (answer: number, text: string) => {
      expect(Number.isSafeInteger(answer)).toBe(true);
      expect(durationSchema.safeParse(text).success).toBe(true);
    },
    longest: 2_000,
  },
  "scopes and codes of OAuth": {
    parse: (text) => [readableScope(text), readableErrorCode(text)],
    check: ([scope, code]: [string | null, string]) => {
      expect(scope ?? "").toMatch(/^[ -~]*$/);
      expect(code).toMatch(/^[ -~]*$/);
    },
  },
  "headers with credentials": {
    parse: (text) => [
      bearerToken(text),
      basicPassword(text),
      basicPassword(`Basic ${text}`),
      bearerToken(`Bearer ${text}`),
    ],
    words: ["Bearer ", "Basic ", "OnBhc3N3b3Jk", "="],
    longest: 16_384,
  },
  "keys that are nearly right": {
    parse: (text) => nearestKey(text, ["name", "prompt", "constructor_arguments"]),
    longest: 2_000,
  },
  "marks of deeds": {
    parse: (text) => [deedIn(text), runIn(text)],
    words: ["<!--", "-->", "reveille", "run_", "session_"],
    examples: [
      marked("A text", { sessionId: `session_${"0".repeat(26)}`, runId: `run_${"0".repeat(26)}`, deedId: "deed_1" }),
    ],
  },
  "titles of sessions": {
    parse: titleOf,
    words: ["\n", "#", "**", "."],
    check: (answer: string | null) => {
      if (answer === null) return;
      expect(answer).not.toMatch(/[\r\n]/);
      expect(answer.length).toBeLessThan(300);
    },
  },
  "texts of what was thrown": {
    parse: (text) => errorText(new Error(text)),
    check: (answer: string) => expect(answer.length).toBeLessThan(400),
  },
};
