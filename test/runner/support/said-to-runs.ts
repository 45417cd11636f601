/** What a runner tells of messages and interrupts. */
import type { FrameBody } from "#protocol/runner-link.ts";
import type { FakeRun } from "./fake-run.ts";
import { until } from "./until.ts";

export function untilFrame(
  run: FakeRun,
  kind: FrameBody["kind"],
  test: (body: FrameBody) => boolean = () => true,
): Promise<FrameBody> {
  return until(`a frame ${kind}`, () =>
    run.stored.map(({ body }) => body).find((body) => body.kind === kind && test(body)),
  );
}

/** What it has got, and when it waited or was done, in order. */
export function told(run: FakeRun): string[] {
  return run.stored.flatMap(({ body }) => {
    if (body.kind === "took") return `took ${body.n}`;
    return body.kind === "idle" || body.kind === "waiting" ? body.kind : [];
  });
}
