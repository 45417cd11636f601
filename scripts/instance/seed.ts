/** Seeds the demo routines over the instance's own HTTP interface, and remembers it in `local.json`. Safe to repeat. */
import path from "node:path";
import { z } from "zod";
import { pageSchema, routineTokenSchema } from "#protocol/api.ts";
import { routineIdSchema } from "#protocol/ids.ts";
import { type Routine, routineSchema } from "#protocol/routine.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { type Call, callApi, outcomeOf } from "./api.ts";
import { DEMO_REVIEWER, DEMO_WRITER, type DemoRoutine, demoRoutinePatch, isDemoRoutine } from "./demo-routine.ts";
import { readStateFile, writeStateFile } from "./state-folder.ts";

/** `local.json`: what other programs of this machine need to use the instance. */
export const localFileSchema = z.object({
  url: z.url(),
  owner_token: z.string(),
  demo: z.object({
    routine_id: routineIdSchema,
    fire_url: z.url(),
    fire_token: z.string(),
    /** The path of the bare upstream repository. */
    repository: z.string(),
    /** The routine that the first one's pushes wake. */
    reviewer_id: routineIdSchema,
  }),
});
export type LocalFile = z.infer<typeof localFileSchema>;
/** As the file may have been written before there was a reviewer. */
const keptSchema = localFileSchema.extend({
  demo: localFileSchema.shape.demo.partial({ reviewer_id: true }),
});

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

/** What it takes to ask an instance. */
type Asked = Pick<SeedOptions, "origin" | "ownerToken" | "signal">;

export async function seedDemoRoutines(options: SeedOptions): Promise<Outcome<LocalFile>> {
  const { url, ownerToken, stateFolder, repository } = options;
  const file = path.join(stateFolder, "local.json");
  const remembered = await readStateFile(file, keptSchema);
  // A damaged file is made anew: everything in it can be found or issued again.
  const before = remembered.ok ? remembered.value : null;
  const writer = await seedRoutine(options, DEMO_WRITER, before?.demo.routine_id ?? null);
  if (!writer.ok) return writer;
  const reviewer = await seedRoutine(options, DEMO_REVIEWER, before?.demo.reviewer_id ?? null);
  if (!reviewer.ok) return reviewer;
  const { id, has_token } = writer.value;
  const isTokenKnown = before !== null && before.demo.routine_id === id && has_token;
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
      reviewer_id: reviewer.value.id,
    },
  };
  await writeStateFile(file, local);
  return succeeded(local);
}

/** One routine as it has to be: found or created, and brought to where the upstream is. */
async function seedRoutine(
  options: SeedOptions,
  demo: DemoRoutine,
  rememberedId: string | null,
): Promise<Outcome<Routine>> {
  const routine = await findOrCreate(options, demo, rememberedId);
  if (!routine.ok) return routine;
  const patch = demoRoutinePatch(routine.value, demo, options.repository.url);
  if (patch === null) return routine;
  return await ask(options, `Changing the ${demo.title}`, {
    method: "PATCH",
    path: `/api/v1/routines/${routine.value.id}`,
    body: patch,
    answer: routineSchema,
  });
}

/** Makes an address that signs a browser in: it has a code that works once, for ten minutes. */
export async function makeSignInUrl(options: Asked & Pick<SeedOptions, "url">): Promise<Outcome<string>> {
  const made = await ask(options, "Making a sign-in code", {
    method: "POST",
    path: "/api/v1/sign-in/codes",
    answer: z.object({ code: z.string() }),
  });
  return made.ok ? succeeded(`${options.url}/#code=${made.value.code}`) : made;
}

/** The routine that was remembered, else the one that has the demo's tag, else a new one. */
async function findOrCreate(
  options: SeedOptions,
  demo: DemoRoutine,
  rememberedId: string | null,
): Promise<Outcome<Routine>> {
  if (rememberedId !== null) {
    const known = await call(options, {
      method: "GET",
      path: `/api/v1/routines/${rememberedId}`,
      answer: routineSchema,
    });
    if (known.kind !== "refused" || known.status !== 404) return outcomeOf(`Reading the ${demo.title}`, known);
  }
  const found = await findInList(options, demo);
  if (!found.ok) return found;
  if (found.value !== null) return succeeded(found.value);
  return await ask(options, `Creating the ${demo.title}`, {
    method: "POST",
    path: "/api/v1/routines",
    body: demo.input(options.repository.url),
    answer: routineSchema,
  });
}

async function findInList(options: SeedOptions, demo: DemoRoutine): Promise<Outcome<Routine | null>> {
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Outcome<z.infer<typeof pageOfRoutines>> = await ask(options, "Listing the routines", {
      method: "GET",
      path: `/api/v1/routines?limit=200${query}`,
      answer: pageOfRoutines,
    });
    if (!page.ok) return page;
    const found = page.value.data.find((routine) => isDemoRoutine(routine, demo));
    if (found !== undefined) return succeeded(found);
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

function call<Schema extends z.ZodType>(options: Asked, facts: Omit<Call<Schema>, "token">) {
  return callApi(options.origin, { ...facts, token: options.ownerToken }, options.signal);
}

async function ask<Schema extends z.ZodType>(
  options: Asked,
  what: string,
  facts: Omit<Call<Schema>, "token">,
): Promise<Outcome<z.infer<Schema>>> {
  return outcomeOf(what, await call(options, facts));
}
