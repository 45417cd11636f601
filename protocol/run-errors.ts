/** Why runs fail, as rows of one table. `docs/errors.md` has a heading per row; a test holds the two together. */
import { z } from "zod";

/** In characters: an error is read by people. */
const MESSAGE_LIMIT = 4_000;

/** Where in a run's life something went wrong. */
export const runPhaseSchema = z
  .enum(["admission", "provisioning", "clone", "setup", "agent", "finish"])
  .meta({ id: "RunPhase" });
export type RunPhase = z.infer<typeof runPhaseSchema>;

interface RunErrorRow {
  message: string;
  hint: string;
  /** True when the machinery is at fault, so that the run may be tried again if no model call was made. */
  machinery: boolean;
}

/** Why a run failed or timed out: code → what a person reads. */
const RUN_ERRORS = {
  no_runner: {
    message: "No runner was free in time.",
    hint: "Check that a runner of the pool is on, has room, and is no older than this instance: one from before environments takes no run whose environment sets variables, a setup script or hosts. GET /api/v1/pools/{name} tells why runs wait; locally, npm start runs a runner.",
    machinery: false,
  },
  runner_lost: {
    message: "The runner stopped answering, and its lease has ended.",
    hint: "Look at the runner's log. The run was not repeated if the model had been called.",
    machinery: true,
  },
  runner_failed: {
    message: "The runner's work on this run ended without a result.",
    hint: "Look at the runner's log and at the last run.step of the transcript.",
    machinery: true,
  },
  runner_without_tools: {
    message: "The routine has a tool policy, which this runner is too old to keep.",
    hint: "Update the runner to this instance's version, or take tools out of the routine.",
    machinery: false,
  },
  container_start_failed: {
    message: "The run's container did not start.",
    hint: "Check that the image of the runner is there and starts. Locally, npm start builds it, and the container engine has its log; deployed, the dashboard shows the containers of the worker.",
    machinery: true,
  },
  container_image_missing: {
    message: "The image of the runner is not there.",
    hint: "Locally, start npm start again: it builds the image. Deployed, deploy again: that builds and pushes it.",
    machinery: false,
  },
  containers_unavailable: {
    message: "No container could be asked for: whatever runs them does not answer.",
    hint: "Locally, check that the container engine at DOCKER_HOST is on. Deployed, look at the status page of Cloudflare; then retry.",
    machinery: true,
  },
  secret_missing: {
    message: "A variable of the run names a secret that is not there.",
    hint: "Set it with PUT /api/v1/secrets/{name}, or correct the variable; where it comes from another store, see that the store has it.",
    machinery: false,
  },
  secret_out_of_scope: {
    message: "A variable of the run names a secret that this routine or environment may not use.",
    hint: "Add it to the secret's scope, or take the secret out of the variable.",
    machinery: false,
  },
  secret_value_unreadable: {
    message: "A secret that a variable of the run names can't be read.",
    hint: "Set it anew with PUT /api/v1/secrets/{name}. Where the key of encryption was changed, set the one before as SIGNING_KEY_PREVIOUS.",
    machinery: false,
  },
  secret_source_refused: {
    message: "The store that has a secret of the run does not let this instance read it.",
    hint: "Check the instance's credentials for that store, and what they may read.",
    machinery: false,
  },
  secret_source_unreachable: {
    message: "The store that has a secret of the run gave no answer of use.",
    hint: "Check that it is up and that its address is right; the run is tried again as its retry says.",
    machinery: true,
  },
  conversation_unavailable: {
    message:
      "What the session's earlier runs have said could not be brought to the runner, so the agent was not started.",
    hint: "Nothing of it is lost by this. Look at the bucket's state; the run is tried again as the routine's retry says, and a new message starts another.",
    machinery: true,
  },
  sandbox_unavailable: {
    message: "The runner has no working sandbox, and does not run a real model without one.",
    hint: "Install bubblewrap, socat and ripgrep (Debian: apt-get install bubblewrap socat ripgrep), or set REVEILLE_SANDBOX=none to accept the risk.",
    machinery: false,
  },
  agent_privileged: {
    message: "In its container the agent would have had rights that it must not have.",
    hint: "Use the image of this version, unchanged, and let its container start as root with the engine's usual capabilities (CHOWN, KILL, SETUID, SETGID, SETPCAP among them).",
    machinery: false,
  },
  environment_unknown: {
    message: "The environment that the routine names is not there.",
    hint: "Name another one in the routine: GET /api/v1/environments lists them. Or make one of this name.",
    machinery: false,
  },
  environment_archived: {
    message: "The environment that the routine names has been archived.",
    hint: "Bring it back by PATCH /api/v1/environments/{id} with status active, or name another one in the routine.",
    machinery: false,
  },
  environment_unreadable: {
    message: "The run's environment could not be read.",
    hint: "Look at the worker's log: row_unreadable says that its row in D1 has to be set right, owed_call_failed that D1 did not answer. Then retry.",
    machinery: false,
  },
  variables_too_long: {
    message: "The variables of the environment and the routine are too long together.",
    hint: "Shorten them to 256 KiB of names and values, with the values of secrets in them; put long texts into the repository or the setup script.",
    machinery: false,
  },
  clone_failed: {
    message: "A repository could not be cloned.",
    hint: "Check its address, the branch, and that GIT_CREDENTIALS has access to it.",
    machinery: false,
  },
  repository_unavailable: {
    message: "A repository could not be had for now.",
    hint: "Its server did not answer, broke off, or takes no more requests for a while: retry later, or raise the routine's retry.",
    machinery: true,
  },
  clone_timed_out: {
    message: "A clone did not go on.",
    hint: "Check that the upstream answers; give a large repository paths, or a smaller depth.",
    machinery: true,
  },
  checkout_failed: {
    message: "The commit that the run is about could not be checked out.",
    hint: "The branch or pull request may have been rewritten or deleted since; the event that follows has the new commit.",
    machinery: false,
  },
  setup_failed: {
    message: "The environment's setup script failed.",
    hint: "Read its output in the transcript, then change the environment's setup script, its network or its variables.",
    machinery: false,
  },
  setup_timed_out: {
    message: "The environment's setup script did not end in time, and was stopped.",
    hint: "Have it do less, or let it end: what it starts in the background does not go on. Its output is in the transcript.",
    machinery: false,
  },
  agent_start_timed_out: {
    message: "The agent did not start in time.",
    hint: "Look at the runner's log; a machine under heavy load can cause this.",
    machinery: true,
  },
  hook_timed_out: {
    message: "Hooks of the repository did not end, and had to be cut off.",
    hint: "Let the hook end by itself or give it a timeout; a hook may take a third of limits.timeout, and ten minutes at most.",
    machinery: false,
  },
  stopped_by_hook: {
    message: "A hook of the repository stopped the agent.",
    hint: "Read the hook's words in the transcript; then change the hook, or the task.",
    machinery: false,
  },
  agent_failed: {
    message: "The agent ended with an error.",
    hint: "Read the end of the transcript for the error that the agent met.",
    machinery: false,
  },
  turns_exhausted: {
    message: "The agent used all the turns that the routine allows.",
    hint: "Raise limits.turns, or make the task smaller.",
    machinery: false,
  },
  model_unavailable: {
    message: "The model did not answer.",
    hint: "Check that the model's service is up, and that ANTHROPIC_BASE_URL leads to it; then retry.",
    machinery: false,
  },
  model_key_refused: {
    message: "The model's API refused this instance's key.",
    hint: "Set ANTHROPIC_API_KEY to a valid key whose account may use the routine's model; then retry.",
    machinery: false,
  },
  model_limit_reached: {
    message: "The model's API refused the call, because a limit of its account is reached.",
    hint: "Wait until the limit passes, or raise it at the model's provider: the message says which it is.",
    machinery: false,
  },
  model_request_refused: {
    message: "The model's API, or the proxy before it, refused the agent's request.",
    hint: "Read the reason in the message; check the routine's model and the instance's DEFAULT_MODEL.",
    machinery: false,
  },
  model_refusal: {
    message: "The model refused the task: its answer ended with the stop reason refusal.",
    hint: "Read the end of the transcript, then change the prompt or choose another model; the instance's settings are not at fault.",
    machinery: false,
  },
  model_max_tokens: {
    message: "The model's answers were cut at their greatest length, again and again: stop reason max_tokens.",
    hint: "Have the agent write less at once, for instance a long file in parts, or choose a model that answers at greater length.",
    machinery: false,
  },
  model_context_full: {
    message: "The conversation no longer fits into the model's context window.",
    hint: "Make the task smaller, or choose a model with a wider context window.",
    machinery: false,
  },
  processes_exceeded: {
    message: "The run had more processes and threads at once than its runner allows.",
    hint: "Have the task start less at a time, or raise REVEILLE_RUN_PROCESSES of the runner.",
    machinery: false,
  },
  memory_exceeded: {
    message: "The run took more memory than its runner allows.",
    hint: "Have the task work on less at a time, or raise REVEILLE_RUN_MEMORY_MIB of the runner.",
    machinery: false,
  },
  disk_exceeded: {
    message: "The run's files took more room than its runner allows.",
    hint: "Have the task remove what it does not need, give a large repository paths or a smaller depth, or raise REVEILLE_RUN_DISK_MIB of the runner.",
    machinery: false,
  },
  timed_out: {
    message: "The run reached the routine's time limit.",
    hint: "Raise limits.timeout, or make the task smaller.",
    machinery: false,
  },
  finish_failed: {
    message: "The run's ending could not be recorded by the runner.",
    hint: "Read the transcript: the agent's own work may be complete.",
    machinery: false,
  },
} as const satisfies Record<string, RunErrorRow>;

export type RunErrorCode = keyof typeof RUN_ERRORS;
export const runErrorCodes = Object.keys(RUN_ERRORS) as RunErrorCode[];

/** The error of a failed or timed-out run. */
export const runErrorSchema = z
  .object({
    code: z.enum(runErrorCodes as [RunErrorCode, ...RunErrorCode[]]),
    message: z.string().max(MESSAGE_LIMIT),
    hint: z.string().max(MESSAGE_LIMIT),
    phase: runPhaseSchema,
  })
  .meta({ id: "RunError" });
export type RunError = z.infer<typeof runErrorSchema>;

/** @param detail one line that tells this case more exactly; appended to the row's message. */
export function runError(code: RunErrorCode, phase: RunPhase, detail?: string): RunError {
  const { message, hint } = RUN_ERRORS[code];
  const told = detail === undefined ? message : `${message} ${detail}`;
  return { code, message: told.slice(0, MESSAGE_LIMIT), hint, phase };
}

/** Whether a run that ended so may be tried again by itself, provided that no model call was made. */
export function isMachineryFailure(code: RunErrorCode): boolean {
  return RUN_ERRORS[code].machinery;
}
