/** Asking the instance what is wrong with it. */
import { type Diagnosis, diagnosisInputSchema, diagnosisSchema } from "#protocol/diagnosis.ts";
import { success } from "#protocol/errors.ts";
import { timestamp } from "#protocol/time.ts";
import type { Deps } from "../deps.ts";
import { addressFindings } from "../diagnosis/address-check.ts";
import { containerCheck } from "../diagnosis/container-check.ts";
import { diagnose } from "../diagnosis/diagnose.ts";
import type { Check } from "../diagnosis/finding.ts";
import { keepFindings } from "../diagnosis/keep-check.ts";
import { askModel, modelFinding } from "../diagnosis/model-key.ts";
import { poolCheck } from "../diagnosis/pool-checks.ts";
import { secretFindings } from "../diagnosis/secret-checks.ts";
import { VERSION } from "../health/health.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";

export function mountDiagnosis(app: App): void {
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/instance/diagnosis",
      tag: "Instance",
      needs: "instance:admin",
      id: "diagnoseInstance",
      summary: "What is wrong with the instance, and what to do about it",
      description:
        "Looks at database, bucket, cron, queues, secrets, the GitHub App, the address, pools and containers, and sends one message through each queue. What the instance can't know of itself, npm run doctor looks at from outside.",
      body: { schema: diagnosisInputSchema, optional: true },
      answer: { status: 200, schema: diagnosisSchema },
    },
    async ({ c, body }) => success(await diagnosisOf(c.var.deps, body.model, new URL(c.req.url).origin)),
  );
}

/** @param origin to which the request came. */
async function diagnosisOf(deps: Deps, asksModel: boolean, origin: string): Promise<Diagnosis> {
  const { config } = deps;
  const findings = await diagnose(checksOf(deps, asksModel, origin));
  return {
    version: VERSION,
    at: timestamp(Date.now()),
    public_url: config.publicUrl,
    is_local: config.isLocal,
    findings,
  };
}

function checksOf(deps: Deps, asksModel: boolean, origin: string): Check[] {
  const { config, platformChecks } = deps;
  const ask = (url: string, init: RequestInit) => fetch(url, init);
  const model = async () =>
    asksModel ? await askModel(config.model, config.defaultModel, ask) : modelFinding(config.model);
  return [
    ...platformChecks,
    { name: "secrets", look: async () => secretFindings(config) },
    { name: "KEEP_DAYS", look: async () => keepFindings(config) },
    { name: "PUBLIC_URL", look: async () => addressFindings(config, origin) },
    { name: "ANTHROPIC_API_KEY", look: async () => [await model()] },
    poolCheck(deps),
    containerCheck(deps),
  ];
}
