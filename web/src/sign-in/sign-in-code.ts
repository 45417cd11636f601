/** The one-use code in a printed address: `#code=…` on any page. */
import { useSyncExternalStore } from "react";
import { currentAccess } from "../access.ts";
import { signIn } from "../client/generated.ts";
import type { Problem } from "../problem.ts";
import { asProblem } from "../problem.ts";

let refusal: Problem | null = null;
const listeners = new Set<() => void>();

/** An address with a code that is opened where a page is open already. */
export function watchForSignInCode(): void {
  addEventListener("hashchange", () => {
    if (codeInAddress() === null) return;
    // What is written on a page that waits for its reader to sign in again stays.
    if (currentAccess() === "lapsed") void takeSignInCode();
    else location.reload();
  });
}

function codeInAddress(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("code");
}

/** Uses the code, and takes it out of the address first, so that no reload, bookmark or history has it. */
export async function takeSignInCode(): Promise<void> {
  const code = codeInAddress();
  if (code === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  try {
    await signIn({ code });
    setRefusal(null);
  } catch (error) {
    setRefusal(asProblem(error));
  }
}

function setRefusal(next: Problem | null): void {
  refusal = next;
  for (const listener of listeners) listener();
}

/** Why the code was not accepted, for the sign-in view; a browser that is signed in already needs no code. */
export function useCodeRefusal(): Problem | null {
  return useSyncExternalStore(subscribe, () => refusal);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
