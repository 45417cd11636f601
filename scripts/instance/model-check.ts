/** Which model the runs of a local instance will use, and whether its key is good: asked once, when the instance starts. */
import { z } from "zod";

export interface ModelAccess {
  /** null without a key: then runs use the offline demo model. */
  apiKey: string | undefined;
  /** Empty for the API's own. */
  baseUrl: string | undefined;
  /** DEFAULT_MODEL: what routines that name none use, and what a doubt about the key is settled with. */
  model: string | undefined;
}

export interface ModelCheck {
  /** A sentence for the person who starts the instance. */
  sentence: string;
  isRefused: boolean;
}

const DEADLINE_MS = 5_000;
const WORDS_LENGTH = 200;
const TAKEN = "its API takes";
const errorSchema = z.object({ error: z.object({ message: z.string() }) });

/**
 * Has tokens counted, which costs nothing and is served by whatever serves the Messages API. A key may be good for less
 * than that model: a refusal counts only when it may not list models either. Whatever else is answered says nothing of it.
 */
export async function checkModel(
  { apiKey, baseUrl, model }: ModelAccess,
  signal: AbortSignal,
  deadlineMs = DEADLINE_MS,
): Promise<ModelCheck> {
  if (apiKey === undefined) {
    return { isRefused: false, sentence: "the offline demo model, a script: set ANTHROPIC_API_KEY to use a real one" };
  }
  if (!canBeSent(apiKey)) return refused("your ANTHROPIC_API_KEY has a character that no key has");
  const known = model ?? "claude-sonnet-5";
  const address = (baseUrl ?? "https://api.anthropic.com").replace(/\/+$/, "");
  const init = {
    headers: { "x-api-key": apiKey, "anthropic-version": "2023-06-01", "content-type": "application/json" },
    redirect: "manual",
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  } as const;
  const body = JSON.stringify({ model: known, messages: [{ role: "user", content: "hi" }] });
  try {
    const counted = await fetch(`${address}/v1/messages/count_tokens`, { ...init, method: "POST", body });
    if (!isRefusal(counted)) {
      await counted.body?.cancel();
      return usable(known, counted.ok ? TAKEN : `could not be checked: ${address} answered ${counted.status}`);
    }
    const listed = await fetch(`${address}/v1/models?limit=1`, init);
    await listed.body?.cancel();
    if (!isRefusal(listed)) return usable(known, TAKEN);
    return refused(`the model's API refuses your ANTHROPIC_API_KEY (${counted.status}${await wordsOf(counted)})`);
  } catch {
    return usable(known, `could not be checked: ${address} does not answer`);
  }
}

function isRefusal({ status }: Response): boolean {
  return status === 401 || status === 403;
}

/** For instance not what stands for a key in a page that was copied. */
function canBeSent(apiKey: string): boolean {
  return /^[!-~]+$/.test(apiKey.trim());
}

function usable(model: string, which: string): ModelCheck {
  return { isRefused: false, sentence: `${model}, with your ANTHROPIC_API_KEY, which ${which}` };
}

function refused(why: string): ModelCheck {
  const sentence = `none that answers: ${why}, so every run will fail with model_key_refused. Set a valid key and start again`;
  return { isRefused: true, sentence };
}

async function wordsOf(answer: Response): Promise<string> {
  try {
    const { error } = errorSchema.parse(await answer.json());
    return `: ${error.message.replace(/[\p{Cc}\s]+/gu, " ").slice(0, WORDS_LENGTH)}`;
  } catch {
    return "";
  }
}
