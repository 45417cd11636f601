/** What comes again and what happens again, at every source: one run for the first, another for the second. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Occurrence } from "#protocol/occurrence.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { WebhookSource } from "#protocol/webhook-sources.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { occurrencesOf } from "#test/support/clock.ts";
import { deliverGithub, post, pullRequest, someRepository } from "#test/support/deliver.ts";
import { asking } from "#test/support/objects.ts";
import { endpointTrigger, namedCases } from "#test/worker/listeners/endpoint-trigger.ts";
import { googleKeys } from "#test/worker/listeners/google-tokens.ts";
import type { ListenerCase, ListenerSample } from "#test/worker/listeners/listener-case.ts";
import { bytesOf } from "#test/worker/listeners/signing.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let nowMs = 0;

beforeEach(() => {
  nowMs = Date.parse("2026-11-25T10:00:00.000Z");
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
});
afterEach(() => {
  vi.useRealTimers();
});

function pass(ms: number): void {
  nowMs += ms;
  vi.setSystemTime(nowMs);
}

/** What became of each thing that came, oldest first. */
async function outcomesOf(routineId: string): Promise<string[]> {
  const all: Occurrence[] = await vi.waitFor(() => occurrencesOf(routineId));
  return all.map(({ outcome, reason }) => (outcome === "started" ? outcome : reason));
}

describe("at GitHub", () => {
  const sender = { login: "ann", id: 11 };
  const check = { id: 81, name: "lint", head_sha: "a".repeat(40), completed_at: "2026-11-25T09:00:00Z" };
  const thread = { node_id: "PRRT_1", comments: [] };
  const issue = { id: 7, number: 7, title: "Old", user: sender, author_association: "MEMBER" };
  const timed = { ...issue, updated_at: "2026-11-25T09:59:00Z" };

  async function routineFor(event: string) {
    const repository = someRepository(true);
    const triggers = [{ type: "github", event, allow_public: true }];
    const routine = await buildRoutine({
      max_concurrent: 100,
      repositories: [{ url: repository.html_url }],
      triggers,
    });
    return { id: routine.id, repository };
  }

  it.each<[event: string, payload: object]>([
    ["workflow_dispatch", { inputs: { target: "staging" }, ref: "refs/heads/main", workflow: "deploy.yml" }],
    ["workflow_dispatch", { inputs: null, ref: "refs/heads/main", workflow: "deploy.yml" }],
    ["repository_dispatch", { action: "audit", branch: "main", client_payload: {} }],
    ["repository_dispatch", { action: "audit", branch: "main", client_payload: { id: 5, number: 5 } }],
    ["check_run", { action: "requested_action", requested_action: { identifier: "fix" }, check_run: check }],
    ["check_run", { action: "rerequested", check_run: check }],
    ["check_suite", { action: "rerequested", check_suite: check }],
    ["star", { action: "deleted", starred_at: null }],
    ["watch", { action: "started" }],
    ["member", { action: "added", member: { id: 12, login: "ben" } }],
    ["create", { ref: "nightly", ref_type: "tag", master_branch: "main" }],
    ["delete", { ref: "nightly", ref_type: "tag" }],
    ["branch_protection_configuration", { action: "disabled" }],
    ["custom_property_values", { action: "updated", new_property_values: [] }],
    ["gollum", { pages: [{ action: "edited", page_name: "Home", sha: "b".repeat(40) }] }],
    ["issues", { action: "pinned", issue: timed }],
    ["issues", { action: "labeled", issue, label: { id: 1, name: "agent" } }],
    ["pull_request_review_thread", { action: "resolved", thread, pull_request: { ...issue, updated_at: "2026" } }],
  ])("a %s like one just before is another: %j", async (event, payload) => {
    const { id, repository } = await routineFor(event);
    const delivery = { event, payload: { ...payload, repository, sender }, id: crypto.randomUUID() };
    await deliverGithub(delivery);
    await deliverGithub({ ...delivery, id: crypto.randomUUID() });
    pass(2 * HOUR_MS);
    await deliverGithub(delivery);
    expect(await outcomesOf(id)).toEqual(["started", "started", "same_delivery"]);
  });

  it.each<[event: string, payload: object]>([
    ["issues", { action: "opened", issue }],
    ["issues", { action: "labeled", issue: timed, label: { id: 1, name: "agent" } }],
    ["issue_comment", { action: "created", issue, comment: { id: 9, author_association: "MEMBER" } }],
    ["push", { ref: "refs/heads/main", before: "1".repeat(40), after: "2".repeat(40), commits: [] }],
    ["check_run", { action: "completed", check_run: check }],
    ["deployment", { deployment: { id: 3 } }],
    ["status", { id: 6, sha: "c".repeat(40), state: "failure", branches: [{ name: "main" }] }],
    ["merge_group", { action: "checks_requested", merge_group: { head_sha: "d".repeat(40), head_ref: "q" } }],
  ])("a %s has a mark of its own: its body under another id is a replay for minutes", async (event, payload) => {
    const { id, repository } = await routineFor(event);
    const send = (guid: string) => deliverGithub({ event, payload: { ...payload, repository, sender }, id: guid });
    await send("first");
    pass(4 * MINUTE_MS);
    await send("replayed");
    pass(2 * MINUTE_MS);
    await send("much later");
    pass(10 * MINUTE_MS);
    // A repeat is known for a day by the id that it came with.
    await send("replayed");
    await send("first");
    pass(24 * HOUR_MS);
    await send("first");
    expect(await outcomesOf(id)).toEqual([
      "started",
      "same_event",
      "started",
      "same_delivery",
      "same_delivery",
      "started",
    ]);
  });

  it("two hooks tell of one event under one id, in different words; the words of either are known for minutes", async () => {
    const { id, repository } = await routineFor("pull_request");
    const payload = { ...pullRequest(repository), sender };
    const installed = { ...payload, installation: { id: 77 } };
    await deliverGithub({ event: "pull_request", payload, id: "one" });
    await deliverGithub({ event: "pull_request", payload: installed, id: "one" });
    await deliverGithub({ event: "pull_request", payload: installed, id: "other" });
    expect(await outcomesOf(id)).toEqual(["started", "same_delivery", "same_event"]);
  });
});

