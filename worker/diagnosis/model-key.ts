/** Whether the model's API takes the key. */

import type { ModelUpstream } from "#instance/config.ts";
import { NoAnswer, withinDeadline } from "#instance/in-time.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { fault, unknown, warning, well } from "./finding.ts";

const CHECK = "ANTHROPIC_API_KEY";
const DEADLINE_MS = 5_000;
const SET_KEY = "npx wrangler secret put ANTHROPIC_API_KEY (a local instance: set it and npm start again)";
const ASK = "npm run doctor -- --model asks it, which costs nothing.";
const UNSENDABLE = "The key has a character in it that no key has: a space, a line break, or one that is not seen.";

type Ask = (url: string, init: RequestInit) => Promise<Response>;

/** What can be told without asking anybody. */
export function modelFinding(upstream: ModelUpstream): Finding {
  if (upstream.kind === "none") return fault(CHECK, "There is no key, so no run can start.", SET_KEY);
  if (upstream.kind === "demo") return well(CHECK, "Runs use the offline demo model: its words are a script.");
  if (!/^[!-~]+$/.test(upstream.apiKey.trim())) return fault(CHECK, UNSENDABLE, SET_KEY);
  return unknown(CHECK, "There is a key; the model's API was not asked about it.", ASK);
}

/**
 * Has tokens counted, which costs nothing. A key may be good for less than that model: a refusal counts only where the key may
 * not list models either.
 */
export async function askModel(upstream: ModelUpstream, model: string, ask: Ask): Promise<Finding> {
  const told = modelFinding(upstream);
  if (upstream.kind !== "anthropic" || told.status === "fault") return told;
  const { baseUrl, apiKey } = upstream;
  const headers = { "x-api-key": apiKey, "anthropic-version": "2023-06-01", "content-type": "application/json" };
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] });
  const statusOf = async (path: string, init: RequestInit) => {
    const asked = ask(`${baseUrl}${path}`, { ...init, headers, redirect: "manual" });
    const answer = await withinDeadline(asked, DEADLINE_MS, "the model's API");
    await answer.body?.cancel();
    return answer.status;
  };
  try {
    const counted = await statusOf("/v1/messages/count_tokens", { method: "POST", body });
    if (counted >= 200 && counted < 300) return well(CHECK, "The model's API takes the key.");
    if (counted !== 401 && counted !== 403) {
      return warning(CHECK, `The model's API answered ${counted}, which says nothing of the key.`, "Try again later.");
    }
    const listed = await statusOf("/v1/models?limit=1", { method: "GET" });
    if (listed !== 401 && listed !== 403) return well(CHECK, "The model's API takes the key.");
    return fault(
      CHECK,
      `The model's API refuses the key (${counted}): every run fails with model_key_refused.`,
      SET_KEY,
    );
  } catch (error) {
    const why = error instanceof NoAnswer ? "does not answer" : "can't be reached";
    return warning(CHECK, `The model's API at ${baseUrl} ${why}.`, "Check ANTHROPIC_BASE_URL, and try again later.");
  }
}
