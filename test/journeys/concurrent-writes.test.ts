/** Two management writes of one routine at once: each waits for its own write to D1, and is answered with what it did. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { ListedRoutine, Routine } from "#protocol/routine.ts";
import { type Answer, buildRoutine, call, fire, fired } from "#test/support/api.ts";
import { answerLate, d1, hang, pool, type Trouble } from "#test/support/hang.ts";
import { ownerOf } from "#test/support/objects.ts";

interface Told {
  token?: string;
  secret?: string;
}

interface Write {
  send(routine: Routine): Promise<Answer<Told>>;
  /** What of the routine it decides. */
  decides: string;
  /** Whether it has taken effect, as it is read; not asked of what a later write has undone. */
  holds?(routine: Routine): boolean;
}

const at = ({ id }: Routine) => `/api/v1/routines/${id}`;
const secretAt = (routine: Routine) => `${at(routine)}/triggers/${webhookOf(routine)?.id}/secret`;
const webhookOf = ({ triggers }: Routine) => triggers.find(({ type }) => type === "webhook");
const hasSecret = (routine: Routine) => webhookOf(routine)?.endpoint?.has_secret;
const prompted = (prompt: string): Write => ({
  send: (routine) => call("PATCH", at(routine), { prompt }),
  decides: "prompt",
  holds: (routine) => routine.prompt === prompt,
});

const WRITES: Record<string, Write> = {
  "patch (one)": prompted("one"),
  "patch (other)": prompted("other"),
  pause: {
    send: (routine) => call("POST", `${at(routine)}/pause`, { reason: "quiet" }),
    decides: "status",
    holds: ({ status }) => status === "paused",
  },
  resume: {
    send: (routine) => call("POST", `${at(routine)}/resume`),
    decides: "status",
    holds: ({ status }) => status === "active",
  },
  token: {
    send: (routine) => call("POST", `${at(routine)}/token`),
    decides: "token",
    holds: (routine) => routine.has_token,
  },
  "token's end": {
    send: (routine) => call("DELETE", `${at(routine)}/token`),
    decides: "token",
    holds: (routine) => !routine.has_token,
  },
  secret: {
    send: (routine) => call("POST", secretAt(routine)),
    decides: "secret",
    holds: (routine) => hasSecret(routine) === true,
  },
  "secret's end": {
    send: (routine) => call("DELETE", secretAt(routine)),
    decides: "secret",
    holds: (routine) => hasSecret(routine) === false,
  },
  triggers: {
    send: (routine) =>
      call("PATCH", at(routine), {
        triggers: [
          { type: "api" },
          { id: webhookOf(routine)?.id, type: "webhook", source: "generic" },
          { type: "event", name: "file.changed" },
        ],
      }),
    decides: "triggers",
    holds: ({ triggers }) => triggers.length === 3,
  },
  delete: { send: (routine) => call("DELETE", at(routine)), decides: "everything" },
};

const built = () => buildRoutine({ triggers: [{ type: "api" }, { type: "webhook", source: "generic" }] });

/** How often the routine's row has changed in its object. */
function versionOf(id: string): Promise<number> {
  return runInDurableObject(ownerOf(id), (_object, state) =>
    Number(state.storage.sql.exec("SELECT version FROM routine").one()["version"]),
  );
}

/** Sends a write, and waits until the object has made it. */
async function begun(routine: Routine, name: string, version: number): Promise<Promise<Answer<Told>>[]> {
  const answer = WRITES[name]?.send(routine) ?? expect.unreachable();
  await vi.waitUntil(async () => (await versionOf(routine.id)) >= version, { interval: 2 });
  return [answer];
}

/** As the list has it, without what lists alone show. */
async function listed(id: string): Promise<Routine | undefined> {
  const list = await call<{ data: ListedRoutine[] }>("GET", "/api/v1/routines?limit=100");
  const found = list.body.data.find((routine) => routine.id === id);
  if (found === undefined) return undefined;
  const { last_run: _run, next_fire_at: _at, ...routine } = found;
  return routine;
}

const names = Object.keys(WRITES);
const pairs = names.flatMap((first, place) => names.slice(place).map((second) => [first, second] as const));