describe("whose two keys are the same text", () => {
  const KEY = "told once";
  const told: SourceEvent = {
    source: "event",
    delivery_id: null,
    event_id: "one",
    trigger_id: null,
    name: "built",
    action: null,
    summary: "Event built",
    dedupe_key: KEY,
    content_key: KEY,
    payload: null,
    fields: {},
    context: "",
    github: null,
    caused_by: null,
  };
  const again = { ...told, event_id: "two" };
  const trigger = { type: "event", name: "built" };

  it.each<[what: string, given: Record<string, unknown>, events: SourceEvent[][], outcomes: string[]]>([
    ["is one event", {}, [[told]], ["started"]],
    ["is one event, however often it is given", {}, [[told], [told]], ["started"]],
    ["is a repeat when it comes again", {}, [[told], [again]], ["started", "same_delivery"]],
    ["is a repeat within one call", {}, [[told, again]], ["started", "same_delivery"]],
    [
      "joins others",
      { triggers: [{ ...trigger, coalesce: { window: "1m" } }] },
      [[told, again]],
      ["coalesced", "same_delivery"],
    ],
    [
      "is skipped once",
      { overlap: "skip" },
      [[{ ...told, dedupe_key: "x", content_key: null, event_id: "x" }], [told, again]],
      ["started", "overlap_skip", "same_delivery"],
    ],
    ["is known by the key of another", {}, [[{ ...told, content_key: null }], [again]], ["started", "same_delivery"]],
    [
      "has as its first key another's second",
      {},
      [[{ ...told, dedupe_key: "x" }], [again]],
      ["started", "same_delivery"],
    ],
  ])("%s", async (_what, given, calls, outcomes) => {
    const routine = await buildRoutine({ max_concurrent: 100, triggers: [trigger], ...given });
    for (const events of calls) expect(await asking(routine.id).takeEvents(events)).toMatchObject({ ok: true });
    expect(await outcomesOf(routine.id)).toEqual(outcomes);
  });
});

