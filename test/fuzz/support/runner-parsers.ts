/** Parsers of texts that a runner meets: of git, of repositories, of its machine. */
import { expect } from "vitest";
import { modelWords } from "#sandbox-runner/agent/model-failure.ts";
import { toldOfServers } from "#sandbox-runner/agent/repository-servers.ts";
import { runSettings } from "#sandbox-runner/agent/repository-settings.ts";
import { readSeen } from "#sandbox-runner/git/clone-plan.ts";
import { readableGitError } from "#sandbox-runner/git/git-error.ts";
import { planSubmodules, readSubmodules } from "#sandbox-runner/git/submodule-plan.ts";
import { exceptions, parentOf } from "#sandbox-runner/network/parent-proxy.ts";
import { policy, type TextParser } from "./text-parsers.ts";

export const RUNNER_PARSERS: Record<string, TextParser> = {
  "what git prints of a clone": {
    parse: readSeen,
    words: [
      "commit ",
      "branch ",
      "tips ",
      "pointers ",
      "default ",
      "shallow true",
      "submodules yes",
      "\n",
      "a".repeat(40),
    ],
    examples: [`commit ${"a".repeat(40)}\nbranch main\ntips ${"b".repeat(40)}\npointers 3\nsubmodules yes\n`],
    check: ({ pointers, head, tips }: { pointers: number; head: { commit: string } | null; tips: string[] }) => {
      expect(Number.isSafeInteger(pointers)).toBe(true);
      for (const commit of [...tips, ...(head === null ? [] : [head.commit])])
        expect(commit).toMatch(/^[0-9a-f]{40,64}$/);
    },
  },
  "git's errors": {
    parse: (text) => readableGitError(text, "http://127.0.0.1:1/git/0", "https://github.com/acme/app"),
    words: ["fatal: ", "http://127.0.0.1:1/git/0", "\n", "warning: ", "remote: "],
    check: (answer: string) => expect(answer.length).toBeLessThanOrEqual(700),
  },
  "lists of submodules": {
    parse: (text) =>
      planSubmodules(readSubmodules(text, "https://github.com/acme/app"), ["https://github.com/acme/lib"]),
    words: [
      "submodule.",
      ".path\n",
      ".url\n",
      "\0",
      "../lib",
      "./",
      "../../../../..",
      "//",
      "[",
      "https://github.com/acme/lib",
    ],
    examples: ["submodule.lib.path\nlib\0submodule.lib.url\n../lib\0"],
  },
  "words of a model's failure": { parse: modelWords, words: ["API Error: ", "429 ", '{"type":"error"}', "\n"] },
  "a repository's settings": {
    parse: (text) =>
      runSettings({ text, env: { PATH: "/bin" }, model: "claude-sonnet-5", hookSeconds: 5, tools: policy }),
    words: [
      '"hooks"',
      '"env"',
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      '"type"',
      '"timeout"',
      "600",
      '"command"',
      '"PreToolUse"',
      '"permissions"',
      '"deny"',
    ],
    examples: [
      '{"hooks":{"PreToolUse":[{"hooks":[{"type":"command","timeout":900}]}],"constructor":[{"hooks":[{"type":"command"}]}]}}',
      '{"env":{"PATH":"/x","__proto__":"y"},"permissions":{"deny":["Bash(rm:*)",1],"ask":[]},"availableModels":["a"],"sandbox":{"enabled":true}}',
    ],
    check: ({ overridden }: { overridden: string[] }) =>
      expect(overridden.every((one) => typeof one === "string")).toBe(true),
  },
  "a repository's servers": {
    parse: (text) => toldOfServers(text, { acme: "https://mcp.acme.dev/mcp" }),
    words: ['"mcpServers"', "{", "}", ":", '"url"', '"https://mcp.acme.dev/mcp"', ","],
    examples: [
      '{"mcpServers":{"constructor":{"url":"https://mcp.acme.dev/mcp"},"b":{"command":"x"},"c":{"url":"http://"}}}',
    ],
    check: (answer: string | null) => expect((answer ?? "").length).toBeLessThan(6_000),
  },
  "a machine's proxy": {
    parse: (text) => [parentOf(text), exceptions(text)("mcp.acme.dev", 443), exceptions(text)("", 80)],
    words: ["http://", "socks5://", "*", ",", ".acme.dev", ":443"],
    longest: 16_384,
  },
};
