/** The HTTP app: what every request passes through, who answers which path, and what unknown paths are answered. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { routePath } from "hono/route";
import { logTrouble } from "#protocol/log.ts";
import { settledDeps } from "./deps.ts";
import { mountHealth } from "./health/health.ts";
import { readinessFaults } from "./health/readiness.ts";
import { faultRefusal } from "./http/fault-refusal.ts";
import type { HttpContext, HttpEnv } from "./http/http-env.ts";
import { methodsOf } from "./http/known-methods.ts";
import { mountOpenApi } from "./http/openapi/document.ts";
import { renderRefusal } from "./http/render-error.ts";
import { newRequestId } from "./http/request-id.ts";
import { setSecurityHeaders } from "./http/security-headers.ts";
import { mountWebhooks } from "./inbound/receive.ts";
import { mountEvents } from "./live/events.ts";
import { mountLive } from "./live/live.ts";
import { mountProxies } from "./proxy/mount.ts";
import { mountArtifacts } from "./routes/artifacts.ts";
import { mountBudgets } from "./routes/budgets.ts";
import { mountConnectorLogins } from "./routes/connector-logins.ts";
import { mountConnectors } from "./routes/connectors.ts";
import { mountConversations } from "./routes/conversations.ts";
import { mountDeadLetters } from "./routes/dead-letters.ts";
import { mountDeliveries } from "./routes/deliveries.ts";
import { mountDiagnosis } from "./routes/diagnosis.ts";
import { mountEncryptAnew } from "./routes/encrypt-anew.ts";
import { mountEnvironments } from "./routes/environments.ts";
import { mountExport } from "./routes/export.ts";
import { mountFire } from "./routes/fire.ts";
import { mountGithubApp } from "./routes/github-app.ts";
import { mountInternalEvents } from "./routes/internal-events.ts";
import { mountListeners } from "./routes/listeners.ts";
import { mountNotes } from "./routes/notes.ts";
import { mountNotifications } from "./routes/notifications.ts";
import { answerBrowser, mountPages } from "./routes/pages.ts";
import { mountPools } from "./routes/pools.ts";
import { mountPullRequests } from "./routes/pull-requests.ts";
import { mountRebuildIndex } from "./routes/rebuild-index.ts";
import { mountRoutineDrafts } from "./routes/routine-drafts.ts";
import { mountRoutineLists } from "./routes/routine-lists.ts";
import { mountRoutineToken } from "./routes/routine-token.ts";
import { mountRoutines } from "./routes/routines.ts";
import { mountRunByToken } from "./routes/run-by-token.ts";
import { mountRunner } from "./routes/runner.ts";
import { mountRunnerCalls } from "./routes/runner-calls.ts";
import { mountRuns } from "./routes/runs.ts";
import { mountSecrets } from "./routes/secrets.ts";
import { mountSessionExport } from "./routes/session-export.ts";
import { mountSessions } from "./routes/sessions.ts";
import { mountSetupArchives } from "./routes/setup-archives.ts";
import { mountSignIn } from "./routes/sign-in.ts";
import { mountSignIns } from "./routes/sign-ins.ts";
import { mountSlackButtons } from "./routes/slack-buttons.ts";
import { mountStats } from "./routes/stats.ts";
import { mountTriggerPreviews } from "./routes/trigger-previews.ts";
import { mountTriggers } from "./routes/triggers.ts";
import { mountValidateRoutine } from "./routes/validate-routine.ts";
import { mountVerdicts } from "./routes/verdicts.ts";
import { mountWatches } from "./routes/watches.ts";

export const app = new OpenAPIHono<HttpEnv>();

app.use(async (c, next) => {
  c.set("requestId", newRequestId());
  await next();
  setSecurityHeaders(c);
});

mountHealth(app, {
  faultsOf: (c) => readinessFaults(c.env),
  deploymentOf: (c) => (c.env.LOCAL_INSTANCE === "1" ? undefined : c.env.DEPLOYED_VERSION?.id),
});

app.use(async (c, next) => {
  const made = await settledDeps(c.env);
  if (!made.ok) return renderRefusal(c, made.refusal);
  c.set("deps", made.deps);
  await next();
});

mountFire(app);
mountRunByToken(app);
mountRoutineDrafts(app);
mountRoutines(app);
mountValidateRoutine(app);
mountRoutineToken(app);
mountRoutineLists(app);
mountTriggers(app);
mountTriggerPreviews(app);
mountWatches(app);
mountDeliveries(app);
mountInternalEvents(app);
mountListeners(app);
mountGithubApp(app);
mountSlackButtons(app);
mountWebhooks(app);
mountRuns(app);
mountStats(app);
mountDeadLetters(app);
mountNotifications(app);
mountVerdicts(app);
mountNotes(app);
mountPools(app);
mountSecrets(app);
mountEnvironments(app);
mountConnectors(app);
mountConnectorLogins(app);
mountBudgets(app);
mountSessions(app);
mountSessionExport(app);
mountExport(app);
mountPullRequests(app);
mountArtifacts(app);
mountEvents(app);
mountLive(app);
mountSignIn(app);
mountSignIns(app);
mountRebuildIndex(app);
mountDiagnosis(app);
mountEncryptAnew(app);
mountOpenApi(app);
mountPages(app);
mountRunner(app);
mountRunnerCalls(app);
mountSetupArchives(app);
mountConversations(app);
mountProxies(app);

app.notFound(async (c) => (await answerBrowser(c)) ?? answerUnknown(c));

app.onError((fault, c) => {
  const { requestId } = c.var;
  logTrouble("request_failed", { request_id: requestId, route: routePath(c, -1) }, fault);
  return renderRefusal(c, faultRefusal(fault));
});

/** Answers 405 with the methods that a known path has, and 404 for every other path. */
function answerUnknown(c: HttpContext): Response {
  const methods = methodsOf(app.routes, c.req.path);
  if (methods.length === 0) return renderRefusal(c, { code: "not_found" });
  if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow: methods.join(", ") } });
  const hint = `This path answers to ${methods.join(", ")}; GET /openapi.json lists every path.`;
  return renderRefusal(c, { code: "not_found", message: `${c.req.method} is not served at this path.`, hint });
}
