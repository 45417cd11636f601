/** The program that serves the worker, from its beginning: what it serves it may be told later. */
import path from "node:path";
import { type Program, startProgram } from "#scripts/child-process.ts";
import { compiledFolder } from "./compiled.ts";
import { toolEnvironment } from "./tool-environment.ts";

export interface HostProgram extends Program {
  /** Gives it its order, as a line of JSON. @param onLine takes what it says. */
  serve: (order: string, onLine: (line: string) => void) => void;
}

/** Begins it in the project's folder: its own programs load until it gets its order. It does nothing before. */
export function beginHost(root: string): HostProgram {
  const early: string[] = [];
  let take = (line: string): void => {
    early.push(line);
  };
  const program = startProgram(process.execPath, [path.join(import.meta.dirname, "worker-host.ts")], {
    cwd: root,
    env: { ...toolEnvironment(), NODE_COMPILE_CACHE: compiledFolder(root) },
    onLine: (line) => take(line),
  });
  return {
    ...program,
    serve: (order, onLine) => {
      take = onLine;
      for (const line of early) onLine(line);
      program.tell(order);
    },
  };
}
