import { globSync, readFileSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { VARIABLE_CANARIES } from "./test/support/secret-kinds.ts";

// Wrangler looks for the required secrets elsewhere than below, and would warn of them in each run.
process.env.WRANGLER_LOG ??= "error";

/** For a run as on a later day: how far ahead of the real clock the tests' own is, in days. */
const aheadMs = Number(process.env.TEST_DAYS_AHEAD ?? 0) * 86_400_000;

/** Names a moment. What goes by the present day alone, or by none, is run on another day whenever it is run. */
const OF_DAYS = /\b20\d\d-\d\d-\d\d|\bDate\.UTC\(|\b1_[678]\d\d_\d{3}_\d{3}\b/;
/** In Node there is the zone as well: what sets or reads the clock may notice that one. Workerd is always in UTC. */
const OF_DAYS_OR_ZONES = /\b20\d\d-\d\d|\bDate\b|clock/;

/** Versions that are named by a day, of protocols and interfaces: the same on every other day. */
const VERSIONS = /(?:version|protocol|anthropic-beta|compatibilityDate)"?(?:: ?|\()"[\w-]+"/gi;

/** The files of tests; of a run as on a later day and in another zone those alone that may notice. */
function filesOf(mayNotice: RegExp, ...patterns: string[]): string[] {
  if (aheadMs === 0) return patterns;
  return globSync(patterns).filter((file) => mayNotice.test(readFileSync(file, "utf8").replace(VERSIONS, "")));
}

/** Empty where there is none, so that a developer's own .dev.vars changes nothing. */
function given(variables: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value ?? ""]));
}

/** Workerd: the whole worker with its objects and a real D1. */
const workerd = cloudflareTest(async () => ({
  wrangler: { configPath: "./wrangler.toml" },
  miniflare: {
    // In place of the built web app, so that the tests need no build.
    assets: { directory: "test/worker/fixtures/web-app" },
    bindings: {
      // With those before: as while secrets are being changed.
      ...given(VARIABLE_CANARIES),
      SECRETS_VAULT_URL: "https://vault.test",
      LOCAL_INSTANCE: "1",
      EMAIL_FROM: "reveille@mail.test",
      // Empty, so that a developer's own .dev.vars changes nothing here.
      COMMIT_NAME: "",
      COMMIT_EMAIL: "",
      ANTHROPIC_BASE_URL: "http://model.test",
      DEFAULT_MODEL: "",
      ALLOWED_MODELS: "claude-also-allowed, claude-and-this",
      MODEL_REQUEST_FIELDS: "x_gateway, x_other",
      PUBLIC_URL: "",
      JURISDICTION: "",
      FIRE_RATE_PER_MINUTE: "",
      FIRE_BURST: "",
      INSTANCE_RATE_PER_MINUTE: "",
      DEMO_MODEL_URL: "http://model.test",
      TEST_CLOCK_AHEAD_MS: aheadMs,
      TEST_MIGRATIONS: await readD1Migrations("./migrations/d1"),
    },
    outboundService: (request: { method: string; url: string }) => {
      throw new Error(`unforeseen outbound request: ${request.method} ${request.url}`);
    },
  },
}));

/** What the worker and its tests import from packages. */
const BUNDLED = [
  "@hono/zod-openapi",
  "@modelcontextprotocol/client",
  "@modelcontextprotocol/server",
  "@octokit/auth-app",
  "@octokit/request",
  "@octokit/request-error",
  "@octokit/webhooks-methods",
  "croner",
  "drizzle-orm",
  "drizzle-orm/d1",
  "drizzle-orm/durable-sqlite",
  "drizzle-orm/durable-sqlite/migrator",
  "drizzle-orm/sqlite-core",
  "fast-check",
  "hono",
  "hono/cookie",
  "hono/route",
  "jose",
  "re2js",
  "zod",
];

export default defineConfig({
  test: {
    silent: "passed-only",
    // Half of the time a test waits for a process or a socket: more workers than cores use it.
    maxWorkers: 3,
    projects: [
      {
        plugins: [workerd],
        test: {
          name: "workerd",
          // Wide tables and long stories take long, and the gate runs this project once more as on a later day: there they are with it.
          include: [
            ...filesOf(OF_DAYS, "test/{objects,journeys,worker}/**/*.test.ts"),
            ...(aheadMs > 0 ? ["test/journeys/*.wide.ts"] : []),
          ],
          setupFiles: ["./test/support/patient-waits.ts", "./test/support/workerd-setup.ts"],
          // For what hangs, not for what is slow: the machine may be loaded, and the look for secrets wakes objects that then catch up.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // A worker for many files: each finds the storage empty (test/support/workerd-setup.ts).
          isolate: false,
          // Bundled once, and not transformed anew for each of the files, which all start a worker of their own.
          deps: { optimizer: { ssr: { enabled: true, include: BUNDLED } } },
        },
      },
      {
        test: {
          name: "node",
          environment: "node",
          include: filesOf(OF_DAYS_OR_ZONES, "test/{rules,cli,scripts,web}/**/*.test.ts", "test/*.test.ts"),
          setupFiles: ["./test/support/patient-waits.ts", "./test/support/node-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // A process for many files: starting one, and loading in it what nearly all files import, takes longer than most files do.
          isolate: false,
          // What a file has put in place of something is gone for the next.
          restoreMocks: true,
          unstubGlobals: true,
          unstubEnvs: true,
        },
      },
      {
        test: {
          name: "runner",
          environment: "node",
          include: ["test/runner/**/*.test.ts"],
          setupFiles: ["./test/support/patient-waits.ts"],
          testTimeout: 60_000,
          // Some start a worker and a runner first.
          hookTimeout: 60_000,
          // Real sandboxes on a loaded machine: now and then, rarely, one does not get through in time.
          retry: 1,
        },
      },
    ],
  },
});
