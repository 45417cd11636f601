/** What the page of a session knows of a wait, for the rows of its transcript. */
import { createContext } from "react";

/** Why the session's latest run waits in the queue; null when that is not known, or it does not wait. */
export const WaitContext = createContext<string | null>(null);
