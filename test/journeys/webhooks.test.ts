/** Each source sends what it really sends to a trigger's endpoint; whoever else sends is refused in the same words. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { deliverGithub, post, readDelivery } from "#test/support/deliver.ts";
import { brokenBodies, brokenHeaders } from "#test/worker/listeners/broken-signatures.ts";
import { endpointTrigger, namedCases } from "#test/worker/listeners/endpoint-trigger.ts";
import { AUDIENCE, googleKeys, googleToken, SERVICE_ACCOUNT } from "#test/worker/listeners/google-tokens.ts";
import type { ListenerCase, ListenerSample } from "#test/worker/listeners/listener-case.ts";
import { bytesOf } from "#test/worker/listeners/signing.ts";

interface Endpoint {
  routine: Routine & { token: string };
  triggerId: string;
  path: string;
}

async function makeEndpoint(tested: ListenerCase, secret: string | null = tested.secrets[0]): Promise<Endpoint> {
  const { source, secretFrom } = tested.listener;
  const routine = await buildRoutine({ max_concurrent: 100, triggers: [endpointTrigger(tested)] });
  const [trigger] = routine.triggers;
  if (trigger === undefined) return expect.unreachable("the routine has a trigger");
  const path = `/webhooks/${source}/${trigger.id}`;
  expect(trigger.endpoint?.url).toMatch(new RegExp(`${path}$`));
  if (secret !== null && secretFrom !== "nobody") {
    const set = await call("POST", secretPath(routine.id, trigger.id), { secret });
    expect(set).toMatchObject({ status: 201, body: { secret, url: trigger.endpoint?.url } });
  }
  return { routine, triggerId: trigger.id, path };
}

function secretPath(routineId: string, triggerId: string): string {
  return `/api/v1/routines/${routineId}/triggers/${triggerId}/secret`;
}

async function send(endpoint: Endpoint, tested: ListenerCase, sample: ListenerSample, secret = tested.secrets[0]) {
  const body = sample.body(Date.now());
  const headers = { ...sample.headers, ...(await tested.sign(bytesOf(body), secret, Date.now())) };
  const response = await post(endpoint.path, body, headers);
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

/** The keys of Google are all that the endpoints ask the network for. */
function openKeys(): void {
  vi.mocked(globalThis.fetch).mockImplementation(async () => Response.json(await googleKeys()));
}

async function deliveriesTo({ triggerId }: Endpoint): Promise<{ id: string; status: string }[]> {
  const asked = env.DB.prepare("SELECT id, status FROM deliveries WHERE trigger_id = ? ORDER BY id").bind(triggerId);
  return (await asked.all<{ id: string; status: string }>()).results;
}

async function handled(endpoint: Endpoint) {
  const [stored, ...others] = await vi.waitFor(async () => {
    const all = await deliveriesTo(endpoint);
    expect(all.map(({ status }) => status)).not.toContain("stored");
    return all;
  }, 10_000);
  expect(others).toEqual([]);
  return readDelivery(stored?.id ?? "");
}

describe.each(namedCases)("$name", ({ tested }) => {
  it("wakes the routine with each of its events, and has the answer that it expects", { timeout: 60_000 }, async () => {
    openKeys();
    await Promise.all(
      tested.samples.map(async (sample) => {
        const endpoint = await makeEndpoint(tested);
        const { status, type, text } = await send(endpoint, tested, sample);
        const answer = "answer" in sample.reads ? sample.reads.answer : undefined;
        if (answer === undefined)
          expect([status, JSON.parse(text)]).toEqual([202, { delivery_id: expect.any(String) }]);
        else expect([status, type, text]).toEqual([answer.status, answer.contentType, answer.body]);
        const delivery = await handled(endpoint);
        if (sample.reads.kind === "event") {
          const { name } = sample.reads.event;
          expect(delivery, sample.title).toMatchObject({
            status: "handled",
            event: name,
            trigger_id: endpoint.triggerId,
          });
          expect(delivery.outcomes, sample.title).toMatchObject([{ outcome: "started", reason: "admitted" }]);
        } else {
          expect(delivery, sample.title).toMatchObject({
            status: "ignored",
            note: expect.stringMatching(sample.reads.reason),
          });
        }
      }),
    );
  });

  it("is refused in the same words whatever is wrong, and nothing of it is kept but a count", async () => {
    openKeys();
    const endpoint = await makeEndpoint(tested);
    const sample = tested.samples.find(({ reads }) => reads.kind === "event") ?? expect.unreachable();
    const body = sample.body(Date.now());
    const good = { ...sample.headers, ...(await tested.sign(bytesOf(body), tested.secrets[0], Date.now())) };
    const { header } = tested.signature;
    const key = Object.keys(good).find((name) => name.toLowerCase() === header.toLowerCase()) ?? header;
    const { [key]: signature = "", ...others } = good;
    const requests: [Record<string, string>, string][] = [
      ...brokenHeaders(tested.signature).map(({ values }): [Record<string, string>, string] => {
        const value = values(signature).join(", ");
        return [value === "" ? others : { ...others, [key]: value }, body];
      }),
      ...brokenBodies(tested).map(({ body: broken }): [Record<string, string>, string] => [good, broken(body)]),
    ];
    if (tested.windowSeconds !== null) {
      const lateMs = Date.now() - ((tested.pastSeconds ?? tested.windowSeconds) + 60) * 1_000;
      const late = sample.body(lateMs);
      requests.push([{ ...sample.headers, ...(await tested.sign(bytesOf(late), tested.secrets[0], lateMs)) }, late]);
    }
    const answers = await Promise.all(
      requests.map(async ([headers, sent]) => {
        const response = await post(endpoint.path, sent, headers);
        return [response.status, ((await response.json()) as { error: unknown }).error];
      }),
    );
    const refusal = {
      type: "authentication_error",
      message: "The request was not accepted.",
      hint: expect.any(String),
      details: { code: "webhook_refused" },
    };
    expect(answers).toEqual(requests.map(() => [401, refusal]));
    expect(await deliveriesTo(endpoint)).toEqual([]);
    const counts = await call<{ data: { trigger_id: string; count: number }[] }>("GET", "/api/v1/deliveries/failures");
    const ours = counts.body.data.filter(({ trigger_id }) => trigger_id === endpoint.triggerId);
    expect(ours.reduce((sum, { count }) => sum + count, 0)).toBe(requests.length);
  });
});

