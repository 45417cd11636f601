/** Whether this browser is signed in, as far as the last answers tell. */
import { useSyncExternalStore } from "react";

/** `unknown` until the first answer. `lapsed`: it was signed in, and is no longer; the page that was open stays. */
export type Access = "unknown" | "signed-in" | "lapsed" | "signed-out";

let access: Access = "unknown";
const listeners = new Set<() => void>();

/** `signed-out` takes the page away: for somebody who has left on purpose, or was never let in. */
export function setAccess(next: Access): void {
  if (next === access) return;
  access = next;
  for (const listener of listeners) listener();
}

/** For any 401. What was written on an open page is kept for whoever signs in again. */
export function loseAccess(): void {
  setAccess(access === "signed-in" || access === "lapsed" ? "lapsed" : "signed-out");
}

export function currentAccess(): Access {
  return access;
}

export function useAccess(): Access {
  return useSyncExternalStore(subscribe, currentAccess);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
