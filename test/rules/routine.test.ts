/** What is a routine, and what is refused with a named field. */
import { describe, expect, it } from "vitest";
import { FUTURE_ROUTINE_KEYS } from "#protocol/not-available-yet.ts";
import { repositorySchema } from "#protocol/repository.ts";
import { ROUTINE_DEFAULTS, routineInputSchema, routinePatchSchema } from "#protocol/routine.ts";

const LEAST = { name: "docs-sync", prompt: "Compare." };

/** The fields that are named as wrong; empty when the input is good. */
function faults(input: unknown): string[] {
  const parsed = routineInputSchema.safeParse(input);
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

describe("routineInputSchema", () => {
  it("fills in each default", () => {
    expect(routineInputSchema.parse(LEAST)).toEqual({
      ...LEAST,
      ...ROUTINE_DEFAULTS,
      repositories: [],
      tags: {},
      triggers: [],
    });
  });

  it("fills in what is left out of limits and retry", () => {
    expect(routineInputSchema.parse({ ...LEAST, limits: { turns: 9 }, retry: { max: 0 } })).toMatchObject({
      limits: { turns: 9, timeout: "60m" },
      retry: { max: 0, backoff: "30s" },
    });
  });

  it.each<[string, object]>([
    ["a name of 80 characters", { name: "n".repeat(80) }],
    ["a model with a date and a variant", { model: "claude-sonnet-5-20260101[1m]" }],
    ["a model of a cloud provider", { model: "us.anthropic.claude-sonnet-5-v1:0" }],
    ["every overlap policy", { overlap: "cancel_running" }],
    ["the smallest limits", { limits: { timeout: "1s", turns: 1 }, retry: { max: 0, backoff: "100ms" } }],
    ["the largest limits", { limits: { timeout: "24h", turns: 10_000 }, retry: { max: 10, backoff: "1h" } }],
    ["a timeout in another unit", { limits: { timeout: "1d" } }],
    ["tags", { tags: { env: "prod", "team.name": "docs" } }],
    ["an API trigger", { triggers: [{ type: "api" }] }],
    ["twenty repositories", { repositories: Array(20).fill({ url: "https://github.com/acme/app" }) }],
  ])("accepts %s", (_sentence, change) => {
    expect(faults({ ...LEAST, ...change })).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["no name", { name: undefined }, "name"],
    ["a name of spaces", { name: "   " }, "name"],
    ["a name of 81 characters", { name: "n".repeat(81) }, "name"],
    ["a name with a control character", { name: "docs\u001b[2Jsync" }, "name"],
    ["a name of two lines", { name: "docs\nsync" }, "name"],
    ["a name that turns the direction of its text", { name: "docs\u202esync" }, "name"],
    ["an empty prompt", { prompt: "" }, "prompt"],
    ["a prompt that is too long", { prompt: "p".repeat(200_001) }, "prompt"],
    ["a prompt that is no text", { prompt: 7 }, "prompt"],
    ["a model with spaces", { model: "claude sonnet" }, "model"],
    ["a model with a path", { model: "../models" }, "model"],
    ["null for what may be left out", { model: null }, "model"],
    ["an unknown policy", { overlap: "stop" }, "overlap"],
    ["no place at all", { max_concurrent: 0 }, "max_concurrent"],
    ["half a place", { max_concurrent: 1.5 }, "max_concurrent"],
    ["too many places", { max_concurrent: 101 }, "max_concurrent"],
    ["a timeout that is no duration", { limits: { timeout: "soon" } }, "limits.timeout"],
    ["a timeout without a unit", { limits: { timeout: "60" } }, "limits.timeout"],
    ["a timeout that is a number", { limits: { timeout: 60 } }, "limits.timeout"],
    ["a timeout of nothing", { limits: { timeout: "0s" } }, "limits.timeout"],
    ["a timeout that is too short", { limits: { timeout: "500ms" } }, "limits.timeout"],
    ["a timeout that is too long", { limits: { timeout: "25h" } }, "limits.timeout"],
    ["a backoff that is no duration", { retry: { backoff: "later" } }, "retry.backoff"],
    ["a backoff that is too short", { retry: { backoff: "99ms" } }, "retry.backoff"],
    ["context from nobody", { context_from: [{ routine: " " }] }, "context_from.0.routine"],
    ["context from no run", { context_from: [{ routine: "self", last: 0 }] }, "context_from.0.last"],
    ["context from too many runs", { context_from: [{ routine: "self", last: 11 }] }, "context_from.0.last"],
    ["context from too many", { context_from: Array(6).fill({ routine: "self" }) }, "context_from"],
    ["too many retries", { retry: { max: 11 } }, "retry.max"],
    ["no turns", { limits: { turns: 0 } }, "limits.turns"],
    ["a tag's name with a space", { tags: { "a b": "c" } }, "tags.a b"],
    ["a tag that an object can't have", { tags: JSON.parse('{"__proto__": "x"}') }, "tags.__proto__"],
    ["a tag that is no text", { tags: { a: 1 } }, "tags.a"],
    ["a trigger that isn't there", { triggers: [{ type: "cat" }] }, "triggers.0.type"],
    ["an unknown key of a trigger", { triggers: [{ type: "api", cron: "* * * * *" }] }, "triggers.0"],
    ["an unknown key", { naem: "x" }, ""],
    ["an unknown key of limits", { limits: { tunrs: 3 } }, "limits"],
    ["a prototype trick", JSON.parse('{"__proto__": {"name": "x"}, "constructor": 1}'), ""],
    ["too many repositories", { repositories: Array(21).fill({ url: "https://github.com/acme/app" }) }, "repositories"],
    ["a bad repository", { repositories: [{ url: "https://a/b" }, { url: "x" }] }, "repositories.1.url"],
  ])("refuses %s and names the field", (_sentence, change, field) => {
    const named = faults({ ...LEAST, ...change });
    expect(named.length).toBeGreaterThan(0);
    expect(new Set(named)).toEqual(new Set([field]));
  });

  it.each([null, undefined, 7, "text", [], [LEAST]])("refuses %j", (input) => {
    expect(routineInputSchema.safeParse(input).success).toBe(false);
  });

  it.each(FUTURE_ROUTINE_KEYS.filter((key) => /^[a-z_]+$/.test(key)))("does not take %s yet", (key) => {
    expect(faults({ ...LEAST, [key]: "x" })).not.toEqual([]);
  });
});

describe("repositorySchema", () => {
  const url = "https://github.com/acme/app";

  it.each(["docs", "packages/app", "a/b/", "-x", "with space/ä", "..a/b..", "git", ".github/workflows", "$(x)", "a,b"])(
    "takes the folder %j",
    (path) => {
      expect(repositorySchema.parse({ url, paths: [path] })).toEqual({ url, push: "prefix", paths: [path] });
    },
  );

  it.each(["", "/", "/etc", "..", "a/../b", "a/..", "./a", "a//b", ".git", "a/.GIT/hooks", "a/*", "a?", "[a]", "!a"])(
    "takes no %j for a folder",
    (path) => expect(repositorySchema.safeParse({ url, paths: [path] }).success).toBe(false),
  );

  it.each(["#a", "a\nb", "a\0", 'a"b', "a\\b", "a ", "\ud800", "x".repeat(1_001), "a/."])(
    "takes no %j for a folder either",
    (path) => expect(repositorySchema.safeParse({ url, paths: [path] }).success).toBe(false),
  );

  it.each([
    ["no folder", { paths: [] }],
    ["more folders than anybody names", { paths: Array(101).fill("a") }],
    ["a negative depth", { depth: -1 }],
    ["half a commit", { depth: 1.5 }],
    ["a depth in words", { depth: "full" }],
  ])("takes no %s", (_what, change) => {
    expect(repositorySchema.safeParse({ url, ...change }).success).toBe(false);
  });

  it.each([
    "https://github.com/acme/app",
    "https://github.com/acme/app.git",
    "https://git.acme.test:8443/team/sub/app",
    "http://127.0.0.1:9/demo.git",
    "https://dev.azure.com/acme/my%20project/_git/app",
  ])("accepts %s", (url) => {
    expect(repositorySchema.parse({ url })).toEqual({ url, push: "prefix" });
  });

  it.each([
    ["no address", ""],
    ["words", "the app"],
    ["no protocol", "github.com/acme/app"],
    ["the SSH form", "git@github.com:acme/app.git"],
    ["SSH", "ssh://git@github.com/acme/app"],
    ["git's own protocol", "git://github.com/acme/app"],
    ["a file", "file:///etc/passwd"],
    ["a helper of git's, which runs commands", "ext::sh -c id"],
    ["an option", "--upload-pack=id"],
    ["a path", "/srv/git/app.git"],
    ["a script", "javascript:alert(1)"],
    ["a user and a password", "https://user:secret@github.com/acme/app"],
    ["a token as user", "https://ghp_secret@github.com/acme/app"],
    ["a password alone", "https://:secret@github.com/acme/app"],
    ["a query", "https://github.com/acme/app?token=secret"],
    ["an empty query", "https://github.com/acme/app?"],
    ["a fragment", "https://github.com/acme/app#main"],
    ["an empty fragment", "https://github.com/acme/app#"],
    ["more than anybody needs", `https://github.com/${"a".repeat(2_000)}`],
  ])("refuses %s", (_sentence, url) => {
    expect(repositorySchema.safeParse({ url }).success).toBe(false);
  });

  it("does not repeat the credential that it refuses", () => {
    const parsed = repositorySchema.safeParse({ url: "https://user:hunter2222@github.com/acme/app" });
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).not.toContain("hunter2222");
    expect(parsed.error?.issues[0]?.message).toContain("GIT_CREDENTIALS");
  });

  it.each([
    "main",
    "feature/login",
    "release-1.2",
    "claude/fix_it",
    "users/ünal/日本",
    "a/-b",
    "v1@2",
    "lock",
    "a.locks",
    "x".repeat(255),
  ])("accepts the branch %s", (branch) => {
    expect(repositorySchema.safeParse({ url: "https://a.test/b", branch }).success).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["an option", "-b"],
    ["a long option", "--upload-pack=id"],
    ["a space", "my branch"],
    ["two dots", "a..b"],
    ["two slashes", "a//b"],
    ["a slash at the start", "/a"],
    ["a slash at the end", "a/"],
    ["a dot at the start", ".a"],
    ["a dot at the start of a part", "a/.b"],
    ["a dot at the end", "a."],
    ["a lock", "a.lock"],
    ["a part that is a lock", "a.lock/b"],
    ["a way back in time", "main@{1}"],
    ["a tilde", "main~1"],
    ["a caret", "main^"],
    ["a colon", "a:b"],
    ["a question mark", "a?"],
    ["a star", "a*"],
    ["a bracket", "a[b"],
    ["a backslash", "a\\b"],
    ["a line end", "a\nb"],
    ["a line end after it", "main\n"],
    ["a NUL", "a\u0000b"],
    ["a bell", "a\u0007b"],
    ["a delete character", "a\u007fb"],
    ["256 characters", "x".repeat(256)],
  ])("refuses a branch with %s", (_sentence, branch) => {
    expect(repositorySchema.safeParse({ url: "https://a.test/b", branch }).success).toBe(false);
  });
});

describe("routinePatchSchema", () => {
  it.each<[string, object]>([
    ["one key", { name: "new" }],
    ["taking the model away", { model: null }],
    ["a change of a known revision", { if_revision: 3, prompt: "New." }],
    ["emptying a list", { triggers: [] }],
  ])("accepts %s, and fills in nothing", (_sentence, patch) => {
    expect(routinePatchSchema.parse(patch)).toEqual(patch);
  });

  it.each<[string, object]>([
    ["nothing", {}],
    ["a revision alone", { if_revision: 3 }],
    ["an unknown key", { state: "paused" }],
    ["revision 0", { if_revision: 0, name: "x" }],
    ["a bad value", { max_concurrent: 0 }],
    ["null for what has to be there", { name: null }],
  ])("refuses %s", (_sentence, patch) => {
    expect(routinePatchSchema.safeParse(patch).success).toBe(false);
  });
});
