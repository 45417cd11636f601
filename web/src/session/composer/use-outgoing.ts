/** What is on its way from this browser to the session. */
import { useSyncExternalStore } from "react";
import type { LiveSession } from "../live-session.ts";
import type { OutgoingView } from "./outgoing.ts";

export function useOutgoing({ outgoing }: LiveSession): OutgoingView {
  return useSyncExternalStore(outgoing.subscribe, outgoing.view);
}
