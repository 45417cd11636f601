/** The templates, in the order in which they are offered. */
import { alertTriage } from "./alert-triage.ts";
import { backlog } from "./backlog.ts";
import { dependencyUpdates } from "./dependency-updates.ts";
import { deployVerifier } from "./deploy-verifier.ts";
import { docsSync } from "./docs-sync.ts";
import { flakyTests } from "./flaky-tests.ts";
import { issueTriage } from "./issue-triage.ts";
import { onCall } from "./on-call.ts";
import { prReview } from "./pr-review.ts";
import { releaseNotes } from "./release-notes.ts";
import { securityAdvisories } from "./security-advisories.ts";
import type { Template } from "./template.ts";
import { weeklyReport } from "./weekly-report.ts";

export const TEMPLATES: readonly Template[] = [
  docsSync,
  prReview,
  issueTriage,
  backlog,
  deployVerifier,
  alertTriage,
  dependencyUpdates,
  releaseNotes,
  flakyTests,
  onCall,
  securityAdvisories,
  weeklyReport,
];
