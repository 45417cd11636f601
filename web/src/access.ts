/** Whether this browser is signed in, as far as the last answers tell. */
import { useSyncExternalStore } from "react";
import type { Problem } from "./problem.ts";

/** `unknown` until the first answer. `lapsed`: it was signed in, and is no longer; the page that was open stays. */
export type Access = "unknown" | "signed-in" | "lapsed" | "signed-out";

let access: Access = "unknown";
let codeRefusal: Problem | null = null;
const listeners = new Set<() => void>();

/** `signed-out` takes the page away: for somebody who has left on purpose, or was never let in. */
export function setAccess(next: Access): void {
  if (next === access) return;
  access = next;
  tell();
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

/** Why the one-use code of an address was not accepted; null where it was, or there was none. */
export function setCodeRefusal(next: Problem | null): void {
  codeRefusal = next;
  tell();
}

/** For the sign-in view; a browser that is signed in already needs no code. */
export function useCodeRefusal(): Problem | null {
  return useSyncExternalStore(subscribe, () => codeRefusal);
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
