/** Pure: the variables and secrets of a local worker. */
import type { Secrets } from "./secrets.ts";

export interface WorkerVariablesInput {
  /** What the person set; it wins. */
  given: Record<string, string>;
  secrets: Secrets;
  /** The instance's address for people. */
  url: string;
  /** The upstream's origin. */
  upstreamUrl: string;
  /** null when a real model is used. */
  demoModelUrl: string | null;
  /** How many containers work at once; 0 where a local runner works on runs. */
  containers: number;
}

export function workerVariables(input: WorkerVariablesInput) {
  const { given, secrets, url, upstreamUrl, demoModelUrl, containers } = input;
  const { UPSTREAM_CREDENTIAL: upstream, ...drawn } = secrets;
  return {
    ...drawn,
    PUBLIC_URL: url,
    ...given,
    LOCAL_INSTANCE: "1",
    CONTAINERS: String(containers),
    GIT_CREDENTIALS: addCredential(given["GIT_CREDENTIALS"], upstreamUrl, upstream),
    ...(demoModelUrl === null ? {} : { DEMO_MODEL_URL: demoModelUrl }),
  };
}

/** What does not parse goes on as it is, so that the worker can say what is wrong with it. */
function addCredential(given: string | undefined, origin: string, credential: string): string {
  try {
    const known: unknown = JSON.parse(given ?? "{}");
    if (typeof known === "object" && known !== null) return JSON.stringify({ ...known, [origin]: credential });
  } catch {
    // Falls through to the text as it was given.
  }
  return given ?? "";
}
