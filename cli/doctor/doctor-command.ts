/** `reveille doctor`: what is wrong with an instance, and what to do about it. */
import { setTimeout as pause } from "node:timers/promises";
import type { Finding } from "#protocol/diagnosis.ts";
import { type AddCommand, JSON_OPTION, URL_OPTION } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { ownVersion } from "../version.ts";
import { examine } from "./examine.ts";
import { type InstanceOptions, instanceOf } from "./instance.ts";
import { probe } from "./probe.ts";

interface DoctorOptions extends InstanceOptions {
  model?: true;
  probe?: true;
  json?: true;
}

export const addDoctor: AddCommand = (program, { terminal, environment, end }) => {
  program
    .command("doctor")
    .description("find out what is wrong with an instance: the local one of this folder, or that at --url")
    .option(...URL_OPTION)
    .option("--token-file <file>", "the file that holds the owner's token (OWNER_TOKEN)")
    .option("--model", "also ask the model's API whether it takes the key, which costs nothing")
    .option("--probe", "also have an agent try the walls of its sandbox: one short run, with the model's price")
    .option(...JSON_OPTION)
    .action(async (options: DoctorOptions) => {
      const found = await instanceOf(options, environment, process.cwd());
      if (!found.ok) {
        terminal.say(found.fault);
        end(EXIT.wrongUse);
        return;
      }
      const { url, token } = found.instance;
      if (options.probe === true && token === null) {
        terminal.say("--probe makes a routine and runs it: set OWNER_TOKEN, or give --token-file.");
        end(EXIT.wrongUse);
        return;
      }
      const world = { ask: (to: string, init: RequestInit) => fetch(to, init), now: Date.now };
      const findings = await examine({
        url,
        token,
        asksModel: options.model === true,
        version: ownVersion(),
        ...world,
      });
      if (options.probe === true && token !== null) findings.push(...(await probe({ url, token, pause, ...world })));
      const linesOf = options.json === true ? (finding: Finding) => [JSON.stringify(finding)] : linesFor;
      for (const line of findings.flatMap(linesOf)) terminal.out(line);
      const faults = findings.filter(({ status }) => status === "fault").length;
      if (options.json !== true) terminal.out(verdict(findings.length, faults));
      end(faults === 0 ? EXIT.done : EXIT.failed);
    });
};

const MARKS: Record<Finding["status"], string> = { ok: "ok", warning: "note", fault: "FAULT", unknown: "?" };

function linesFor({ check, status, message, hint }: Finding): string[] {
  const line = `${MARKS[status].padEnd(6)}${check.padEnd(20)} ${message}`;
  return hint === null ? [line] : [line, `${" ".repeat(27)}→ ${hint}`];
}

function verdict(checks: number, faults: number): string {
  if (faults === 0) return `${checks} things were looked at, and nothing is wrong.`;
  return `${checks} things were looked at: ${faults} ${faults === 1 ? "is" : "are"} wrong.`;
}
