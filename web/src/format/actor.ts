/** Who did something, in words that end a sentence. */
import type { Actor } from "#protocol/actor.ts";

const BY: Record<Actor["kind"], string> = {
  owner: "with the owner’s token",
  web: "in a signed-in browser",
  slack: "in Slack",
  telegram: "in Telegram",
  discord: "in Discord",
};

export function actorWords({ kind }: Actor): string {
  return BY[kind];
}
