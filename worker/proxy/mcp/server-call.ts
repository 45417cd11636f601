/** One request of a run's to a connector: what it may do there, its server, and what is told of it. */

import { credentialOf } from "#instance/connectors/credential.ts";
import type { Connector, ConnectorState } from "#protocol/connector.ts";
import { type Result, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { timestamp } from "#protocol/time.ts";
import { type FilteredMessages, filterMessages } from "#rules/connectors/server-messages.ts";
import type { ToolAccess } from "#rules/connectors/tool-rules.ts";
import { KeptCredentials } from "#worker/connectors/kept-credentials.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { pickHeaders } from "../headers.ts";
import { tellRun } from "../render-to-agent.ts";
import { askServer, type ServerAnswer, type ServerRequest } from "./ask-server.ts";
import { boundSession } from "./session-ids.ts";

/** What goes on as the agent's program has it. The body is written anew, so what tells its form is written anew too. */
const TO_SERVER = ["last-event-id", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-*"];
/** Of an answer in the agent's place. The rest is of what the agent has asked. */
const OF_OWN_ANSWERS = ["mcp-protocol-version"];
const ACCEPTED = { GET: "text/event-stream", POST: "application/json, text/event-stream", DELETE: "application/json" };
/** Nobody has to be told more often within one answer that nobody is there. */
const ANSWERS_AT_MOST = 20;

const credentials = new KeptCredentials(() => Date.now());

export class ServerCall {
  readonly name: string;
  /** Null where there is none of this name any more. */
  readonly connector: Connector | null;
  readonly access: ToolAccess;
  readonly #c: HttpContext;
  readonly #lease: LeaseRef;
  readonly #run: { routine_id: string; environment_id: string };
  #answered = 0;

  /** @returns a refusal where the run does not have the connector, or is not on. */
  static async begin(c: HttpContext, lease: LeaseRef, name: string): Promise<Result<ServerCall>> {
    const granted = await c.var.deps.ownerOf(lease.run_id).connectorFor(lease, name);
    if (!granted.ok) return granted;
    const { rules, ...run } = granted.value;
    const connector = await c.var.deps.connectors.find(name);
    const readOnly = new Set(connector?.tools.flatMap((tool) => (tool.read_only ? [tool.name] : [])));
    return success(new ServerCall(c, lease, { name, connector, access: { rules, readOnly }, run }));
  }

  private constructor(
    c: HttpContext,
    lease: LeaseRef,
    found: {
      name: string;
      connector: Connector | null;
      access: ToolAccess;
      run: { routine_id: string; environment_id: string };
    },
  ) {
    this.#c = c;
    this.#lease = lease;
    this.name = found.name;
    this.connector = found.connector;
    this.access = found.access;
    this.#run = found.run;
  }

  /** The id under which the agent knows a session of the server's. */
  bound(session: string): Promise<string> {
    return boundSession(this.#c.var.deps.config.signingKeys, this.#sessions, session);
  }

  get #sessions() {
    return { lease: this.#lease, connectorId: this.connector?.id ?? "" };
  }

  /** @param session the server's own; null where there is none. Never rejects. */
  async ask(
    request: Pick<ServerRequest, "method" | "body" | "isLong">,
    session: string | null,
    crossing = TO_SERVER,
  ): Promise<ServerAnswer> {
    const { connector } = this;
    if (connector === null)
      return {
        kind: "fault",
        status: "unreachable",
        words: "is not known any more: there is no connector of this name.",
      };
    const { deps } = this.#c.var;
    const headers = pickHeaders(this.#c.req.raw.headers, crossing);
    headers.set("accept", ACCEPTED[request.method]);
    if (request.body !== null) headers.set("content-type", "application/json");
    if (session !== null) headers.set("mcp-session-id", session);
    const use = {
      routineId: this.#run.routine_id,
      environmentId: this.#run.environment_id,
      runId: this.#lease.run_id,
      attempt: this.#lease.generation,
    };
    return await askServer(
      {
        outside: deps.outside,
        connector,
        credential: () =>
          credentials.of(this.#lease, connector, () =>
            credentialOf({ secrets: deps.secretValues, loginAccess: deps.loginAccess }, connector, use),
          ),
        onChanged: () => credentials.drop(this.#lease, connector),
      },
      { ...request, headers, signal: this.#c.req.raw.signal },
    );
  }

  /** What of a server's messages goes on; what it asks is declined in the agent's place, and the transcript told. */
  filtered(value: unknown, session: string | null): unknown[] {
    const { passed, answers, declined }: FilteredMessages = filterMessages(value, this.name, this.access);
    for (const message of declined) this.tell("connector_declined", message);
    for (const answer of answers) {
      this.#answered += 1;
      if (this.#answered > ANSWERS_AT_MOST) break;
      const body = JSON.stringify(answer);
      this.#later(this.ask({ method: "POST", body, isLong: false }, session, OF_OWN_ANSWERS).then(drop));
    }
    return passed;
  }

  /** Words for the agent, of a fault. */
  faultWords({ status, words }: Extract<ServerAnswer, { kind: "fault" }>): string {
    const lack = status === "needs_login" ? "needs a login" : "can't be used now";
    // A request that got no answer may have been carried out.
    const done = status === "needs_login" ? "nothing was done there" : "whether anything was done there is not known";
    return `The connector ${this.name} ${lack}: its server ${words} A person has to mend it; ${done}.`;
  }

  /** Tells the transcript, and people who look at the connector, that it could not be used, or can be again. */
  noteFault(fault: Extract<ServerAnswer, { kind: "fault" }>): void {
    this.tell(`connector_${fault.status}`, this.faultWords(fault));
    this.#keep({ status: fault.status, status_detail: `Its server ${fault.words}` });
  }

  noteReady(): void {
    this.#keep({ status: "ready", status_detail: null });
    const { connector } = this;
    if (connector !== null) this.#later(this.#c.var.deps.connectors.noteUse(connector.id, Date.now()));
  }

  /** Counts tools that were called, in the run's evidence. */
  noteCalls(tools: readonly string[], isUsed: boolean): void {
    if (tools.length === 0) return;
    const calls = tools.length;
    const changes = isUsed ? tools.filter((tool) => !this.access.readOnly.has(tool)).length : 0;
    const counted = { name: this.name, calls, failed: isUsed ? 0 : calls, changes };
    this.#later(this.#c.var.deps.ownerOf(this.#lease.run_id).noteConnectorCalls(this.#lease, counted));
  }

  tell(code: string, message: string): void {
    this.#later(tellRun(this.#c, this.#lease, { code, message }));
  }

  #keep(seen: Pick<ConnectorState, "status" | "status_detail">): void {
    const { connector } = this;
    if (connector === null || (connector.status === seen.status && connector.status_detail === seen.status_detail))
      return;
    const { tools, server } = connector;
    const state = { ...seen, tools, server, checked_at: timestamp(Date.now()) };
    this.#later(this.#c.var.deps.connectors.keepState(connector, state));
  }

  /** No answer depends on it. */
  #later(work: Promise<unknown>): void {
    const told = work.catch((error: unknown) => {
      logTrouble("notice_not_told", { ...this.#lease, notice: `connector ${this.name}` }, error);
    });
    this.#c.executionCtx.waitUntil(told);
  }
}

/** Nobody reads what a server says to an answer. */
async function drop(answer: ServerAnswer): Promise<void> {
  if (answer.kind === "events") await answer.body.cancel().catch(() => undefined);
}
