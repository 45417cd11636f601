/**
 * What may be asked of a routine's object twice. An error that the platform calls passing does not tell whether the object
 * has done what it was asked: it may have been reset between its last write and its answer. What was never begun, the
 * platform itself asks again.
 */
import type { RoutineStub } from "../bindings.ts";

/**
 * `again`: done twice, it is done once. `told`: the object is told that it is asked again, as the last value, and then finds
 * what it has done by the call's own id. `once`: it is not asked again; whoever asked is told that it may have taken effect.
 */
type Repetition = "again" | "told" | "once";

export const ROUTINE_CALLS: Record<keyof RoutineStub, Repetition> = {
  // Upgrades: whoever dials gets the second socket, and the first is nobody's.
  fetch: "again",
  fire: "told",
  runNow: "told",
  retryRun: "told",
  read: "again",
  revisions: "again",
  occurrences: "again",
  decidedOf: "again",
  runs: "again",
  activeRuns: "again",
  sessions: "again",
  readRun: "again",
  readRunByToken: "again",
  readSession: "again",
  sessionRuns: "again",
  changeSession: "again",
  removeSession: "again",
  events: "again",
  judge: "again",
  compareWatch: "again",
  // Done twice it leaves the same.
  resetWatch: "again",
  endpoint: "again",
  handedOver: "again",
  checkToken: "again",
  modelFor: "again",
  gitRepository: "again",
  githubRun: "again",
  connectorFor: "again",
  hasSaidHello: "again",
  sandboxFor: "again",
  setupPlace: "again",
  conversationParts: "again",
  workspaceToRestore: "again",
  workspaceToKeep: "again",
  hasUseFor: "again",
  pause: "again",
  resume: "again",
  remove: "again",
  cancelRun: "again",
  // By the message's own id.
  say: "again",
  interrupt: "again",
  fireDeadLetter: "again",
  giveVerdict: "again",
  reviewFor: "again",
  giveReview: "again",
  // By the id, which is drawn for each new routine.
  create: "again",
  // By the branch, and by the pull request's address.
  beginPullRequest: "again",
  endPullRequest: "again",
  pullRequests: "again",
  redeliver: "again",
  readDiff: "again",
  keepDiff: "again",
  artifacts: "again",
  artifact: "again",
  // By the file's id, which its runner has drawn.
  beginArtifact: "again",
  endArtifact: "again",
  notes: "again",
  readNote: "again",
  noteRevisions: "again",
  notesForRun: "again",
  readNoteForRun: "again",
  // The same text makes no second revision.
  writeNote: "again",
  writeNoteForRun: "again",
  removeNote: "again",
  removeNoteForRun: "again",
  clearSecrets: "again",
  revokeToken: "again",
  revokeAccess: "again",
  // The one before was told to nobody, and is revoked.
  issueToken: "again",
  issueTicket: "again",
  // By the events' own ids, by what is known already, by the slots that are claimed, and by versions.
  takeEvents: "again",
  learnRepositories: "again",
  lookAtSchedules: "again",
  writeIndexAgain: "again",
  encryptAnew: "again",
  recordPushes: "again",
  // What is done is noted once; asked again to begin, it says that the deed is under way.
  beginDeed: "once",
  endDeed: "again",
  leaseEnded: "again",
  // By the version of what it is told.
  takeBudgets: "again",
  // By the call's number, and by what of it has been counted.
  noteModelUsage: "again",
  endModelCall: "again",
  // By the attempt's number.
  noteContainer: "again",
  // Counted twice it is one less of thousands.
  beginSignature: "again",
  // Each makes a revision, a secret or a count of its own.
  change: "once",
  setSecret: "once",
  confirmSecret: "once",
  handOver: "once",
  tellRun: "once",
  // Asked again, it would be told that somebody has answered.
  answerRun: "once",
  answerFromSlack: "once",
  answerFromChat: "once",
  // Counted twice it would be wrong; not counted, it is a few seconds' less.
  noteHosts: "once",
  noteConnectorCalls: "once",
  beginModelCall: "once",
};

/**
 * Calls whose id nobody can have made up: it comes out of a token that the instance has signed, or of a row of its own. Any
 * other call is made only where a routine owns the id.
 */
export const VOUCHED_CALLS: ReadonlySet<keyof RoutineStub> = new Set([
  "fetch",
  "create",
  "decidedOf",
  "activeRuns",
  "modelFor",
  "beginModelCall",
  "noteModelUsage",
  "endModelCall",
  "gitRepository",
  "recordPushes",
  "githubRun",
  "beginDeed",
  "endDeed",
  "connectorFor",
  "noteConnectorCalls",
  "beginSignature",
  "tellRun",
  "noteHosts",
  "noteContainer",
  "hasSaidHello",
  "sandboxFor",
  "setupPlace",
  "conversationParts",
  "workspaceToRestore",
  "workspaceToKeep",
  "hasUseFor",
  "keepDiff",
  "beginArtifact",
  "endArtifact",
  "notesForRun",
  "readNoteForRun",
  "writeNoteForRun",
  "removeNoteForRun",
  "reviewFor",
  "giveReview",
  "answerFromSlack",
  "answerFromChat",
  "takeEvents",
  "learnRepositories",
  "lookAtSchedules",
  "writeIndexAgain",
  "encryptAnew",
  "leaseEnded",
  "takeBudgets",
  "revokeAccess",
]);

/** In milliseconds. The object itself waits up to 15 seconds for D1 to take a change in. */
const DEADLINE_MS = 20_000;
/** What a webhook waits for: its source waits a few seconds only. */
const ENDPOINT_DEADLINE_MS = 5_000;
/** Without it, what the index has is told. */
const FRESHER_DEADLINE_MS = 1_000;
/** It fires what has come due, a part at a time. */
const LOOK_DEADLINE_MS = 30_000;

export function routineDeadlineMs(method: string): number {
  if (method === "endpoint") return ENDPOINT_DEADLINE_MS;
  if (method === "activeRuns" || method === "decidedOf") return FRESHER_DEADLINE_MS;
  return method === "lookAtSchedules" ? LOOK_DEADLINE_MS : DEADLINE_MS;
}
