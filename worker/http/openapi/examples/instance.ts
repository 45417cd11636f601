/** What belongs to the instance: deliveries, environments, secrets, pools, notifications, budgets, the GitHub App, its own care. */
import { healthSchema } from "#protocol/api.ts";
import { connectorInputSchema, connectorPatchSchema, connectorSchema } from "#protocol/connector.ts";
import { begunLoginSchema } from "#protocol/connector-oauth.ts";
import { deliveryDetailSchema, deliverySchema } from "#protocol/delivery.ts";
import { diagnosisInputSchema, diagnosisSchema } from "#protocol/diagnosis.ts";
import { encryptAnewInputSchema, encryptAnewStepSchema } from "#protocol/encrypt-anew.ts";
import {
  archivedEnvironmentSchema,
  environmentInputSchema,
  environmentPatchSchema,
  environmentSchema,
} from "#protocol/environment.ts";
import {
  begunSetupSchema,
  changeAppInputSchema,
  endSetupInputSchema,
  githubAppStateSchema,
  setupInputSchema,
} from "#protocol/github-app.ts";
import { rebuildInputSchema, rebuildStepSchema } from "#protocol/index-rebuild.ts";
import {
  failingDestinationsSchema,
  instanceRulesInputSchema,
  instanceRulesSchema,
  notificationSchema,
  signingKeyInputSchema,
  signingKeySchema,
} from "#protocol/notification.ts";
import { newPoolSchema, poolChangeSchema, poolInputSchema, poolSchema, poolTokenSchema } from "#protocol/pool.ts";
import { secretInputSchema, secretSchema, secretUseSchema } from "#protocol/secret.ts";
import { sharedBudgetInputSchema, sharedBudgetSchema } from "#protocol/shared-budget.ts";
import { signInSchema } from "#protocol/sign-in.ts";
import { example } from "./example.ts";
import {
  CONNECTOR_ID,
  DELIVERY_ID,
  EARLIER,
  ENVIRONMENT_ID,
  FINISHED_AT,
  LATER,
  NOTIFICATION_ID,
  OCCURRENCE_ID,
  OWNER,
  QUEUED_AT,
  ROUTINE_ID,
  RUN_ID,
  SIGN_IN_ID,
  TRIGGER_ID,
} from "./ids.ts";

const delivery = {
  id: DELIVERY_ID,
  source: "github" as const,
  trigger_id: null,
  received_at: QUEUED_AT,
  verification: "verified" as const,
  status: "handled" as const,
  note: null,
  event: "pull_request",
  action: "opened",
  summary: "acme/docs#41: Describe retries",
  provider_id: "7f3c2f70-c84e-11f0-9a52-0242ac120002",
  size_bytes: 23_110,
  outcomes: [
    {
      routine_id: ROUTINE_ID,
      trigger_id: TRIGGER_ID,
      matched: true,
      why: "It fits.",
      filters: [{ field: "base_branch", operator: "equals" as const, matched: true, why: 'It is "main".' }],
      outcome: "started" as const,
      reason: "admitted" as const,
      occurrence_id: OCCURRENCE_ID,
      run_id: RUN_ID,
    },
  ],
};

const environment = {
  id: ENVIRONMENT_ID,
  name: "build",
  network: { level: "trusted" as const, allow: ["*.acme.example"] },
  variables: { NPM_TOKEN: "{{NPM_TOKEN}}" },
  setup: "npm ci",
  instance: "standard-2" as const,
  status: "active" as const,
  revision: 1,
  created_at: EARLIER,
  created_by: OWNER,
  updated_at: EARLIER,
  updated_by: OWNER,
};

const pool = {
  name: "office",
  kind: "runners" as const,
  capacity: 4,
  busy: 1,
  runners: [
    {
      id: "build-1",
      version: "0.1.0",
      capacity: 4,
      busy: 1,
      last_seen_at: FINISHED_AT,
      state: "busy" as const,
      reason: null,
    },
  ],
  waiting: 0,
  waiting_since: null,
  why: null,
  warm: null,
  created_at: EARLIER,
  created_by: OWNER,
  token: { created_at: EARLIER, created_by: OWNER, previous_token_until: null },
};

const connector = {
  name: "linear",
  url: "https://mcp.linear.app/mcp",
  auth: { type: "bearer" as const, token: "{{LINEAR_TOKEN}}" },
};

const rules = [{ on: ["failed" as const, "missed" as const], slack: "{{SLACK_URL}}" }];

