/** The one-use code in a printed address: `#code=…` on any page. */
import { signIn } from "../client/generated.ts";
import type { Problem } from "../problem.ts";
import { asProblem } from "../problem.ts";

let refusal: Problem | null = null;

/** An address with a code that is opened where a page is open already. */
export function watchForSignInCode(): void {
  addEventListener("hashchange", () => {
    if (codeInAddress() !== null) location.reload();
  });
}

function codeInAddress(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("code");
}

/** Uses the code, and takes it out of the address first, so that no reload, bookmark or history has it. */
export async function takeSignInCode(): Promise<void> {
  const code = codeInAddress();
  if (code === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    await signIn({ code });
  } catch (error) {
    refusal = asProblem(error);
  }
}

/** Why the code was not accepted, for the sign-in view; a browser that is signed in already needs no code. */
export function codeRefusal(): Problem | null {
  return refusal;
}
