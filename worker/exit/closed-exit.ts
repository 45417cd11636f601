/** The way out of a container that waits for a run: there is none. What it asks for is refused, whatever it is. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { errorAnswer } from "#protocol/errors.ts";
import type { Env } from "../bindings.ts";
import { newRequestId } from "../http/request-id.ts";

export class ClosedExit extends WorkerEntrypoint<Env> {
  override fetch(): Response {
    const message = "This container waits for a run, and reaches nothing until it has one.";
    const { status, body } = errorAnswer(
      { code: "host_not_allowed", message, reason: "host_not_allowed" },
      newRequestId(),
    );
    return Response.json(body, { status, headers: { "x-deny-reason": "host_not_allowed", "x-should-retry": "false" } });
  }
}
