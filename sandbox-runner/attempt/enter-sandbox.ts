/** Waits for the attempt's sandbox, or does without one where that was agreed to. */
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { within } from "../process/within.ts";
import { type Sandbox, withoutSandbox } from "../sandbox/sandbox.ts";
import { privileged } from "./attempt-words.ts";
import type { SandboxSetting } from "./executor-brief.ts";
import type { Workplace } from "./workplace.ts";

export async function enterSandbox(
  order: RunOrder,
  { place, setting, mark }: { place: Workplace; setting: SandboxSetting; mark: string },
  onEvent: (event: RunnerEvent) => void,
): Promise<{ ok: true; value: Sandbox } | { ok: false; error: RunError }> {
  const accepted = setting === "none";
  const late = { ok: false as const, reason: "It was not ready in time." };
  const opened = await within(order.setup_deadline_ms, place.sandbox(), late);
  if (opened.ok) return { ok: true, value: opened.sandbox };
  if (setting === "container") return { ok: false, error: privileged(opened.reason) };
  if (!accepted && !order.demo_model) {
    return { ok: false, error: runError("sandbox_unavailable", "provisioning", opened.reason) };
  }
  const remedy = accepted ? "" : ` ${runError("sandbox_unavailable", "provisioning").hint}`;
  const message = `This run works without a sandbox, on the runner's machine itself. ${opened.reason}${remedy}`;
  onEvent({ type: "notice", level: "warning", code: "no_sandbox", message });
  return { ok: true, value: withoutSandbox(mark) };
}
