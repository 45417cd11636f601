import { AUDIENCE, SERVICE_ACCOUNT } from "#test/worker/listeners/google-tokens.ts";
import type { ListenerCase } from "#test/worker/listeners/listener-case.ts";
import { casesA } from "#test/worker/listeners/listener-cases-a.ts";
import { casesB } from "#test/worker/listeners/listener-cases-b.ts";
import { casesC } from "#test/worker/listeners/listener-cases-c.ts";

/** Every source in each of its variants, by the name that a test shows. */
export const namedCases = [...casesA, ...casesB, ...casesC].map((tested) => ({
  name: [tested.listener.title, tested.variant].filter(Boolean).join(", "),
  tested,
}));

/** The trigger of a routine that takes what this case sends. */
export function endpointTrigger({ listener, settings }: ListenerCase): object {
  const { source } = listener;
  return {
    type: "webhook",
    source,
    ...(settings?.auth ? { auth: settings.auth } : {}),
    ...(source === "pubsub" ? { pubsub: { service_account: SERVICE_ACCOUNT, audience: AUDIENCE } } : {}),
    ...(settings?.allowBots === true ? { allow_bots: true } : {}),
  };
}
