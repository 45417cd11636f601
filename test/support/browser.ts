/** What a signed-in browser does, as verbs, for tests in workerd. */
import { exports } from "cloudflare:workers";
import { OWNER_TOKEN } from "./api.ts";
import { noteAnswer } from "./canaries.ts";

const ORIGIN = "http://reveille.test";

/** @returns the headers that the browser sends from then on. */
export async function signIn(headers: Record<string, string> = {}): Promise<Record<string, string>> {
  const answer = await exports.default.fetch(`${ORIGIN}/api/v1/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: ORIGIN, ...headers },
    body: JSON.stringify({ token: OWNER_TOKEN }),
  });
  return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "", origin: ORIGIN };
}

export async function asBrowser(method: string, path: string, browser: Record<string, string>): Promise<Response> {
  const answer = await exports.default.fetch(`${ORIGIN}${path}`, { method, headers: browser });
  return noteAnswer(`the answer to a browser's ${method} ${path}`, answer);
}
