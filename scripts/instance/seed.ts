/** Seeds the demo routine over the instance's own HTTP interface, and remembers it in `local.json`. Safe to repeat. */
import path from "node:path";
import { z } from "zod";
import { pageSchema, routineTokenSchema } from "#protocol/api.ts";
import { routineIdSchema } from "#protocol/ids.ts";
import { type Routine, routineSchema } from "#protocol/routine.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { type Call, callApi, outcomeOf } from "./api.ts";
import { demoRoutineInput, demoRoutinePatch, isDemoRoutine } from "./demo-routine.ts";
import { readStateFile, writeStateFile } from "./state-folder.ts";

/** `local.json`: what other programs of this machine need to use the instance. */
const localFileSchema = z.object({
  url: z.url(),
  owner_token: z.string(),
  demo: z.object({
    routine_id: routineIdSchema,
    fire_url: z.url(),
    fire_token: z.string(),
    /** The path of the bare upstream repository. */
    repository: z.string(),
  }),
});
export type LocalFile = z.infer<typeof localFileSchema>;

export interface SeedOptions {
  /** The instance's address for people. */
  url: string;
  /** Where the worker really listens. */
  origin: string;
  ownerToken: string;
  stateFolder: string;
  /** The upstream's address of the demo repository, and its folder. */
  repository: { url: string; path: string };
  signal: AbortSignal;
}

export async function seedDemoRoutine(options: SeedOptions): Promise<Outcome<LocalFile>> {
  const { url, ownerToken, stateFolder, repository } = options;
  const file = path.join(stateFolder, "local.json");
  const remembered = await readStateFile(file, localFileSchema);
  // A damaged file is made anew: everything in it can be found or issued again.
  const before = remembered.ok ? remembered.value : null;
  const routine = await findOrCreate(options, before?.demo.routine_id ?? null);
  if (!routine.ok) return routine;
  const { id } = routine.value;
  const patch = demoRoutinePatch(routine.value, repository.url);
  if (patch !== null) {
    const changed = await ask(options, "Changing the demo routine", {
      method: "PATCH",
      path: `/api/v1/routines/${id}`,
      body: patch,
      answer: routineSchema,
    });
    if (!changed.ok) return changed;
  }
  const isTokenKnown = before !== null && before.demo.routine_id === id && routine.value.has_token;
  const token = isTokenKnown ? succeeded(before.demo.fire_token) : await issueToken(options, id);
  if (!token.ok) return token;
  const local: LocalFile = {
    url,
    owner_token: ownerToken,
    demo: {
      routine_id: id,
      fire_url: `${url}/v1/claude_code/routines/${id}/fire`,
      fire_token: token.value,
      repository: repository.path,
    },
  };
  await writeStateFile(file, local);
  return succeeded(local);
}

/** Makes a one-use sign-in code. */
export async function makeSignInCode(options: SeedOptions): Promise<Outcome<string>> {
  const made = await ask(options, "Making a sign-in code", {
    method: "POST",
    path: "/api/v1/sign-in/codes",
    answer: z.object({ code: z.string() }),
  });
  return made.ok ? succeeded(made.value.code) : made;
}

/** The routine that was remembered, else the one that has the demo's tag, else a new one. */
async function findOrCreate(options: SeedOptions, rememberedId: string | null): Promise<Outcome<Routine>> {
  if (rememberedId !== null) {
    const known = await call(options, {
      method: "GET",
      path: `/api/v1/routines/${rememberedId}`,
      answer: routineSchema,
    });
    if (known.kind !== "refused" || known.status !== 404) return outcomeOf("Reading the demo routine", known);
  }
  const found = await findInList(options);
  if (!found.ok) return found;
  if (found.value !== null) return succeeded(found.value);
  return await ask(options, "Creating the demo routine", {
    method: "POST",
    path: "/api/v1/routines",
    body: demoRoutineInput(options.repository.url),
    answer: routineSchema,
  });
}

async function findInList(options: SeedOptions): Promise<Outcome<Routine | null>> {
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Outcome<z.infer<typeof pageOfRoutines>> = await ask(options, "Listing the routines", {
      method: "GET",
      path: `/api/v1/routines?limit=200${query}`,
      answer: pageOfRoutines,
    });
    if (!page.ok) return page;
    const demo = page.value.data.find(isDemoRoutine);
    if (demo !== undefined) return succeeded(demo);
    cursor = page.value.next_cursor;
  } while (cursor !== null);
  return succeeded(null);
}

const pageOfRoutines = pageSchema(routineSchema);

async function issueToken(options: SeedOptions, id: string): Promise<Outcome<string>> {
  const issued = await ask(options, "Issuing the demo routine's token", {
    method: "POST",
    path: `/api/v1/routines/${id}/token`,
    answer: routineTokenSchema,
  });
  return issued.ok ? succeeded(issued.value.token) : failed(issued.message);
}

function call<Schema extends z.ZodType>(options: SeedOptions, facts: Omit<Call<Schema>, "token">) {
  return callApi(options.origin, { ...facts, token: options.ownerToken }, options.signal);
}

async function ask<Schema extends z.ZodType>(
  options: SeedOptions,
  what: string,
  facts: Omit<Call<Schema>, "token">,
): Promise<Outcome<z.infer<Schema>>> {
  return outcomeOf(what, await call(options, facts));
}
