/** The container engine that the suite uses, asked behind the instance's back. */
import { test } from "node:test";
import { z } from "zod";
import { containerKey } from "#scripts/containers/container-key.ts";
import { askEngine, type EngineAnswer, engineAddress, faultOfEngine } from "#scripts/containers/engine.ts";
import { LeftContainers } from "#scripts/containers/left-containers.ts";

const DEADLINE_MS = 20_000;
const listSchema = z.array(z.object({ Id: z.string(), Names: z.array(z.string()), State: z.string() }));

export interface Listed {
  id: string;
  name: string;
  state: string;
}

export const ENGINE = process.env["DOCKER_HOST"] ?? "";
/** Why no container can be started here; null when one can. */
export const NO_ENGINE = await whyNot();

/** A test that needs the engine; without one it is skipped, and says why. */
export function containerTest(name: string, work: () => Promise<void>): void {
  test(name, { skip: NO_ENGINE ?? false }, work);
}

/** @throws Error when the engine that is named can't be used: skipped for that, a suite would look well. */
async function whyNot(): Promise<string | null> {
  if (ENGINE === "") return "DOCKER_HOST is not set: there is no container engine to test with";
  const address = engineAddress(ENGINE);
  if (!address.ok) throw new Error(address.message);
  const fault = await faultOfEngine(address.value, DEADLINE_MS);
  if (fault !== null) throw new Error(`no container engine answers at ${ENGINE}: ${fault}`);
  return null;
}

/** What the engine has of the instance whose objects are stored there: containers and side-cars, at work or not. */
export async function containersOf(storage: string): Promise<Listed[]> {
  const { text } = await mustAsk("GET", "/containers/json?all=1");
  const mark = `-${containerKey(storage)}-`;
  return listSchema
    .parse(JSON.parse(text))
    .map(({ Id, Names, State }) => ({ id: Id, name: Names[0] ?? "", state: State }))
    .filter(({ name }) => name.includes(mark));
}

/** Those of the containers that work, without side-cars. */
export async function workingOf(storage: string): Promise<Listed[]> {
  return (await containersOf(storage)).filter(({ name, state }) => state === "running" && !name.endsWith("-proxy"));
}

export async function killContainer({ id }: Listed): Promise<void> {
  await mustAsk("POST", `/containers/${id}/kill?signal=SIGKILL`);
}

/** Whatever becomes of it, and whether it is there or not. Removed alone, one that hears no SIGTERM would be waited for. */
export async function removeContainer(nameOrId: string): Promise<void> {
  await askEngine(ENGINE, "POST", `/containers/${nameOrId}/kill?signal=SIGKILL`, DEADLINE_MS);
  const { status, text } = await askEngine(ENGINE, "DELETE", `/containers/${nameOrId}?force=1`, DEADLINE_MS);
  if (status >= 300 && status !== 404) throw new Error(`${nameOrId} could not be removed: ${status} ${text}`);
}

/** Takes away what an instance that has not ended as it should has left at the engine. */
export async function removeContainersOf(storage: string): Promise<void> {
  await new LeftContainers(ENGINE, containerKey(storage), DEADLINE_MS).removeAll();
}

/** Runs a command in a container, as root, and does not wait for it. */
export async function runIn({ id }: Listed, command: string[]): Promise<void> {
  const { text } = await mustAsk("POST", `/containers/${id}/exec`, { Cmd: command, User: "0" });
  await mustAsk("POST", `/exec/${z.object({ Id: z.string() }).parse(JSON.parse(text)).Id}/start`, { Detach: true });
}

/** Runs a command in a container, as root. @returns what it says. */
export async function outputOf({ id }: Listed, command: string[]): Promise<string> {
  const order = { Cmd: command, User: "0", AttachStdout: true, AttachStderr: true };
  const { text } = await mustAsk("POST", `/containers/${id}/exec`, order);
  const started = z.object({ Id: z.string() }).parse(JSON.parse(text));
  return (await mustAsk("POST", `/exec/${started.Id}/start`, { Detach: false })).text;
}

/** @param body sent as JSON. @throws Error when the engine refuses. */
export async function mustAsk(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<EngineAnswer> {
  const answer = await askEngine(ENGINE, method, path, DEADLINE_MS, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: the engine answered ${answer.status} ${answer.text}`);
  return answer;
}
