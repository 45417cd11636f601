/**
 * What is wrong with an instance, seen from outside: whether it answers, as what, what it lacks, what it says of itself, and
 * whether the world reaches it. Every question has a deadline, and one that fails hides no other.
 */
import type { z } from "zod";
import { healthSchema } from "#protocol/api.ts";
import { type Diagnosis, diagnosisSchema, type Finding } from "#protocol/diagnosis.ts";
import { type ErrorBody, errorBodySchema } from "#protocol/errors.ts";
import { isLoopback } from "#rules/routine/repository-address.ts";

export interface Examined {
  /** The instance's address, without a slash at its end. */
  url: string;
  /** The owner's token; null where none was given. */
  token: string | null;
  /** Whether the model's API is asked if it takes the key. */
  asksModel: boolean;
  /** This program's version. */
  version: string;
  ask(url: string, init: RequestInit): Promise<Response>;
  now(): number;
}

const DEADLINE_MS = 10_000;
/** The instance gives each of its own checks up to twelve seconds. */
const DIAGNOSIS_DEADLINE_MS = 25_000;
/** Tokens and signatures are judged by the clock: minutes make them lapse too early or too late. */
const CLOCK_SLACK_MS = 60_000;
const GITHUB_WEBHOOKS = "/webhooks/github";

const SET_RIGHT =
  "Set it anew and deploy: npx wrangler secret put, or wrangler.toml for what is no secret (a local instance: .dev.vars, and npm start again).";

const finding = (check: string, status: Finding["status"], message: string, hint: string | null = null): Finding => ({
  check,
  status,
  message,
  hint,
});

/** @returns findings in the order in which they were looked for: what hides the rest comes first. */
export async function examine(examined: Examined): Promise<Finding[]> {
  const address = await lookAtAddress(examined);
  if (address.some(({ status }) => status === "fault")) return address;
  const [ready, diagnosis] = await Promise.all([lookAtReadiness(examined), askDiagnosis(examined)]);
  const reach = await lookFromOutside(examined, diagnosis.answer);
  return [...address, ...ready, ...diagnosis.findings, ...reach];
}

/** Whether an instance answers there, which version it is, and what its clock says. */
async function lookAtAddress(examined: Examined): Promise<Finding[]> {
  const { url } = examined;
  const sentMs = examined.now();
  const answer = await asked(examined, `${url}/healthz`, {});
  if (!answer.ok) {
    const hint =
      "Is the address right, and is the instance on? A local one: npm start. A deployed one: npm run deploy prints its address.";
    return [finding("address", "fault", `Nothing answers at ${url}: ${answer.why}.`, hint)];
  }
  const health = healthOf(answer);
  if (health === null) {
    const hint = "Give the instance's own address, without a path.";
    return [finding("address", "fault", `What answers at ${url} is no instance of Reveille (${answer.status}).`, hint)];
  }
  const { version } = health;
  const isSame = version === examined.version;
  return [
    finding("address", "ok", `An instance answers at ${url}.`),
    isSame
      ? finding("version", "ok", `It is version ${version}, as this program is.`)
      : finding(
          "version",
          "warning",
          `It is version ${version}, and this program ${examined.version}.`,
          "Deploy, or use the same version of this program.",
        ),
    ...clockFindings(url, answer.date, { sentMs, receivedMs: examined.now() }),
  ];
}

/** @param date the answer's `Date`, to the second; Cloudflare adds it, and a local instance has nobody who does. */
function clockFindings(url: string, date: string | null, asked: { sentMs: number; receivedMs: number }): Finding[] {
  const { sentMs, receivedMs } = asked;
  const theirs = Date.parse(date ?? "");
  if (date === null && isLoopback(new URL(url).hostname))
    return [finding("clock", "ok", "The instance is on this machine, and has its clock.")];
  if (Number.isNaN(theirs)) return [finding("clock", "unknown", "The instance's answer tells no time.")];
  const offMs = theirs < sentMs ? sentMs - theirs : Math.max(0, theirs - receivedMs);
  if (offMs <= CLOCK_SLACK_MS) return [finding("clock", "ok", "This machine's clock and the instance's agree.")];
  const message = `This machine's clock and the instance's differ by ${Math.round(offMs / 1_000)} seconds.`;
  return [
    finding(
      "clock",
      "fault",
      message,
      "Set the clock by NTP: timedatectl set-ntp true. The platform's own clock is right.",
    ),
  ];
}

/** Bindings, secrets, schema and jurisdiction: each fault by name. Needs no token. */
async function lookAtReadiness(examined: Examined): Promise<Finding[]> {
  const answer = await asked(examined, `${examined.url}/readyz`, {});
  if (!answer.ok)
    return [finding("readyz", "fault", `/readyz does not answer: ${answer.why}.`, "Try again; the log tells more.")];
  if (answer.status === 200)
    return [finding("readyz", "ok", "Schema, bindings and secrets are those that this version needs.")];
  const refused = errorOf(answer.text);
  const issues = refused?.details?.issues ?? [];
  if (issues.length === 0)
    return [finding("readyz", "fault", `/readyz answers ${answer.status}.`, refused?.hint ?? null)];
  return issues.map(({ field, message }) => {
    const [fact = message, ...remedy] = message.split(": ");
    return finding(field, "fault", `${field}: ${fact}.`, remedy.join(": ") || SET_RIGHT);
  });
}

