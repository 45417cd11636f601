/** What can be seen of agents that are prepared: in the log of their runner, among processes, and in what they ask their model. */
import type { Bed } from "./bed.ts";
import type { FakeRun } from "./fake-run.ts";
import { processesWith } from "./processes.ts";

/** Lines of the runner's log, of one kind. */
export function logged(bed: Bed, what: string): { executor: string; is_taken?: boolean; has_copy?: boolean }[] {
  const lines = bed.runner.output().split("\n");
  return lines.filter((line) => line.includes(`"what":"${what}"`)).map((line) => JSON.parse(line));
}

/** Whether the runs that found an agent waiting have taken it, in their order. */
export const taken = (bed: Bed) => logged(bed, "agent_waited").map(({ is_taken }) => is_taken);

/** A run's calls to its model, without what differs between any two runs. */
export function callsOf(bed: Bed, { order }: FakeRun) {
  const same = (text: string) =>
    text
      .replace(/executor-[0-9a-f]{18}/g, "executor")
      .replace(/claude-\d{5}/g, "claude-user")
      .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "uuid")
      // Of the beginning of the task.
      .replace(/cc_version=[0-9.]+\.[0-9a-f]{3};/g, "cc_version")
      .replace(/run_[0-9A-Z]{26}/g, "run")
      .replace(/toolu_[0-9a-f]+/g, "toolu")
      .replace(/[0-9a-f]{64}/g, "device");
  return (bed.instance.modelCalls.get(order.run_id) ?? []).map(({ headers: all, body }) => {
    const { authorization: _token, "content-length": _length, host: _host, ...headers } = all;
    return { headers, body: JSON.parse(same(body)) };
  });
}

/** The agent's programs of an executor, as this machine numbers them. */
export function agentsOf(name: string): number[] {
  const lines = processesWith(name).filter((line) => /^\d+ \S*\/claude --output-format/.test(line));
  return lines.map((line) => Number(line.split(" ")[0]));
}
