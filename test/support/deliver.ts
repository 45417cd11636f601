/** What sources send, as verbs, for tests in workerd. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Delivery } from "#protocol/delivery.ts";
import worker from "#worker/index.ts";
import { call } from "./api.ts";

export const GITHUB_SECRET = "github-secret-of-the-tests-0123456789";
const ORIGIN = "http://reveille.test";
const encoder = new TextEncoder();

export async function hmacHex(secret: string, text: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Posts to the worker, with the length as a server gets it, and waits for what it does after its answer. */
export async function post(path: string, body: string, headers: Record<string, string>): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(`${ORIGIN}${path}`, {
    method: "POST",
    headers: { "content-length": String(encoder.encode(body).length), ...headers },
    body,
  });
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, context);
  await waitOnExecutionContext(context);
  return response;
}

export interface GithubDelivery {
  event: string;
  payload: object;
  id?: string;
  signature?: string;
}

/** Posts as GitHub does. @returns the answer and the delivery's id. */
export async function deliverGithub({ event, payload, id = crypto.randomUUID(), signature }: GithubDelivery) {
  const body = JSON.stringify(payload);
  const response = await post("/webhooks/github", body, {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": id,
    "x-hub-signature-256": signature ?? `sha256=${await hmacHex(GITHUB_SECRET, body)}`,
  });
  const answer: { delivery_id?: string } = await response.json();
  return { status: response.status, deliveryId: answer.delivery_id ?? "" };
}

export async function readDelivery(id: string): Promise<Delivery & { headers: Record<string, string>; body: string }> {
  const { body } = await call<Delivery & { headers: Record<string, string>; body: string }>(
    "GET",
    `/api/v1/deliveries/${id}`,
  );
  return body;
}

let numbers = 0;

/** A repository of its own for a test. */
export function someRepository(isPrivate = false) {
  numbers += 1;
  const full_name = `acme/app-${numbers}`;
  const url = `https://github.com/${full_name}`;
  return { id: 1_000_000 + numbers, full_name, name: full_name.slice(5), private: isPrivate, html_url: url };
}

/** A pull request as GitHub tells of it, with the fields that matter here. */
export function pullRequest(
  repository: ReturnType<typeof someRepository>,
  { number = 7, base = "main", association = "MEMBER", isFork = false, action = "opened", sha = "a".repeat(40) } = {},
) {
  const head = isFork ? { ...repository, id: repository.id + 500_000, full_name: "stranger/app" } : repository;
  return {
    action,
    number,
    pull_request: {
      number,
      title: "Fix the thing",
      body: null,
      html_url: `${repository.html_url}/pull/${number}`,
      user: { login: "octocat" },
      author_association: association,
      draft: false,
      merged: false,
      labels: [{ name: "bug" }],
      base: { ref: base, sha: "b".repeat(40), repo: repository },
      head: { ref: "fix", sha, repo: head },
    },
    repository,
    sender: { login: "octocat" },
  };
}
