/** What GitHub sends, signed, as requests of a load. */
import { createHmac, randomUUID } from "node:crypto";
import type { LoadOrder } from "./load.ts";

export type GithubRequest = LoadOrder["requests"][number];

/** About as long as the payload of a small pull request. */
const BODY_TEXT = "What changed, why, and how it was tried out. ".repeat(120);

/** @param repository its number; `acme/app-<number>`. @param number of the pull request: no two bodies are the same. */
export function pullRequestOpened(secret: string, repository: number, number: number): GithubRequest {
  const full_name = `acme/app-${repository}`;
  const html_url = `https://github.com/${full_name}`;
  const repo = { id: 1_000 + repository, full_name, private: true, html_url };
  const commit = number.toString(16).padStart(40, "0");
  const body = JSON.stringify({
    action: "opened",
    number,
    pull_request: {
      number,
      title: `Change number ${number}`,
      body: BODY_TEXT,
      html_url: `${html_url}/pull/${number}`,
      user: { login: "octocat" },
      author_association: "MEMBER",
      draft: false,
      merged: false,
      labels: [],
      base: { ref: "main", sha: commit, repo },
      head: { ref: `change-${number}`, sha: commit, repo },
    },
    repository: repo,
    sender: { login: "octocat" },
  });
  const headers = {
    "content-type": "application/json",
    "x-github-event": "pull_request",
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
  return { method: "POST", path: "/webhooks/github", headers, body };
}