/** Whose id the signature leaves out, and whose body tells one event from another. */
const KNOWN_BY_BODY: readonly WebhookSource[] = ["linear", "sentry", "jira", "bitbucket"];

describe.each(namedCases)("at $name", ({ tested }) => {
  const { source, secretFrom } = tested.listener;

  async function endpoint() {
    const routine = await buildRoutine({ max_concurrent: 100, triggers: [endpointTrigger(tested)] });
    const triggerId = routine.triggers[0]?.id ?? "";
    if (secretFrom !== "nobody") {
      const path = `/api/v1/routines/${routine.id}/triggers/${triggerId}/secret`;
      expect((await call("POST", path, { secret: tested.secrets[0] })).status).toBe(201);
    }
    return { id: routine.id, path: `/webhooks/${source}/${triggerId}` };
  }

  /** @param body as it was sent before, or null for one of this moment. @param id in place of the sample's own. */
  async function send(path: string, sample: ListenerSample, id: { from: string; to: string } | null) {
    const renamed = (text: string) => (id === null ? text : text.replaceAll(id.from, id.to));
    const isInHeader = id !== null && Object.values(sample.headers ?? {}).includes(id.from);
    const body = isInHeader ? sample.body(nowMs) : renamed(sample.body(nowMs));
    const own = Object.entries(sample.headers ?? {}).map(([name, value]) => [name, renamed(value)]);
    const signed = await tested.sign(bytesOf(body), tested.secrets[0], nowMs);
    const response = await post(path, body, { ...Object.fromEntries(own), ...signed });
    expect(response.status, await response.clone().text()).toBeLessThan(300);
  }

  it("what comes again within a day is one, and after it another; under another id it is what its body says", async () => {
    vi.mocked(globalThis.fetch).mockImplementation(async () => Response.json(await googleKeys()));
    const { id, path } = await endpoint();
    const sample = await keyedSample(tested);
    if (sample === null) return expect.unreachable("each source has an event with an id");
    const key = sample.key.split(" ").at(-1) ?? "";
    await send(path, sample.sample, null);
    await send(path, sample.sample, null);
    expect(await outcomesOf(id)).toEqual(["started", "same_delivery"]);
    const other = { from: key, to: key.replace(/[0-9a-z](?=[^0-9a-z]*$)/i, (last) => (last === "7" ? "8" : "7")) };
    const isIdSigned = await isSigned(tested, sample.sample, key);
    if (!isIdSigned) {
      await send(path, sample.sample, other);
      const isReplay = KNOWN_BY_BODY.includes(source);
      expect((await outcomesOf(id)).at(-1)).toBe(isReplay ? "same_event" : "started");
    }
    pass(25 * HOUR_MS);
    await send(path, sample.sample, null);
    expect((await outcomesOf(id)).at(-1)).toBe("started");
  });
});

/** Whether the signature is over the id beside the body. */
async function isSigned(tested: ListenerCase, sample: ListenerSample, key: string): Promise<boolean> {
  const body = bytesOf(sample.body(nowMs));
  const headers = await tested.sign(body, tested.secrets[0], nowMs);
  return Object.values(headers).some((value) => value === key);
}

/** The first event that its source gives an id. */
async function keyedSample(tested: ListenerCase): Promise<{ sample: ListenerSample; key: string } | null> {
  for (const sample of tested.samples) {
    if (sample.reads.kind !== "event") continue;
    const settings = { auth: null, pubsub: null, url: "https://reveille.test/webhooks/x/y", ...tested.settings };
    const body = bytesOf(sample.body(nowMs));
    const signed = await tested.sign(body, tested.secrets[0], nowMs);
    const request = { headers: new Headers({ ...sample.headers, ...signed }), body };
    const reading = tested.listener.read(request, settings);
    if (reading.kind === "event" && reading.event.dedupe_key !== null) return { sample, key: reading.event.dedupe_key };
  }
  return null;
}
