/** Sessions: read one with what it has changed, name, archive and delete it, and hand out tickets for viewers that can't set headers. */
import { ticketSchema } from "#protocol/api.ts";
import { diffSchema } from "#protocol/diff.ts";
import { refuse } from "#protocol/errors.ts";
import { interruptInputSchema, messageAnswerSchema, messageInputSchema } from "#protocol/message.ts";
import { sessionPatchSchema, sessionSchema } from "#protocol/session.ts";
import { actorOf } from "../auth/authenticate.ts";
import { noteSocket } from "../auth/note-socket.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { ADMISSION_REFUSALS } from "./fire-input.ts";
import { sessionParams } from "./inputs.ts";

const one = { tag: "Sessions", needs: "runs:read", params: sessionParams } as const;

export function mountSessions(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "get",
      path: "/api/v1/sessions/{id}",
      id: "readSession",
      summary: "Read a session",
      answer: { status: 200, schema: sessionSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).readSession(),
  );
  endpoint(
    app,
    {
      ...one,
      needs: "runs:write",
      method: "patch",
      path: "/api/v1/sessions/{id}",
      id: "changeSession",
      summary: "Name a session, or archive it",
      description: "What is left out stays. Repeating it is safe.",
      body: { schema: sessionPatchSchema, optional: false },
      answer: { status: 200, schema: sessionSchema },
    },
    async ({ c, params, body }) => c.var.deps.ownerOf(params.id).changeSession(body),
  );
  endpoint(
    app,
    {
      ...one,
      needs: "runs:write",
      method: "delete",
      path: "/api/v1/sessions/{id}",
      id: "deleteSession",
      refuses: ["session_active"],
      summary: "Delete a session",
      description:
        "Its transcript, conversation, workspace and shown files are deleted; its runs stay, without what they were given and what they reported. Refused while one of them has not ended.",
      answer: { status: 204 },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).removeSession(),
  );
  endpoint(
    app,
    {
      ...one,
      method: "get",
      path: "/api/v1/sessions/{id}/diff",
      id: "readSessionDiff",
      summary: "Read what a session's work has changed",
      description: "Branches and what is not committed, as the latest run that has ended left them.",
      answer: { status: 200, schema: diffSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).readDiff(),
  );
  endpoint(
    app,
    {
      ...one,
      method: "post",
      path: "/api/v1/sessions/{id}/ticket",
      id: "issueTicket",
      summary: "Issue a ticket for the session's WebSocket",
      description: "Works once, for 60 seconds, as ?ticket= of …/live.",
      answer: { status: 201, schema: ticketSchema },
    },
    async ({ c, params, principal }) => {
      if (principal === null) return refuse("authentication_required");
      const { access } = principal;
      const noted = await noteSocket(c, access, params.id);
      return noted.ok ? c.var.deps.ownerOf(params.id).issueTicket(access) : noted;
    },
  );
  endpoint(
    app,
    {
      ...one,
      needs: "runs:write",
      method: "post",
      path: "/api/v1/sessions/{id}/messages",
      id: "sendMessage",
      refuses: ["session_deleted", "messages_full", "runner_not_steered", "too_much_said", ...ADMISSION_REFUSALS],
      summary: "Send a message to a session",
      description:
        "It reaches the agent of the run that is on at its next step, and wakes a run that waits for a message. When no run is on, it starts one in the same session. Answered once it is stored.",
      body: { schema: messageInputSchema, optional: false },
      answer: { status: 200, schema: messageAnswerSchema },
    },
    async ({ c, params, body, principal }) => {
      if (principal === null) return refuse("authentication_required");
      const { text, id = crypto.randomUUID() } = body;
      return c.var.deps.ownerOf(params.id).say({ id, text, by: actorOf(principal), requestId: c.var.requestId });
    },
  );
  endpoint(
    app,
    {
      ...one,
      needs: "runs:write",
      method: "post",
      path: "/api/v1/sessions/{id}/interrupt",
      id: "interruptSession",
      refuses: ["nothing_to_interrupt", "runner_not_steered"],
      summary: "Interrupt a session's turn",
      description:
        "Stops the turn that is on, with its tools and what they have started; the run then waits for a message. Answered once it is stored: the transcript's run.interrupted says that all has stopped.",
      body: { schema: interruptInputSchema, optional: true },
      answer: { status: 200, schema: messageAnswerSchema },
    },
    async ({ c, params, body, principal }) => {
      if (principal === null) return refuse("authentication_required");
      const { id = crypto.randomUUID() } = body;
      return c.var.deps.ownerOf(params.id).interrupt({ id, by: actorOf(principal), requestId: c.var.requestId });
    },
  );
}
