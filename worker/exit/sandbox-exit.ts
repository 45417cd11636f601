/**
 * All that leaves a container over HTTP and HTTPS comes here, whatever host it was meant for. The attempt is in the
 * entrypoint's properties, with what it may reach: nothing inside of the container can change them.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Network } from "#protocol/environment.ts";
import { errorAnswer, type Result } from "#protocol/errors.ts";
import type { HostUse } from "#protocol/host-use.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { judgeRequest, TRUSTED, type Verdict } from "#rules/network/judge-request.ts";
import { app } from "../app.ts";
import type { Env, RoutineStub } from "../bindings.ts";
import { settledDeps } from "../deps.ts";
import { newRequestId } from "../http/request-id.ts";
import { counted, HostCounts } from "./host-counts.ts";
import { passOut } from "./pass-out.ts";
import { ToldDenials } from "./told-denials.ts";
import { WaitingRequests } from "./waiting-requests.ts";
import { withAcceptKey } from "./websocket-accept.ts";

const denials = new ToldDenials();
const counts = new HostCounts();
const waiting = new WaitingRequests();

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
        return withAcceptKey(request, await this.#pass(request, verdict.url));
      case "nowhere":
        if (url !== null && verdict.reason === "host_not_allowed")
          this.#count(url.hostname, { allowed: false, requests: 1 });
        return this.#deny(verdict);
    }
  }

  async #pass(request: Request, url: URL): Promise<Response> {
    const { hostname } = url;
    this.#count(hostname, { requests: 1 });
    const sent = counted(request.body, request.headers, (bytes_sent) => this.#count(hostname, { bytes_sent }));
    const answered = waiting.begin(this.ctx.props);
    if (answered === null) return tooMany();
    const answer = await passOut(asSent(request, url, sent), this.#outside).finally(answered);
    if (request.method === "HEAD") return answer;
    const body = counted(answer.body, answer.headers, (bytes_received) => this.#count(hostname, { bytes_received }));
    return body === answer.body ? answer : new Response(body, answer);
  }

  readonly #outside: typeof fetch = (...asked) => (this.env.OUTSIDE ?? globalThis).fetch(...asked);

  #deny({ reason, refusal }: Extract<Verdict, { to: "nowhere" }>): Response {
    const { status, body } = errorAnswer(refusal, newRequestId());
    const { message } = body.error;
    // Nobody waits for it: an object that hangs holds up no answer.
    this.ctx.waitUntil(denials.once(this.ctx.props, refusal.code, message, () => this.#tell(refusal.code, message)));
    return Response.json(body, { status, headers: { "x-deny-reason": reason, "x-should-retry": "false" } });
  }

  #count(host: string, part: Partial<HostUse>): void {
    const use = { host, allowed: true, requests: 0, bytes_sent: 0, bytes_received: 0, ...part };
    const told = counts.add(this.ctx.props, use, (rows) =>
      // What is not told is not counted: to tell it again could count it twice.
      this.#tellRun("hosts", (run, lease) => run.noteHosts(lease, rows)).catch(() => {}),
    );
    if (told !== null) this.ctx.waitUntil(told);
  }

  #tell(code: string, message: string): Promise<void> {
    return this.#tellRun(code, (run, lease) => run.tellRun(lease, { code, message }));
  }

  /** @param notice what it is about, for the log. */
  async #tellRun(notice: string, tell: (run: RoutineStub, lease: LeaseRef) => Promise<Result<null>>): Promise<void> {
    const { run_id, generation } = this.ctx.props;
    const made = await settledDeps(this.env);
    if (!made.ok) return;
    try {
      const told = await tell(made.deps.ownerOf(run_id), { run_id, generation });
      // An attempt that has ended takes nothing any more; any other refusal passes.
      if (!told.ok && told.refusal.code !== "proxy_token_refused") throw new Error(told.refusal.code);
    } catch (error) {
      logTrouble("notice_not_told", { run_id, generation, notice }, error);
      throw error;
    }
  }
}

function tooMany(): Response {
  const message = "This run waits for the answers of as many requests to hosts as it may.";
  const hint = "Wait until some have been answered, and ask for less at once.";
  const { status, body } = errorAnswer({ code: "overloaded", message, hint }, newRequestId());
  return Response.json(body, { status, headers: { "retry-after": "1" } });
}

/** The request that was judged. The body of a GET or HEAD means nothing, and is left out. */
function asSent(request: Request, url: URL, sent: ReadableStream<Uint8Array> | null = request.body): Request {
  const { method, headers, signal } = request;
  const body = method === "GET" || method === "HEAD" ? null : sent;
  return new Request(url, { method, headers, body, signal, redirect: "manual" });
}
