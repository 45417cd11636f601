/** A local instance with a demo routine, until Ctrl-C. Where it is on already, another way into it. */
import path from "node:path";
import { complain, say } from "#scripts/terminal.ts";
import type { HostProgram } from "./host-program.ts";
import { readSettings } from "./settings.ts";
import { signInAgain } from "./sign-in-again.ts";
import type { Instance } from "./start-instance.ts";
import { withInstance } from "./with-instance.ts";

/** @param root the project's folder. @returns the exit code. */
export async function runInstance(root: string, host: HostProgram): Promise<number> {
  const settings = readSettings(process.env, root);
  if (!settings.ok) {
    complain(settings.message);
    return 1;
  }
  say("Starting Reveille …");
  const running = await signInAgain(settings.value.stateFolder);
  if (running !== null) {
    say(`
Reveille is on already (process ${running.pid}). Sign in (works once, within ten minutes):

  ${running.signInUrl}

It goes on with the settings that it was started with.
`);
    return 0;
  }
  const relative = path.relative(root, settings.value.stateFolder);
  const state = relative.startsWith("..") ? settings.value.stateFolder : relative;
  return await withInstance({ root, settings: settings.value, host, hasPages: true, say }, async (instance, signal) => {
    say(welcome(instance, state));
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    say("Stopping …");
    return 0;
  });
}

function welcome({ local, signInUrl, model, sandbox }: Instance, state: string): string {
  const { fire_url, fire_token } = local.demo;
  const body = '{"text":"Fired by hand"}';
  return `
Reveille is on. Sign in (works once, within ten minutes):

  ${signInUrl}

Model    ${model}
Sandbox  ${sandbox}
State    ${state} (logs in ${path.join(state, "logs")})

Fire the demo routine:

  curl -X POST ${fire_url} -H 'Authorization: Bearer ${fire_token}' -H 'Content-Type: application/json' -d '${body}'

The branch that it pushes wakes a second routine, which reviews it.

Ctrl-C stops everything.`;
}
