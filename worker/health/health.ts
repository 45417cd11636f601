/** Whether the instance answers, and which version it is. Needs neither a token nor a complete configuration. */
import type { z } from "zod";
import { healthSchema } from "#protocol/api.ts";
import { refuse, success } from "#protocol/errors.ts";
import packageJson from "../../package.json" with { type: "json" };
import { endpoint } from "../http/endpoint.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import type { ReadinessFault } from "./readiness.ts";

type Health = z.infer<typeof healthSchema>;

/** Which version of Reveille is running. */
export const VERSION: string = packageJson.version;

export interface HealthParts {
  /** What the instance that a request came to lacks. */
  faultsOf(c: HttpContext): Promise<ReadinessFault[]>;
  /** The id of the deployed version; undefined on a local instance. */
  deploymentOf(c: HttpContext): string | undefined;
}

export function mountHealth(app: App, { faultsOf, deploymentOf }: HealthParts): void {
  const well = (c: HttpContext): Health => {
    const deployment = deploymentOf(c);
    return { ok: true, version: VERSION, ...(deployment === undefined ? {} : { deployment }) };
  };
  endpoint(
    app,
    {
      method: "get",
      path: "/healthz",
      tag: "Instance",
      id: "readHealth",
      summary: "Whether the instance answers",
      needs: "nothing",
      answer: { status: 200, schema: healthSchema },
    },
    async ({ c }) => success(well(c)),
  );
  endpoint(
    app,
    {
      method: "get",
      path: "/readyz",
      tag: "Instance",
      id: "readReadiness",
      summary: "Whether schema, bindings and secrets are those that this version needs",
      description: "503 names every fault in details.issues, each with what mends it.",
      needs: "nothing",
      answer: { status: 200, schema: healthSchema },
    },
    async ({ c }) => {
      const issues = await faultsOf(c);
      return issues.length === 0 ? success(well(c)) : refuse("not_ready", { issues });
    },
  );
}
