/** A store of secrets at the other end of the wire, for tests of what reads from one. */
import type { Asking } from "#instance/secrets/ask-store.ts";

export type Answer = { status: number; body: unknown } | "silence" | "broken";

/** At the moment of AWS's published signatures. */
const NOW = Date.parse("2015-08-30T12:36:00Z");

/** A store at the other end of the wire: `answer` is what it says to a request. */
export function storeThat(answer: (request: Request) => Answer | Promise<Answer>) {
  const requests: Request[] = [];
  const asking: Asking = {
    now: () => NOW,
    pause: async () => {},
    deadlineMs: 50,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      requests.push(request);
      const said = await answer(request.clone());
      if (said === "broken") throw new TypeError("connection refused");
      if (said !== "silence") return Response.json(said.body, { status: said.status });
      return await new Promise((_, reject) =>
        request.signal.addEventListener("abort", () => reject(new Error("late"))),
      );
    },
  };
  return { asking, requests };
}
