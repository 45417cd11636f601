/** What a runner is told by its environment: read once, all faults at once. */
import { availableParallelism, totalmem } from "node:os";
import { resolve } from "node:path";
import { z } from "zod";
import type { RunBounds } from "#protocol/run-bounds.ts";
import { runnerIdSchema } from "#protocol/runner-link.ts";
import { webAddress } from "#protocol/web-address.ts";
import { defaultBounds } from "../process/run-bounds.ts";

/** Engines whose programs take the same words. */
const enginePrograms = ["podman", "docker"] as const;

const addressSchema = webAddress('must be the instance\'s address, for example "https://reveille.example.com"')
  .refine((text) => !/[?#]/.test(text), { error: "must not have a query or fragment" })
  // It is logged, and shown to people.
  .refine((text) => new URL(text).username === "" && new URL(text).password === "", {
    error: "must not have a user name or password: the token is all that the instance asks for",
  })
  .transform((text) => new URL(text).href.replace(/\/+$/, ""));

/** One makes a single run start at once, which is how most come; each takes memory as long as the runner runs. */
const DEFAULT_SPARES = 1;
/** Each has the memory of another spare and its agent as long as its routine fires often. */
const DEFAULT_ROUTINES = 1;

function bound(least: number, most: number) {
  return z
    .string()
    .regex(/^[0-9]{1,8}$/, "must be a whole number")
    .transform(Number)
    .refine((count) => count >= least && count <= most, `must be from ${least} to ${most}`)
    .optional();
}

const settingsSchema = z.object({
  REVEILLE_URL: addressSchema,
  RUNNER_TOKEN: z
    .string("must be set to the instance's RUNNER_TOKEN")
    .min(32, "must be the instance's RUNNER_TOKEN, which has at least 32 characters"),
  REVEILLE_STATE: z.string("must name a folder that the runner may write").min(1, "must name a folder"),
  REVEILLE_RUNNER_ID: runnerIdSchema.optional(),
  REVEILLE_CAPACITY: z
    .string()
    .regex(/^[0-9]{1,3}$/, "must be a whole number")
    .transform(Number)
    .refine((count) => count >= 1 && count <= 100, "must be from 1 to 100")
    .optional(),
  REVEILLE_SPARES: z
    .string()
    .regex(/^[0-9]{1,2}$/, "must be a whole number")
    .transform(Number)
    .refine((count) => count <= 10, "must be from 0 to 10")
    .optional(),
  REVEILLE_PREPARED_AGENTS: bound(0, 10),
  REVEILLE_PREPARED_ROUTINES: bound(0, 10),
  REVEILLE_EXECUTOR: z.string().optional(),
  REVEILLE_RUN_PROCESSES: bound(64, 1_000_000),
  REVEILLE_RUN_MEMORY_MIB: bound(256, 16_777_216),
  REVEILLE_RUN_DISK_MIB: bound(1, 16_777_216),
  REVEILLE_SANDBOX: z.enum(["auto", "none"], "must be auto or none").optional(),
  REVEILLE_DRAIN_SECONDS: bound(0, 604_800),
  REVEILLE_ENGINE: z.enum(["sandbox", ...enginePrograms], "must be sandbox, podman or docker").optional(),
  REVEILLE_IMAGE: z
    .string()
    // An engine's program would take it for an option.
    .regex(/^[A-Za-z0-9][^\s]*$/, "must be the name of an image")
    .optional(),
});

/** `auto`: a sandbox where one works; `none`: the operator accepts runs without one. */
type SandboxSetting = "auto" | "none";

export interface RunnerSettings {
  /** Without a slash at its end. */
  url: string;
  token: string;
  /** Absolute. */
  stateFolder: string;
  /** Its name in the pool; null for the one that is kept in the state folder. */
  runnerId: string | null;
  capacity: number;
  /** How many executors are kept prepared for leases to come. */
  spares: number;
  /** How many of them have an agent prepared. */
  agents: number;
  /** For how many routines that fire often one more is kept, with an agent in a copy of their repository. */
  routines: number;
  /** The file of the executor's program where it has been bundled; null for the one among the sources. */
  executor: string | null;
  sandbox: SandboxSetting;
  /** Where each run has a container of its own: the engine's program, and the image; null where it has a process. */
  engine: { program: (typeof enginePrograms)[number]; image: string } | null;
  /** What each run may use of this machine. */
  bounds: RunBounds;
  /** How long runs may go on when the runner has been told to end. */
  drainMs: number;
}

export type SettingsResult = { ok: true; settings: RunnerSettings } | { ok: false; faults: string[] };

/** Reads the runner's settings. @returns every fault as one line that names the variable and the remedy. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): SettingsResult {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) {
    return { ok: false, faults: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) };
  }
  const values = parsed.data;
  const { REVEILLE_ENGINE: engine = "sandbox", REVEILLE_IMAGE: image } = values;
  if (engine !== "sandbox" && image === undefined) {
    return { ok: false, faults: [`REVEILLE_IMAGE: must name the runner's image, for ${engine} to start it`] };
  }
  const bounds = defaultBounds(totalmem());
  const agents = values.REVEILLE_PREPARED_AGENTS ?? values.REVEILLE_SPARES ?? DEFAULT_SPARES;
  return {
    ok: true,
    settings: {
      url: values.REVEILLE_URL,
      token: values.RUNNER_TOKEN,
      stateFolder: resolve(values.REVEILLE_STATE),
      runnerId: values.REVEILLE_RUNNER_ID ?? null,
      capacity: values.REVEILLE_CAPACITY ?? Math.min(100, Math.max(1, availableParallelism())),
      spares: values.REVEILLE_SPARES ?? DEFAULT_SPARES,
      agents,
      // Who wants no agent prepared wants none of these either.
      routines: values.REVEILLE_PREPARED_ROUTINES ?? Math.min(DEFAULT_ROUTINES, agents),
      executor: values.REVEILLE_EXECUTOR === undefined ? null : resolve(values.REVEILLE_EXECUTOR),
      sandbox: values.REVEILLE_SANDBOX ?? "auto",
      engine: engine === "sandbox" || image === undefined ? null : { program: engine, image },
      bounds: {
        processes: values.REVEILLE_RUN_PROCESSES ?? bounds.processes,
        memory_mib: values.REVEILLE_RUN_MEMORY_MIB ?? bounds.memory_mib,
        disk_mib: values.REVEILLE_RUN_DISK_MIB ?? bounds.disk_mib,
      },
      drainMs: (values.REVEILLE_DRAIN_SECONDS ?? 0) * 1_000,
    },
  };
}
