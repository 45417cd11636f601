/** Builds what looks after a container while it waits for a lease. */
import { requireConfig } from "#instance/config.ts";
import type { SandboxSettings } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { ContainerCalls, type ContainerPort } from "./container-calls.ts";
import { HandOver, type HandOverParts } from "./hand-over.ts";
import type { Parties } from "./parties.ts";
import { type Build, WarmContainer, type WarmParts } from "./warm-container.ts";

export interface Waiting {
  container: WarmContainer;
  handOver: HandOver;
  /** From what a container is started now. @param size null for the instance's own. */
  build(size: SandboxSettings["size"]): Build;
}

interface Surroundings {
  context: DurableObjectState;
  env: ObjectEnv;
  parties: Parties;
  container(): ContainerPort | undefined;
  callsFor: HandOverParts["calls"];
  tendMs(): number;
  take: HandOverParts["take"];
  onExit: WarmParts["onExit"];
}

export function assembleWaiting(surroundings: Surroundings): Waiting {
  const { context, env, parties, container, callsFor, tendMs, take, onExit } = surroundings;
  const build = (size: SandboxSettings["size"]): Build => ({
    image: container()?.images?.["runner"] ?? null,
    size: size ?? requireConfig(env).containerSize,
  });
  const warm = new WarmContainer({
    storage: context.storage,
    isRunning: () => container()?.running ?? false,
    calls: () => {
      const port = container();
      if (port === undefined) throw new Error("this instance has no containers");
      return new ContainerCalls(port, () => context.exports.ClosedExit({}));
    },
    tellPool: (pool, report) => parties.reportWarm(pool, report),
    tendMs,
    onExit,
  });
  const handOver = new HandOver({
    warm,
    settingsOf: (lease) => parties.ask("settings", lease, (run) => run.sandboxFor(lease)),
    build,
    calls: callsFor,
    hasSaidHello: (lease) => parties.ask("listen", lease, (run) => run.hasSaidHello(lease)),
    take,
  });
  return { container: warm, handOver, build };
}
