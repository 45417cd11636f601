/** `reveille doctor --probe`: what is made of what an agent finds, and that nothing is left of the routine that it takes. */
import { expect, it } from "vitest";
import { probe } from "#cli/doctor/probe.ts";
import { judgeProbe } from "#cli/doctor/probe-command.ts";

const RIGHTS = (uid: number, capabilities: string, privileges: number) =>
  `Uid:\t${uid}\t${uid}\t${uid}\t${uid}; CapPrm:\t0000000000000000; CapEff:\t${capabilities}; CapBnd:\t0000000000000000; NoNewPrivs:\t${privileges}`;
const TIGHT = {
  rights: RIGHTS(61_234, "0000000000000000", 1),
  brief: "EACCES",
  shadow: "EACCES",
  instance: "403 path_not_allowed",
  plain: "403 host_not_allowed",
  secure: "403 host_not_allowed",
  metadata: "403 host_not_allowed",
  raw: "ECONNRESET",
  control: "ECONNREFUSED",
  name: "ENOTFOUND",
};

const statuses = (told: Record<string, unknown>) =>
  judgeProbe(told)
    .filter(({ status }) => status !== "ok")
    .map(({ check, status }) => [check, status]);

it.each<[Record<string, unknown>, string[][]]>([
  [{}, []],
  [{ raw: "silent", plain: "ETIMEDOUT", name: "11.0.0.1" }, []],
  [{ rights: RIGHTS(0, "0000000000000000", 1) }, [["probe: rights", "fault"]]],
  [{ rights: RIGHTS(61_234, "00000000a80425fb", 1) }, [["probe: rights", "fault"]]],
  [{ rights: RIGHTS(61_234, "0000000000000000", 0) }, [["probe: rights", "fault"]]],
  [{ brief: "read" }, [["probe: link token", "fault"]]],
  [{ shadow: "read" }, [["probe: files", "fault"]]],
  [{ instance: "200 " }, [["probe: instance", "fault"]]],
  [{ plain: "200 " }, [["probe: http", "fault"]]],
  [{ secure: "301 " }, [["probe: https", "fault"]]],
  [{ metadata: "404 " }, [["probe: metadata", "fault"]]],
  [{ raw: "answered" }, [["probe: tcp", "fault"]]],
  [{ control: "open" }, [["probe: side-car", "warning"]]],
  [{ name: "93.184.216.34" }, [["probe: names", "warning"]]],
  [
    { metadata: undefined, brief: 7 },
    [
      ["probe: link token", "unknown"],
      ["probe: metadata", "unknown"],
    ],
  ],
])("judges %j", (changes, expected) => {
  expect(statuses({ ...TIGHT, ...changes })).toEqual(expected);
});

/** An instance that answers as it is told, by method and path. @returns what it was asked, too. */
function instance(answers: Record<string, unknown>) {
  const asked: string[] = [];
  const ask = async (url: string, init: RequestInit) => {
    const call = `${init.method} ${new URL(url).pathname}`;
    asked.push(call);
    const answer = answers[call];
    return answer === undefined ? new Response("no", { status: 422 }) : Response.json(answer);
  };
  let nowMs = 0;
  const pause = async (ms: number) => {
    nowMs += ms;
  };
  return { asked, parts: { url: "http://r.test", token: "t", ask, pause, now: () => nowMs } };
}

const RAN = {
  "POST /api/v1/routines": { id: "rtn_1" },
  "POST /api/v1/routines/rtn_1/run": { run_id: "run_1" },
  "GET /api/v1/runs/run_1": { status: "succeeded", session_id: "session_1" },
  "GET /api/v1/sessions/session_1/events": {
    data: [{ type: "run.queued" }, { type: "tool.result", text: `probe:${JSON.stringify(TIGHT)}\n` }],
  },
  "DELETE /api/v1/routines/rtn_1": {},
};

it("runs a routine once, reads what its agent found, and deletes it", async () => {
  const { asked, parts } = instance(RAN);
  expect((await probe(parts)).map(({ status }) => status)).toEqual(Object.keys(TIGHT).map(() => "ok"));
  expect(asked).toEqual(Object.keys(RAN));
});

it.each([
  ["no routine can be made", { "POST /api/v1/routines": undefined }, "answered 422"],
  [
    "its run fails",
    { "GET /api/v1/runs/run_1": { status: "failed", session_id: "s", error: { message: "No." } } },
    "its run failed: No.",
  ],
  [
    "its run does not end",
    { "GET /api/v1/runs/run_1": { status: "queued", session_id: "s" } },
    "is queued after 15 minutes",
  ],
  ["its agent ran nothing", { "GET /api/v1/sessions/session_1/events": { data: [] } }, "has not run its command"],
])("says so when %s, and leaves no routine", async (_what, changes, words) => {
  const { asked, parts } = instance({ ...RAN, ...changes });
  const [found] = await probe(parts);
  expect(found).toMatchObject({ check: "probe", status: "unknown", message: expect.stringContaining(words) });
  expect(asked.at(-1)).toBe(asked.length === 1 ? "POST /api/v1/routines" : "DELETE /api/v1/routines/rtn_1");
});
