/** Pure: whether a process of a container's agent is another user's without any rights, as the kernel has it. */
import type { Owner } from "./sandbox-owner.ts";

/** Those of a process, and those that a program it starts could have. */
const CAPABILITY_SETS = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

/** @param status of the process, as `/proc/PID/status` has it. @returns what is wrong, in one line, or null. */
export function privilegeFault(status: string, { uid, gid }: Owner): string | null {
  const values = new Map(
    [...status.matchAll(/^(\w+):[ \t]*(.*)$/gm)].map(([, name = "", value = ""]) => [name, value.trim()]),
  );
  const expected: [name: string, value: string][] = [
    ["Uid", fourTimes(uid)],
    ["Gid", fourTimes(gid)],
    ["Groups", ""],
    ["NoNewPrivs", "1"],
    ...CAPABILITY_SETS.map((name): [string, string] => [name, "0".repeat(16)]),
  ];
  const wrong = expected.filter(([name, value]) => values.get(name) !== value);
  if (wrong.length === 0) return null;
  const met = wrong.map(([name, value]) => `${name} is ${values.get(name) || "empty"}, not ${value || "empty"}`);
  return `The agent's processes are not without rights: ${met.join("; ")}.`;
}

/** A process has its own id, the effective one, the saved one, and the one for files. */
function fourTimes(id: number): string {
  return Array(4).fill(id).join("\t");
}
