/** The one-use code in a printed address: `#code=…` on any page. */
import { currentAccess, setCodeRefusal } from "../access.ts";
import { signIn } from "../client/generated.ts";
import { asProblem } from "../problem.ts";

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
    setCodeRefusal(null);
  } catch (error) {
    setCodeRefusal(asProblem(error));
  }
}
