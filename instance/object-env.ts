/** What the platform gives every object. */
import type { Variables } from "./config.ts";
import type {
  BudgetForRoutine,
  PoolForObjects,
  RosterForRoutine,
  RoutineForObjects,
  SandboxForObjects,
} from "./object-contracts.ts";

/** What the objects are given. They see of each other only the methods that they call; the worker sees the whole classes. */
export interface ObjectEnv extends Variables {
  DB: D1Database;
  /** Bodies that are too large for D1 and for the objects' own storage. */
  BODIES: R2Bucket;
  /** Cloudflare's e-mail service, where wrangler.toml names it. */
  EMAIL?: SendEmail;
  ROUTINE: DurableObjectNamespace<RoutineForObjects>;
  POOL: DurableObjectNamespace<PoolForObjects>;
  ROSTER: DurableObjectNamespace<RosterForRoutine>;
  BUDGET: DurableObjectNamespace<BudgetForRoutine>;
  SANDBOX: DurableObjectNamespace<SandboxForObjects>;
}
