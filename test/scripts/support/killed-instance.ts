/** A started instance whose parts are killed: asked as its owner asks, before and after. Linux only: it looks into /proc. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { processesOf, type StartedInstance } from "./started-instance.ts";
import { until } from "./until.ts";

export type AskOwner = <Schema extends z.ZodType>(
  schema: Schema,
  at: string,
  body?: unknown,
) => Promise<z.infer<Schema>>;

export function ownerTokenOf({ state }: StartedInstance): string {
  return JSON.parse(readFileSync(path.join(state, "local.json"), "utf8")).owner_token;
}

/** @returns reads a path, or posts to it where there is a body. */
export function ownerOf(instance: StartedInstance): AskOwner {
  const token = ownerTokenOf(instance);
  return async (schema, at, body) => {
    const response = await fetch(`http://127.0.0.1:${instance.port}${at}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${at}: ${response.status} ${await response.text()}`);
    return schema.parse(await response.json());
  };
}

async function isHealthy({ port }: StartedInstance): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
  return answer?.status === 200;
}

/** Kills workerd, and waits until another one answers. */
export async function killWorkerd(instance: StartedInstance): Promise<void> {
  const workerd = () =>
    processesOf(instance.state).find(({ command }) => /workerd/.test(command.split(" ")[0] ?? ""))?.pid;
  const pid = workerd();
  assert.ok(pid, "workerd is not running");
  process.kill(pid, "SIGKILL");
  await until("the worker's return", 60_000, async () => {
    const next = workerd();
    return next !== undefined && next !== pid && (await isHealthy(instance));
  });
}