describe("an endpoint", () => {
  const slackCase = namedCases[0]?.tested ?? expect.unreachable();
  const event = slackCase.samples.find(({ reads }) => reads.kind === "event") ?? expect.unreachable();

  const drawn = "c2VjcmV0LW9mLXRoZS10ZXN0cy4uLg";
  it.each<[source: string, pasted: string, kept: string]>([
    ["sentry", " 0123456789abcdef0123456789abcdef\n", "0123456789abcdef0123456789abcdef"],
    ["linear", "lin_wh_abcdefghijkl\r\n", "lin_wh_abcdefghijkl"],
    ["gitlab", "\ttok-en-12345678 ", "tok-en-12345678"],
    ["generic", "one-of-our-own\n", "one-of-our-own"],
    ["standard-webhooks", `whsec_${drawn}==\n`, `whsec_${drawn}==`],
    ["standard-webhooks", `v1,whsec_${drawn}==`, `v1,whsec_${drawn}==`],
    ["standard-webhooks", `whsec_${drawn}`, `whsec_${drawn}`],
    ["gitlab", `whsec_${drawn}`, `whsec_${drawn}`],
  ])("of %s takes a secret as it is pasted: %j", async (source, pasted, kept) => {
    const routine = await buildRoutine({ triggers: [{ type: "webhook", source }] });
    const set = await call("POST", secretPath(routine.id, routine.triggers[0]?.id ?? ""), { secret: pasted });
    expect(set).toMatchObject({ status: 201, body: { secret: kept } });
  });

  it("that has no secret believes nobody", async () => {
    const endpoint = await makeEndpoint(slackCase, null);
    expect((await send(endpoint, slackCase, event)).status).toBe(401);
  });

  it("believes the secret before for a day after a new one was set", async () => {
    const [before, after] = slackCase.secrets;
    const endpoint = await makeEndpoint(slackCase, before);
    const nowMs = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
    try {
      const set = await call<{ previous_secret_until: string }>(
        "POST",
        secretPath(endpoint.routine.id, endpoint.triggerId),
        { secret: after },
      );
      expect(set.body.previous_secret_until).toBe(new Date(nowMs + 86_400_000).toISOString());
      vi.setSystemTime(nowMs + 86_400_000 - 1_000);
      expect((await send(endpoint, slackCase, event, before)).status).toBe(202);
      vi.setSystemTime(nowMs + 86_400_000);
      expect((await send(endpoint, slackCase, event, before)).status).toBe(401);
      expect((await send(endpoint, slackCase, event, after)).status).toBe(202);
    } finally {
      vi.useRealTimers();
    }
  });

  it("whose secrets were ended believes nobody, until it is given a new one", async () => {
    const endpoint = await makeEndpoint(slackCase);
    const path = secretPath(endpoint.routine.id, endpoint.triggerId);
    await call("POST", path, { secret: slackCase.secrets[1] });
    expect((await call("DELETE", path)).status).toBe(204);
    for (const secret of slackCase.secrets) expect((await send(endpoint, slackCase, event, secret)).status).toBe(401);
    const [, , fresh = "a-third-secret-of-the-tests"] = slackCase.secrets as readonly string[];
    expect(
      (await call<{ previous_secret_until: null }>("POST", path, { secret: fresh })).body.previous_secret_until,
    ).toBeNull();
    expect((await send(endpoint, slackCase, event, fresh)).status).toBe(202);
    expect((await call("DELETE", path.replace(endpoint.triggerId, `trg_${"0".repeat(26)}`))).status).toBe(404);
  });

  it("of another source, of a trigger that is gone, or of none at all is not there, and leaves nothing behind", async () => {
    const endpoint = await makeEndpoint(slackCase);
    const nobody = `trg_${"0".repeat(26)}`;
    const elsewhere = [
      `/webhooks/linear/${endpoint.triggerId}`,
      `/webhooks/nobody/${endpoint.triggerId}`,
      `/webhooks/slack/${nobody}`,
      "/webhooks/slack/x",
    ];
    for (const path of elsewhere) expect((await post(path, "{}", {})).status).toBe(404);
    const { routine } = endpoint;
    const changed = await call("PATCH", `/api/v1/routines/${routine.id}`, { triggers: [{ type: "api" }] });
    expect(changed.status).toBe(200);
    expect((await send(endpoint, slackCase, event)).status).toBe(404);
    const again = await makeEndpoint(slackCase);
    expect((await call("DELETE", `/api/v1/routines/${again.routine.id}`)).status).toBe(204);
    expect((await send(again, slackCase, event)).status).toBe(404);
    expect(await deliveriesTo(endpoint)).toEqual([]);
  });

  it("of Pub/Sub is meant by tokens for the address that is shown, where the trigger names no other", async () => {
    openKeys();
    const pubsub = namedCases.find(({ tested }) => tested.listener.source === "pubsub")?.tested ?? expect.unreachable();
    const service_account = SERVICE_ACCOUNT;
    const routine = await buildRoutine({
      triggers: [{ type: "webhook", source: "pubsub", pubsub: { service_account } }],
    });
    const url = routine.triggers[0]?.endpoint?.url ?? expect.unreachable();
    const body = pubsub.samples[0]?.body(Date.now()) ?? "";
    const answers = [url, `${url}/`, AUDIENCE].map(async (aud) => {
      const authorization = `Bearer ${await googleToken(Date.now(), { claims: { aud } })}`;
      return (await post(new URL(url).pathname, body, { ...pubsub.samples[0]?.headers, authorization })).status;
    });
    expect(await Promise.all(answers)).toEqual([202, 401, 401]);
  });

  it("takes no secret that could sign nothing", async () => {
    const standard = namedCases.find(({ tested }) => tested.listener.source === "standard-webhooks")?.tested;
    const endpoint = await makeEndpoint(standard ?? expect.unreachable(), null);
    const path = secretPath(endpoint.routine.id, endpoint.triggerId);
    for (const secret of ["whsec_not base64!", "rvw_abcdefghijkl", "whsec_"]) {
      expect((await call("POST", path, { secret })).status).toBe(400);
    }
    expect((await call("POST", path, {})).status).toBe(400);
  });

  it("takes a body up to its limit, and nothing that is longer", async () => {
    const { path } = await makeEndpoint(slackCase);
    const signature = { "x-slack-request-timestamp": "1", "x-slack-signature": `v0=${"0".repeat(64)}` };
    expect((await post(path, "x".repeat(5 * 1_048_576 + 1), signature)).status).toBe(413);
    expect((await post(path, "x".repeat(5 * 1_048_576), signature)).status).toBe(401);
  });

  it("answers whatever comes without a fault of its own", async () => {
    const { path } = await makeEndpoint(slackCase);
    const header = fc.constantFrom(
      "x-slack-signature",
      "x-slack-request-timestamp",
      "content-type",
      "x-hub-signature-256",
    );
    const value = fc.string({ unit: "grapheme-ascii", maxLength: 80 }).map((text) => text.trim());
    const paths = fc.constantFrom(path, "/webhooks/github", "/webhooks/slack/%00", `${path}/more`);
    await fc.assert(
      fc.asyncProperty(
        paths,
        fc.dictionary(header, value),
        fc.string({ unit: "binary" }),
        async (to, headers, body) => {
          expect((await post(to, body, headers)).status).toBeLessThan(500);
        },
      ),
      { numRuns: 60 },
    );
  });
});

it("GitHub's forged deliveries are refused in those words too", async () => {
  const signatures = ["", "sha256=", `sha256=${"0".repeat(64)}`, `SHA256=${"0".repeat(64)}`, "0".repeat(64)];
  const answers = signatures.map((signature) => deliverGithub({ event: "push", payload: {}, signature }));
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(signatures.map(() => 401));
});
