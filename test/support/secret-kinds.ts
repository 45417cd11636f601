/**
 * Every kind of secret, how tests know it, and where it may be seen in clear. What an instance draws is known by its form; what it is
 * given, by the value that the tests give it; whatever else a test hides begins with `canary-`, or is named (`hidden.ts`).
 */
import type { AttemptTokenKind } from "#instance/attempt-token.ts";
import { type DrawnSecret, SECRET_PREFIXES } from "#instance/secret-prefixes.ts";

/**
 * The secret variables of an instance with their values in tests; null where the tests that are about it give one. None may be
 * seen anywhere. `test/rules/secret-kinds.test.ts` compares them with those of `instance/config.ts`.
 */
export const VARIABLE_CANARIES = {
  OWNER_TOKEN: "owner-token-of-the-tests-0123456789abcdef",
  OWNER_TOKEN_PREVIOUS: "previous-owner-token-of-the-tests-0123456789",
  SIGNING_KEY: "signing-key-of-the-tests-0123456789abcdef",
  SIGNING_KEY_PREVIOUS: "previous-signing-key-of-the-tests-0123456789",
  RUNNER_TOKEN: "runner-token-of-the-tests-0123456789abcdef",
  RUNNER_TOKEN_PREVIOUS: "previous-runner-token-of-the-tests-0123456789",
  ANTHROPIC_API_KEY: "canary-model-key-0123456789",
  GIT_CREDENTIALS: JSON.stringify({ "http://upstream.test": "upstream-user:upstream-password" }),
  COMMIT_SIGNING_KEY: null as string | null,
  GITHUB_WEBHOOK_SECRET: "github-secret-of-the-tests-0123456789",
  GITHUB_WEBHOOK_SECRET_PREVIOUS: "canary-previous-github-secret-0123456789",
  SLACK_SIGNING_SECRET: "slack-signing-secret-of-the-tests-0123456789",
  RESEND_API_KEY: "canary-resend-key-0123456789",
  SECRETS_VAULT_TOKEN: "canary-vault-token-0123456789",
  SECRETS_VAULT_ROLE_ID: "canary-vault-role-0123456789",
  SECRETS_VAULT_SECRET_ID: "canary-vault-secret-id-0123456789",
  SECRETS_AWS_ACCESS_KEY_ID: null as string | null,
  SECRETS_AWS_SECRET_ACCESS_KEY: null as string | null,
  SECRETS_AWS_SESSION_TOKEN: null as string | null,
};

/** Places are named as in `canaries.ts`; null for nowhere. */
type SeenIn = RegExp | null;

/** What the instance draws: seen once, in the answer to whoever has asked for it. */
const DRAWN_SEEN_IN: Record<DrawnSecret, SeenIn> = {
  fire_token: answerTo("routines/[^/]+/token"),
  ticket: answerTo("sessions/[^/]+/ticket"),
  endpoint_secret: answerTo("routines/[^/]+/triggers/[^/]+/secret"),
  pool_token: answerTo("pools(?:/[^/]+/token)?"),
  web_session: answerTo("sign-in"),
  sign_in_code: answerTo("sign-in/codes"),
  app_setup: answerTo("github/app/setup"),
};

/** An attempt's: told to the runner that is offered it. */
const OFFER = /^the socket (?:\/runner\/pool|of an object): offer$/;
const ATTEMPT_SEEN_IN: Record<AttemptTokenKind, SeenIn> = { link: OFFER, proxy: OFFER };
/** The values of secrets that a run's variables name: told to its runner. */
const WELCOME = /^the socket \/runner\/runs\/.*: welcome$/;

function answerTo(path: string): RegExp {
  return new RegExp(`^the answer to (?:a browser's )?POST /api/v1/${path}$`);
}

/** A kind of secret that is known by its form. */
export interface SecretForm {
  form: RegExp;
  seenIn: SeenIn;
}

export const SECRET_FORMS: readonly SecretForm[] = [
  ...Object.entries(DRAWN_SEEN_IN).map(([kind, seenIn]) => ({
    form: new RegExp(`${SECRET_PREFIXES[kind as DrawnSecret]}(?:[a-z0-9-]+_)?[0-9a-f]{64}`),
    seenIn,
  })),
  ...Object.entries(ATTEMPT_SEEN_IN).map(([kind, seenIn]) => ({
    form: new RegExp(`rvl_${kind}_run_\\w+_[0-9a-f]{64}`),
    seenIn,
  })),
  // GitHub's for a repository.
  { form: /\bghs_\w+/, seenIn: null },
  // Planted by a test: as it is, and in base64.
  { form: /canary-[A-Za-z0-9-]{8,}|Y2FuYXJ5L[\w+/]{8,}|jYW5hcnkt[\w+/]{8,}|NhbmFyeS[\w+/]{8,}/, seenIn: WELCOME },
];