describe("while the first one's write to D1 is under way", () => {
  it.each(pairs.filter(([first]) => first !== "delete"))("%s, then %s: both are answered", async (first, second) => {
    const routine = await built();
    const version = await versionOf(routine.id);
    const answers: Promise<Answer<Told>>[] = [];
    using late: Trouble = answerLate(d1(/INTO routines/));
    answers.push(...(await begun(routine, first, version + 1)));
    await late.untilMet();
    answers.push(...(await begun(routine, second, version + 2)));
    late.end();
    const [one, other] = await Promise.all(answers);
    expect([one?.status, other?.status]).toEqual([expect.toSatisfy(isDone), expect.toSatisfy(isDone)]);
    if (second === "delete") {
      expect((await call("GET", at(routine))).status).toBe(404);
      await vi.waitUntil(async () => (await listed(routine.id)) === undefined);
      return;
    }
    const { body: read } = await call<Routine>("GET", at(routine));
    expect(WRITES[second]?.holds?.(read)).toBe(true);
    const isUndone = WRITES[first]?.decides === WRITES[second]?.decides;
    if (!isUndone) expect(WRITES[first]?.holds?.(read)).toBe(true);
    expect(await listed(routine.id)).toEqual(read);
    // Of two tokens the later one is in force, and whoever asked has been told.
    const token = second === "token" ? other?.body?.token : first === "token" ? one?.body?.token : undefined;
    if (token === undefined || isUndone === (second !== "token")) return;
    expect((await fire({ id: routine.id, token })).status).toBe(second === "pause" || first === "pause" ? 400 : 200);
  });

  it.each(names)("delete, then %s: it is gone", async (second) => {
    const routine = await built();
    using late = answerLate(d1(/DELETE FROM `?"?routines/i));
    const deleted = call("DELETE", at(routine));
    await late.untilMet();
    expect((await WRITES[second]?.send(routine))?.status).toBe(404);
    late.end();
    expect((await deleted).status).toBe(204);
  });
});

it("twenty of each at once are all answered, and D1 agrees in the end", async () => {
  const routine = await built();
  const kinds = ["patch (one)", "token", "secret", "pause", "resume"];
  const sent = Array.from({ length: 20 }, () => kinds.map((name) => WRITES[name]?.send(routine))).flat();
  const statuses = (await Promise.all(sent)).map((answer) => answer?.status);
  expect(statuses.filter((status) => !isDone(status ?? 0))).toEqual([]);
  const { body: read } = await call<Routine>("GET", at(routine));
  await vi.waitFor(async () => expect(await listed(routine.id)).toEqual(read), 5_000);
});

describe("a write", () => {
  it("waits for no call that has nothing to do with it", async () => {
    const routine = await built();
    using _silent = hang(pool("request"));
    using runs = hang(d1(/INTO runs/));
    await fired(routine);
    await runs.untilMet();
    for (const name of ["patch (one)", "token", "pause", "secret", "delete"]) {
      expect(await WRITES[name]?.send(routine)).toMatchObject({ status: expect.toSatisfy(isDone) });
    }
  });

  it("that comes late to D1 lists no run of a routine that has been deleted meanwhile", async () => {
    const routine = await built();
    const late = hang(d1(/INTO runs/));
    const { run_id } = await fired(routine);
    await late.untilMet();
    expect((await call("DELETE", at(routine))).status).toBe(204);
    late.end();
    await vi.waitUntil(async () => {
      const owed = await runInDurableObject(ownerOf(routine.id), (_object, state) =>
        state.storage.sql.exec("SELECT 1 FROM outbox WHERE kind = 'project_run'").toArray(),
      );
      return owed.length === 0;
    });
    expect(await env.DB.prepare("SELECT id FROM runs WHERE id = ?").bind(run_id).first()).toBeNull();
  });
});

describe("while D1 is down", () => {
  const isDown = { body: { error: { details: { code: "index_behind" } } }, status: 503 };

  it.each(["patch (one)", "pause", "token's end", "secret's end", "triggers"])(
    "%s says that it is made",
    async (name) => {
      const routine = await built();
      await WRITES["secret"]?.send(routine);
      await env.DB.exec("ALTER TABLE routines RENAME TO routines_away");
      const answer = await WRITES[name]?.send(routine);
      await env.DB.exec("ALTER TABLE routines_away RENAME TO routines");
      expect(answer).toMatchObject(isDown);
      expect(JSON.stringify(answer?.body)).toContain("The change is made");
      const { body: read } = await call<Routine>("GET", at(routine));
      expect(WRITES[name]?.holds?.(read)).toBe(true);
    },
  );

  it("delete says that the routine is gone", async () => {
    const routine = await built();
    await env.DB.exec("ALTER TABLE routines RENAME TO routines_away");
    const answer = await WRITES["delete"]?.send(routine);
    await env.DB.exec("ALTER TABLE routines_away RENAME TO routines");
    expect(answer).toMatchObject(isDown);
    expect(JSON.stringify(answer?.body)).toContain("fires no more");
    expect((await call("GET", at(routine))).status).toBe(404);
  });

  it("a new token and a new secret are told: what they replace is in force no more", async () => {
    const routine = await built();
    await env.DB.exec("ALTER TABLE routines RENAME TO routines_away");
    const token = await WRITES["token"]?.send(routine);
    const secret = await WRITES["secret"]?.send(routine);
    await env.DB.exec("ALTER TABLE routines_away RENAME TO routines");
    expect([token?.status, secret?.status]).toEqual([201, 201]);
    expect((await fire(routine)).status).toBe(401);
    expect((await fire({ id: routine.id, token: token?.body.token ?? "" })).status).toBe(200);
    expect(secret?.body.secret).toMatch(/^rvw_/);
  });

  it("a new token is told also while D1 does not answer at all", async () => {
    const routine = await built();
    using _silent = hang(d1(/INTO routines/));
    const token = await WRITES["token"]?.send(routine);
    expect(token?.status).toBe(201);
    expect((await fire({ id: routine.id, token: token?.body.token ?? "" })).status).toBe(200);
  });
});

function isDone(status: number): boolean {
  return status >= 200 && status < 300;
}
