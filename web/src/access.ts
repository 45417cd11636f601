/** Whether this browser is signed in, as far as the last answers tell. */
import { useSyncExternalStore } from "react";

/** `unknown` until the first answer. */
type Access = "unknown" | "signed-in" | "signed-out";

let access: Access = "unknown";
const listeners = new Set<() => void>();

/** Any 401 says `signed-out`; the sign-in view then stands in place of the page. */
export function setAccess(next: Access): void {
  if (next === access) return;
  access = next;
  for (const listener of listeners) listener();
}

export function useAccess(): Access {
  return useSyncExternalStore(subscribe, () => access);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
