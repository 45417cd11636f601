/**
 * Which commits a push brings that its upstream had not in any way before: by the push's own pack, and by what the upstream
 * says. Git sends more than is new where the upstream has moved on meanwhile, and an agent can send whatever it likes.
 */
import { withinDeadline } from "#instance/in-time.ts";
import { Stall } from "#worker/proxy/stall.ts";
import type { Parents } from "./ancestry.ts";
import type { GitCredentials } from "./git-credentials.ts";
import { askGit } from "./git-upstream.ts";
import { FLUSH, joined, packet } from "./pkt-line.ts";
import type { PushCommand } from "./push-request.ts";

/** How long the push waits to be told what the upstream has. */
const ASK_MS = 5_000;
/** An answer names each commit once. */
const ANSWER_LIMIT_BYTES = 1_048_576;
/** Between what is asked for and its details. */
const DELIMITER = new TextEncoder().encode("0001");

export interface Upstream {
  url: string;
  credentials: GitCredentials;
}

/**
 * @param parents of the commits that the pack brings.
 * @returns for each command the new commits that its branch has with it. An upstream that does not say what it has (it has
 *   no protocol version 2 with `wait-for-done`, or does not answer in time) has none of them.
 */
export async function newCommits(
  upstream: Upstream,
  commands: readonly PushCommand[],
  parents: Parents,
): Promise<string[][]> {
  const nothing = new Set<string>();
  const brought = commands.map(({ commit }) => reached(commit, parents, nothing));
  const all = [...new Set(brought.flat())];
  if (all.length === 0) return brought;
  const known = await askWhatIsThere(upstream, all).catch(() => null);
  return known === null ? brought : commands.map(({ commit }) => reached(commit, parents, known));
}

/** @returns how many each of the lists adds to those before it. */
export function countOnce(lists: readonly (readonly string[])[]): number[] {
  const counted = new Set<string>();
  return lists.map((list) => {
    const before = counted.size;
    for (const commit of list) counted.add(commit);
    return counted.size - before;
  });
}

/** The commits of the pack that a commit has below it, with itself. What lies below one that is known is known too. */
function reached(from: string, parents: Parents, known: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  const left = [from];
  for (let commit = left.pop(); commit !== undefined; commit = left.pop()) {
    const above = parents.get(commit);
    if (above === undefined || found.has(commit) || known.has(commit)) continue;
    found.add(commit);
    left.push(...above);
  }
  return [...found];
}

/** As `git push` itself does with `push.negotiate`. @returns null when the upstream does not say. */
async function askWhatIsThere({ url, credentials }: Upstream, commits: readonly string[]): Promise<Set<string> | null> {
  const hash = commits[0]?.length === 64 ? [packet("object-format=sha256")] : [];
  const haves = commits.map((commit) => packet(`have ${commit}\n`));
  const body = joined([packet("command=fetch"), ...hash, DELIMITER, packet("wait-for-done"), ...haves, FLUSH]);
  const headers = new Headers({
    "content-type": "application/x-git-upload-pack-request",
    accept: "application/x-git-upload-pack-result",
    "git-protocol": "version=2",
  });
  const request = { method: "POST" as const, url: `${url}/git-upload-pack`, headers, body: new Uint8Array(body) };
  const answer = await askGit(request, credentials, { stall: new Stall(ASK_MS) });
  if (!answer.ok || answer.value.body === null) return null;
  const text = await readText(answer.value.body);
  if (!/^[0-9a-f]{4}acknowledgments\n/.test(text)) return null;
  return new Set([...text.matchAll(/ACK ([0-9a-f]{40,64})/g)].map(([, commit = ""]) => commit));
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder("latin1");
  let text = "";
  const read = async () => {
    while (text.length < ANSWER_LIMIT_BYTES) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += decoder.decode(value);
    }
    throw new RangeError("the upstream says too much");
  };
  try {
    return await withinDeadline(read(), ASK_MS, "the upstream");
  } finally {
    await reader.cancel().catch(() => {});
  }
}
