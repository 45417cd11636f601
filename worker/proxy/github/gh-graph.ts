/** What gh asks of GitHub's GraphQL API: documents that are known, about the run's repositories. What writes is done as a deed. */

import { z } from "zod";
import { toHex } from "#instance/attempt-token.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { ownValue } from "#protocol/own-value.ts";
import { readBytes } from "#worker/http/read-bytes.ts";
import { type GhDocument, takeApart } from "./gh-document.ts";
import { FIELDS, FRAMES } from "./gh-documents.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";
import { openPull } from "./pull-deeds.ts";
import { comment, openIssue, review } from "./word-deeds.ts";

const LIMIT_BYTES = 262_144;
const DIGEST_LENGTH = 32;
const variablesSchema = z.record(z.string(), z.unknown());
const askedSchema = z.object({ query: z.string(), variables: variablesSchema.nullish() });
type Variables = z.output<typeof variablesSchema>;

/** @returns the data of an answer, or all of GitHub's. */
export async function answerGraph(work: GithubWork): Promise<Result<unknown>> {
  const bytes = await readBytes(work.c.req.raw, LIMIT_BYTES);
  if (!bytes.ok) return bytes;
  const asked = askedSchema.safeParse(jsonOf(bytes.value));
  if (!asked.success) return refuse("invalid_json", { field: "body" });
  const { query, variables } = asked.data;
  const document = takeApart(query);
  const operation = document === null ? null : await known(document);
  if (document === null || operation === null) return unknown(document?.operation ?? "");
  const deed = DEEDS[operation];
  if (deed !== undefined) {
    const done = await deed(work, variables ?? {});
    return done.ok ? success({ data: done.value }) : done;
  }
  return await read(work, query, ofDocument(document, variables ?? {}));
}

/** @returns the operation of a document that gh is known to send; null for every other. */
async function known(taken: GhDocument): Promise<string | null> {
  // Names of types, in documents that look what there is.
  if (!taken.literals.every((text) => /^\w{1,60}$/.test(text))) return null;
  const operation = FRAMES[await digestOf(taken.frame)] ?? null;
  if (operation === null || operation in DEEDS) return operation;
  const digests = await Promise.all(taken.fields.map(digestOf));
  return digests.every((digest) => FIELDS.has(digest)) ? operation : null;
}

async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return toHex(new Uint8Array(digest)).slice(0, DIGEST_LENGTH);
}

async function read(work: GithubWork, query: string, variables: Variables): Promise<Result<unknown>> {
  const place = await placeOf(work, variables);
  if (!place.ok) return place;
  const answer = await work.ask(place.value, "graph", "POST /graphql", { query, variables });
  return answer.ok ? success(answer.value.data) : answer;
}

/** Those that the document has: any other could name a repository that is not asked about. */
function ofDocument({ frame }: GhDocument, variables: Variables): Variables {
  const named = new Set([...frame.matchAll(/\$(\w+)\s*:/g)].map(([, name]) => name));
  return Object.fromEntries(Object.entries(variables).filter(([name]) => named.has(name)));
}

const repositorySchema = z.object({ owner: z.string(), repo: z.string().optional(), name: z.string().optional() });

/** The repository that the variables are about: by its name, by what has an id, or where they search. */
async function placeOf(work: GithubWork, variables: Variables): Promise<Result<GithubPlace>> {
  const { id } = variables;
  if (id !== undefined) {
    const node = await nodeOf(work, String(id));
    return node.ok ? success(node.value.place) : node;
  }
  const named = repositorySchema.safeParse(variables).data;
  const about = named === undefined ? undefined : `${named.owner}/${named.repo ?? named.name ?? ""}`;
  const searches = Object.entries(variables).flatMap(([key, value]) =>
    /^q$|query$/i.test(key) ? [String(value)] : [],
  );
  const searched = searches.map(searchedIn);
  const [first = searched[0]] = about === undefined ? [] : [about];
  if (searched.some((of) => of === null || of.toLowerCase() !== first?.toLowerCase())) {
    return refuse("proxy_refused", {
      reason: "gh searches in one of the attached repositories at a time",
      message: "gh searches in one of the attached repositories at a time here.",
      hint: "Leave out what widens the search: org:, user:, another repo:, OR.",
    });
  }
  if (first != null) return work.place(first);
  // What asks about GitHub itself, and not about a repository.
  return Object.keys(variables).length === 0 ? work.place(work.names()[0]) : unknown("");
}