export const INSTANCE_EXAMPLES = [
  example(healthSchema, { ok: true, version: "0.1.0" }),
  example(deliverySchema, delivery),
  example(deliveryDetailSchema, {
    ...delivery,
    headers: { "x-github-event": "pull_request", "content-type": "application/json" },
    body: '{"action":"opened","number":41}',
  }),
  example(environmentInputSchema, {
    name: environment.name,
    network: environment.network,
    variables: environment.variables,
    setup: environment.setup,
  }),
  example(environmentPatchSchema, { network: { level: "custom", allow: ["registry.npmjs.org"] }, if_revision: 1 }),
  example(environmentSchema, environment),
  example(archivedEnvironmentSchema, { ...environment, status: "archived", revision: 2, routines: [ROUTINE_ID] }),
  example(connectorInputSchema, connector),
  example(connectorPatchSchema, { auth: { type: "bearer", token: "{{LINEAR_TOKEN_NEW}}" }, if_revision: 1 }),
  example(connectorSchema, {
    id: CONNECTOR_ID,
    ...connector,
    status: "ready",
    status_detail: null,
    checked_at: QUEUED_AT,
    server: { name: "linear", version: "1.0.0", protocol: "2025-11-25" },
    tools: [{ name: "list_issues", description: "Lists issues.", read_only: true }],
    login: null,
    last_used_at: QUEUED_AT,
    revision: 1,
    created_at: EARLIER,
    created_by: OWNER,
    updated_at: EARLIER,
    updated_by: OWNER,
  }),
  example(begunLoginSchema, {
    authorization_url: "https://mcp.linear.app/authorize?response_type=code",
    expires_at: FINISHED_AT,
  }),
  example(secretInputSchema, { value: "(never shown again)", scope: { routines: [ROUTINE_ID] } }),
  example(secretSchema, {
    name: "NPM_TOKEN",
    from: null,
    scope: { routines: [ROUTINE_ID] },
    created_at: EARLIER,
    created_by: OWNER,
    updated_at: EARLIER,
    updated_by: OWNER,
    last_used_at: QUEUED_AT,
    unreadable: [],
  }),
  example(secretUseSchema, {
    at: QUEUED_AT,
    routine_id: ROUTINE_ID,
    run_id: RUN_ID,
    attempt: 1,
    environment_id: ENVIRONMENT_ID,
    variables: ["NPM_TOKEN"],
  }),
  example(poolInputSchema, { name: pool.name }),
  example(poolChangeSchema, { warm: { containers: 1, hours_per_month: 100 } }),
  example(poolSchema, pool),
  example(newPoolSchema, { pool, token: "(shown once)" }),
  example(poolTokenSchema, { token: "(shown once)", previous_token_until: LATER }),
  example(instanceRulesInputSchema, { rules, if_revision: 1 }),
  example(instanceRulesSchema, { rules, revision: 2 }),
  example(notificationSchema, {
    id: NOTIFICATION_ID,
    routine_id: ROUTINE_ID,
    run_id: RUN_ID,
    kind: "failed",
    destination: { by: "slack", address: "{{SLACK_URL}}" },
    status: "sent",
    tries: 1,
    error: null,
    next_try_at: null,
    created_at: FINISHED_AT,
    sent_at: FINISHED_AT,
  }),
  example(failingDestinationsSchema, {
    data: [
      {
        by: "webhook",
        address: "https://example.com/hook",
        failing_since: EARLIER,
        switched_off_at: null,
        error: "It answered 500.",
      },
    ],
  }),
  example(signingKeyInputSchema, { webhook: "https://example.com/hook" }),
  example(signingKeySchema, { signing_key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }),
  example(sharedBudgetInputSchema, { scope: "tag", tag: "team", value: "docs", monthly_usd: 50 }),
  example(sharedBudgetSchema, {
    scope: "tag",
    tag: "team",
    value: "docs",
    monthly_usd: 50,
    month: "2026-11",
    spent_usd: 12.4,
    reserved_usd: 0.5,
    begins_anew_at: LATER,
    updated_at: EARLIER,
    updated_by: OWNER,
  }),
  example(setupInputSchema, { organization: "acme" }),
  example(begunSetupSchema, {
    action: "https://github.com/organizations/acme/settings/apps/new?state=x",
    manifest: '{"name":"Reveille"}',
    expires_at: LATER,
  }),
  example(endSetupInputSchema, { code: "a1b2c3d4e5", state: "(as GitHub has sent it back)" }),
  example(changeAppInputSchema, { webhook_secret: "(the one that the App has now)" }),
  example(githubAppStateSchema, {
    app: {
      id: 1_234,
      name: "Reveille of acme",
      slug: "reveille-of-acme",
      owner: "acme",
      client_id: "Iv23liExample",
      html_url: "https://github.com/apps/reveille-of-acme",
      made_at: EARLIER,
      has_webhook_secret: true,
    },
    install_url: "https://github.com/apps/reveille-of-acme/installations/new",
    installations: [
      {
        id: 77,
        account: "acme",
        repositories: "selected",
        suspended: false,
        url: "https://github.com/organizations/acme/settings/installations/77",
      },
    ],
    problem: null,
    webhook_url: "https://reveille.example.com/webhooks/github",
    has_other_credential: false,
    replaced: null,
  }),
  example(signInSchema, {
    id: SIGN_IN_ID,
    created_at: EARLIER,
    last_used_at: FINISHED_AT,
    expires_at: LATER,
    user_agent: "Mozilla/5.0",
    ip: "203.0.113.7",
    current: true,
  }),
  example(rebuildInputSchema, {}),
  example(rebuildStepSchema, { routines: 20, runs: 310, forgotten: 0, failed: [], next_cursor: null }),
  example(encryptAnewInputSchema, {}),
  example(encryptAnewStepSchema, {
    routines: 20,
    encrypted_anew: 3,
    unreadable: [],
    is_app_unreadable: false,
    unreadable_secrets: [],
    unreadable_logins: [],
    failed: [],
    next_cursor: null,
  }),
  example(diagnosisInputSchema, { model: true }),
  example(diagnosisSchema, {
    version: "0.1.0",
    at: FINISHED_AT,
    public_url: "https://reveille.example.com",
    is_local: false,
    findings: [{ check: "queue", status: "ok", message: "The queue takes messages.", hint: null }],
  }),
];
