/**
 * All that leaves a container over HTTP and HTTPS comes here, whatever host it was meant for. The attempt is in the
 * entrypoint's properties, with what it may reach: nothing inside of the container can change them.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Network } from "#protocol/environment.ts";
import { errorAnswer } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { judgeRequest, TRUSTED, type Verdict } from "#rules/network/judge-request.ts";
import { app } from "../app.ts";
import type { Env } from "../bindings.ts";
import { settledDeps } from "../deps.ts";
import { newRequestId } from "../http/request-id.ts";
import { passOut } from "./pass-out.ts";
import { ToldDenials } from "./told-denials.ts";
import { withAcceptKey } from "./websocket-accept.ts";

const denials = new ToldDenials();

/** Whose container it is, and what it may reach: absent from a container's object of an earlier version. */
interface ExitProps extends LeaseRef {
  network?: Network;
}

export class SandboxExit extends WorkerEntrypoint<Env, ExitProps> {
  override async fetch(request: Request): Promise<Response> {
    // A program of the container's can send what is no address, in the request line or as its host.
    const url = URL.parse(request.url);
    const isUpgrade = (request.headers.get("upgrade") ?? "").toLowerCase().includes("websocket");
    const run = { id: this.ctx.props.run_id, policy: this.ctx.props.network ?? TRUSTED };
    const verdict = judgeRequest({ method: request.method, url, isUpgrade }, run);
    switch (verdict.to) {
      case "instance":
        return withAcceptKey(request, await app.fetch(asSent(request, verdict.url), this.env, this.ctx));
      case "internet":
        return withAcceptKey(request, await passOut(asSent(request, verdict.url), this.#outside));
      case "nowhere":
        return this.#deny(verdict);
    }
  }

  readonly #outside: typeof fetch = (...asked) => (this.env.OUTSIDE ?? globalThis).fetch(...asked);

  #deny({ reason, refusal }: Extract<Verdict, { to: "nowhere" }>): Response {
    const { status, body } = errorAnswer(refusal, newRequestId());
    const { message } = body.error;
    // Nobody waits for it: an object that hangs holds up no answer.
    this.ctx.waitUntil(denials.once(this.ctx.props, refusal.code, message, () => this.#tell(refusal.code, message)));
    return Response.json(body, { status, headers: { "x-deny-reason": reason, "x-should-retry": "false" } });
  }

  async #tell(code: string, message: string): Promise<void> {
    const { run_id, generation } = this.ctx.props;
    const made = await settledDeps(this.env);
    if (!made.ok) return;
    try {
      const told = await made.deps.ownerOf(run_id).tellRun({ run_id, generation }, { code, message });
      // The transcript of an attempt that has ended takes nothing any more; any other refusal passes.
      if (!told.ok && told.refusal.code !== "proxy_token_refused") throw new Error(told.refusal.code);
    } catch (error) {
      logTrouble("notice_not_told", { run_id, generation, notice: code }, error);
      throw error;
    }
  }
}

/** The request that was judged. The body of a GET or HEAD means nothing, and is left out. */
function asSent(request: Request, url: URL): Request {
  const { method, headers, signal } = request;
  const body = method === "GET" || method === "HEAD" ? null : request.body;
  return new Request(url, { method, headers, body, signal, redirect: "manual" });
}