/** @returns the one repository that a search of GitHub's is limited to; null where it may reach others. */
function searchedIn(search: string): string | null {
  if (/\b(?:org|user|owner|enterprise)\s*:|\bor\b|\bnot[\s("]+repo\s*:/i.test(search)) return null;
  const limits = [...search.matchAll(/repo\s*:/gi)];
  const [, only = null] = /(?:^|\s)repo:"?([\w.-]+\/[\w.-]+)"?(?=\s|$)/.exec(search) ?? [];
  return limits.length === 1 ? only : null;
}

const NODE = `query($id: ID!) { node(id: $id) { __typename
  ... on Issue { number repository { nameWithOwner } }
  ... on PullRequest { number repository { nameWithOwner } }
  ... on Repository { nameWithOwner } } }`;
const nodeSchema = z.object({
  data: z.object({
    node: z
      .object({
        number: z.int().optional(),
        nameWithOwner: z.string().optional(),
        repository: z.object({ nameWithOwner: z.string() }).optional(),
      })
      .nullable(),
  }),
});

interface Found {
  place: GithubPlace;
  number: number;
}

/** What an id of GitHub's stands for, by the token of whichever of the run's repositories has it. */
async function nodeOf(work: GithubWork, id: string): Promise<Result<Found>> {
  let missed: Result<never> | null = null;
  for (const name of work.names()) {
    const place = work.place(name);
    if (!place.ok) return place;
    const answer = await work.ask(place.value, "graph", "POST /graphql", { query: NODE, variables: { id } });
    if (!answer.ok) {
      // It may be another's, which the App was given.
      missed = answer;
      continue;
    }
    const { node = null } = nodeSchema.safeParse(answer.value.data).data?.data ?? {};
    const of = node?.repository?.nameWithOwner ?? node?.nameWithOwner;
    if (of?.toLowerCase() === name.toLowerCase()) return success({ place: place.value, number: node?.number ?? 0 });
  }
  if (missed !== null) return missed;
  return refuse("proxy_refused", {
    reason: "the repository is not attached to the routine",
    message: "What gh asks about is of a repository that is not attached to the routine.",
    hint: `The routine has ${work.names().join(", ")}.`,
  });
}

const pullInput = z.object({
  baseRefName: z.string(),
  headRefName: z.string(),
  title: z.string().min(1),
  body: z.string().default(""),
  draft: z.boolean().default(false),
  repositoryId: z.string(),
});
const commentInput = z.object({ subjectId: z.string(), body: z.string().min(1) });
const reviewInput = z.object({
  pullRequestId: z.string(),
  body: z.string().default(""),
  event: z.enum(["COMMENT", "REQUEST_CHANGES", "APPROVE"]),
});
const issueInput = z.object({ repositoryId: z.string(), title: z.string().min(1), body: z.string().default("") });

/** By the operation of gh's document: what it asks is done by the same deeds as the tools', and answered as gh expects. */
const DEEDS: Readonly<Record<string, (work: GithubWork, variables: Variables) => Promise<Result<unknown>>>> = {
  PullRequestCreate: deed(
    pullInput,
    ({ repositoryId }) => repositoryId,
    async (work, { place }, input) => {
      const { headRefName, baseRefName: base, title, body, draft } = input;
      const branch = headRefName.replace(`${place.owner}:`, "");
      const opened = await openPull(work, place, { branch, base, title, body, draft });
      if (!opened.ok) return opened;
      const { url } = opened.value.seen;
      return success({ createPullRequest: { pullRequest: { id: url, url } } });
    },
  ),
  CommentCreate: deed(
    commentInput,
    ({ subjectId }) => subjectId,
    async (work, { place, number }, { body }) => {
      const said = await comment(work, place, number, body);
      if (!said.ok) return said;
      return success({ addComment: { commentEdge: { node: { url: said.value.done.seen.url } } } });
    },
  ),
  PullRequestReviewAdd: deed(
    reviewInput,
    ({ pullRequestId }) => pullRequestId,
    async (work, { place, number }, input) => {
      const said = await review(work, place, number, { event: input.event, body: input.body, comments: [] });
      return said.ok ? success({ addPullRequestReview: { clientMutationId: "" } }) : said;
    },
  ),
  IssueCreate: deed(
    issueInput,
    ({ repositoryId }) => repositoryId,
    async (work, { place }, { title, body }) => {
      const said = await openIssue(work, place, { title, body, labels: [] });
      if (!said.ok) return said;
      const { url } = said.value.done.seen;
      return success({ createIssue: { issue: { id: url, url } } });
    },
  ),
};

function deed<Input>(
  schema: z.ZodType<Input>,
  idOf: (input: Input) => string,
  make: (work: GithubWork, found: Found, input: Input) => Promise<Result<unknown>>,
) {
  return async (work: GithubWork, variables: Variables): Promise<Result<unknown>> => {
    const input = schema.safeParse(variables["input"]);
    if (!input.success) return unknown("");
    const found = await nodeOf(work, idOf(input.data));
    return found.ok ? await make(work, found.value, input.data) : found;
  };
}

const OWN_PULL = "mcp__github__update_pull_request changes and closes pull requests of this session's own branches.";
const BY_PEOPLE = "Issues are changed and closed by people: say with gh issue comment what you would change.";
const WITHOUT_FIELDS = `Merging is left to people: say in a comment that it is ready. ${OWN_PULL} With --json, leave out what is not served.`;
/** By the operation of a document that is not served: what its command is for, and what to use. */
const INSTEAD: Readonly<Record<string, string>> = {
  PullRequestByNumber: WITHOUT_FIELDS,
  PullRequestForBranch: WITHOUT_FIELDS,
  PullRequestMerge: WITHOUT_FIELDS,
  PullRequestClose: OWN_PULL,
  PullRequestReopen: OWN_PULL,
  PullRequestUpdate: OWN_PULL,
  IssueClose: BY_PEOPLE,
  IssueReopen: BY_PEOPLE,
  IssueUpdate: BY_PEOPLE,
  RepositoryResolveMetadataIDs:
    "Leave out labels, reviewers, assignees, milestones and projects: mcp__github__open_issue and mcp__github__open_pull_request take labels, and reviewers.",
  UserCurrent: "The run works as the GitHub App, which is nobody's account: leave out @me, and what is about yourself.",
};

function unknown(operation: string): Result<never> {
  const what = operation === "" ? "this document of GraphQL" : operation;
  return refuse("proxy_refused", {
    reason: "gh is served the documents that its listed commands send",
    message: `gh is not served ${what} here.`,
    hint:
      ownValue(INSTEAD, operation) ??
      "Use the tools of the MCP server github (mcp__github__…), or gh api for reads in the attached repositories.",
  });
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
