/**
 * Removes from the engine what an instance has left there. A container ends as two: the side-car that its traffic goes
 * through runs on when it has gone, and both do when the program that started them was killed.
 */
import { z } from "zod";
import { askEngine } from "./engine.ts";

const listedSchema = z
  .object({ Id: z.string(), Names: z.array(z.string()), State: z.string() })
  .transform(({ Id, Names, State }) => ({ id: Id, name: (Names[0] ?? "").replace(/^\//, ""), state: State }));
export type Listed = z.infer<typeof listedSchema>;

/** What workerd calls the side-car of a container. */
const SIDECAR = "-proxy";
/** What an engine refuses while it is at something else is removed the next time. */
const PASSES = 3;

/** Pure: those whose container is not at work, a side-car by the container whose name it has. */
export function leftOf(listed: readonly Listed[]): Listed[] {
  const working = new Set(listed.filter((one) => !isSidecar(one) && one.state === "running").map(({ name }) => name));
  return listed.filter(({ name }) => !working.has(name.endsWith(SIDECAR) ? name.slice(0, -SIDECAR.length) : name));
}

export class LeftContainers {
  readonly #engine: string;
  readonly #key: string;
  readonly #deadlineMs: number;
  /** What was left when it was looked at last: a container that is being started looks the same. */
  #leftBefore: ReadonlySet<string> = new Set();

  /** @param engine its address. @param deadlineMs for each answer of the engine. */
  constructor(engine: string, key: string, deadlineMs: number) {
    this.#engine = engine;
    this.#key = key;
    this.#deadlineMs = deadlineMs;
  }

  /** Removes what was left already when it was looked at before. @returns how many. @throws Error of the engine. */
  async removeLeft(): Promise<number> {
    const left = leftOf(await this.#list());
    const twice = left.filter(({ id }) => this.#leftBefore.has(id));
    this.#leftBefore = new Set(left.map(({ id }) => id));
    return await this.#remove(twice);
  }

  /** Removes all: nobody is there any more who works with them. @returns how many. @throws Error of the engine. */
  async removeAll(): Promise<number> {
    const found = new Set<string>();
    let fault: unknown = null;
    for (let pass = 1; pass <= PASSES; pass += 1) {
      const listed = await this.#list();
      if (listed.length === 0) return found.size;
      for (const { id } of listed) found.add(id);
      fault = await this.#remove(listed).then(
        () => null,
        (error) => error,
      );
    }
    if (fault !== null) throw fault;
    return found.size;
  }

  async #list(): Promise<Listed[]> {
    const filters = encodeURIComponent(JSON.stringify({ name: [this.#key] }));
    const text = await this.#ask("GET", `/containers/json?all=1&filters=${filters}`);
    // The filter is a pattern, and engines differ in how they take it.
    return z
      .array(listedSchema)
      .parse(JSON.parse(text))
      .filter(({ name }) => name.includes(`-${this.#key}-`));
  }

  async #remove(listed: readonly Listed[]): Promise<number> {
    // A side-car goes after the container that shares its network: some engines refuse it before.
    for (const kind of [listed.filter((one) => !isSidecar(one)), listed.filter(isSidecar)]) {
      await Promise.all(
        kind.map(async ({ id }) => {
          // Removed alone, one that hears no SIGTERM is waited for, ten seconds at some engines. Not running it is refused.
          await askEngine(this.#engine, "POST", `/containers/${id}/kill?signal=SIGKILL`, this.#deadlineMs);
          await this.#ask("DELETE", `/containers/${id}?force=1`);
        }),
      );
    }
    return listed.length;
  }

  async #ask(method: "GET" | "DELETE", path: string): Promise<string> {
    const { status, text } = await askEngine(this.#engine, method, path, this.#deadlineMs);
    // What has gone by itself, or is going, needs no removing.
    const isGone = method === "DELETE" && (status === 404 || status === 409);
    if (status < 300 || isGone) return text;
    throw new Error(`the container engine answered ${status}: ${text.slice(0, 200)}`);
  }
}

function isSidecar({ name }: Listed): boolean {
  return name.endsWith(SIDECAR);
}