interface Asked {
  answer: Diagnosis | null;
  findings: Finding[];
}

/** What only the instance can know, and tells its owner alone. */
async function askDiagnosis(examined: Examined): Promise<Asked> {
  const { url, token, asksModel } = examined;
  if (token === null) {
    const hint = "Set OWNER_TOKEN, or give --token-file, and the instance looks itself over as well.";
    return { answer: null, findings: [finding("OWNER_TOKEN", "unknown", "No token was given.", hint)] };
  }
  const init = {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ model: asksModel }),
  };
  const answer = await asked(examined, `${url}/api/v1/instance/diagnosis`, init, DIAGNOSIS_DEADLINE_MS);
  if (!answer.ok) {
    const message = `The instance did not look itself over: ${answer.why}.`;
    return { answer: null, findings: [finding("diagnosis", "fault", message, "Try again; the log tells more.")] };
  }
  if (answer.status === 401) {
    const hint = "Take the one that the instance was deployed with; a local instance's is in .reveille/local.json.";
    return {
      answer: null,
      findings: [finding("OWNER_TOKEN", "fault", "The instance does not accept this token.", hint)],
    };
  }
  const diagnosis = diagnosisSchema.safeParse(parse(answer.text));
  if (diagnosis.success) return { answer: diagnosis.data, findings: diagnosis.data.findings };
  // What makes an instance answer nothing at all is named by its readiness.
  const refused = errorOf(answer.text);
  const message = `The instance did not look itself over (${answer.status}): ${refused?.message ?? "no message"}`;
  return { answer: null, findings: [finding("diagnosis", "fault", message, refused?.hint ?? null)] };
}

/** Whether people and webhooks reach the instance at the address that it gives them. */
async function lookFromOutside(examined: Examined, diagnosis: Diagnosis | null): Promise<Finding[]> {
  const given = diagnosis?.public_url ?? null;
  const address = given === null ? [] : await lookAtPublicUrl(examined, given.replace(/\/+$/, ""));
  if (address.some(({ status }) => status === "fault")) return address;
  if (diagnosis?.is_local === true && given === null) {
    return [...address, finding("webhooks", "unknown", "This instance listens on this machine alone.")];
  }
  return [...address, await lookAtWebhooks(examined, given ?? examined.url)];
}

async function lookAtPublicUrl(examined: Examined, publicUrl: string): Promise<Finding[]> {
  if (publicUrl === examined.url) return [finding("PUBLIC_URL", "ok", "PUBLIC_URL is this address.")];
  const [answer, ownAnswer] = await Promise.all([
    asked(examined, `${publicUrl}/healthz`, {}),
    asked(examined, `${examined.url}/healthz`, {}),
  ]);
  const [there, own] = [healthOf(answer), healthOf(ownAnswer)];
  if (there !== null && own !== null && there.deployment !== own.deployment) {
    const message = `Another deployment answers at PUBLIC_URL, ${publicUrl}: another instance, or one that is just being replaced.`;
    const hint = `Try again when no deploy is under way; if it is told again, set PUBLIC_URL to ${examined.url}.`;
    return [finding("PUBLIC_URL", "warning", message, hint)];
  }
  if (there !== null) return [finding("PUBLIC_URL", "ok", `The instance answers at PUBLIC_URL, ${publicUrl}.`)];
  const why = answer.ok ? `what answers there is no instance (${answer.status})` : answer.why;
  const message = `Links and webhooks lead to PUBLIC_URL, ${publicUrl}, and ${why}.`;
  return [finding("PUBLIC_URL", "fault", message, `Set PUBLIC_URL to ${examined.url}, or have that name lead here.`)];
}

/** An unsigned delivery is refused by the instance itself: anything else in its place keeps webhooks away. */
async function lookAtWebhooks(examined: Examined, base: string): Promise<Finding> {
  const address = `${base.replace(/\/+$/, "")}${GITHUB_WEBHOOKS}`;
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  const answer = await asked(examined, address, init);
  if (answer.ok && errorOf(answer.text) !== null && answer.status < 500) {
    return finding("webhooks", "ok", "Webhooks reach the instance, which refuses those without a signature.");
  }
  const why = answer.ok ? `something else answers there (${answer.status})` : answer.why;
  const hint =
    "A firewall or Cloudflare Access in front of the instance has to let /webhooks/ pass: each source signs what it sends.";
  return finding("webhooks", "fault", `Webhooks do not reach ${address}: ${why}.`, hint);
}

type Answer = { ok: true; status: number; text: string; date: string | null } | { ok: false; why: string };

async function asked({ ask }: Examined, url: string, init: RequestInit, deadlineMs = DEADLINE_MS): Promise<Answer> {
  try {
    const answer = await ask(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(deadlineMs) });
    return { ok: true, status: answer.status, text: await answer.text(), date: answer.headers.get("date") };
  } catch (error) {
    return { ok: false, why: whyOf(error, deadlineMs) };
  }
}

function whyOf(error: unknown, deadlineMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${deadlineMs / 1_000} seconds`;
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

function healthOf(answer: Answer): z.infer<typeof healthSchema> | null {
  const parsed = answer.ok ? healthSchema.safeParse(parse(answer.text)) : null;
  return parsed?.success === true ? parsed.data : null;
}

function errorOf(text: string): ErrorBody["error"] | null {
  const parsed = errorBodySchema.safeParse(parse(text));
  return parsed.success ? parsed.data.error : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
