#!/usr/bin/env node
/**
 * `reveille`: finds the Node that the program needs. Plain JavaScript without dependencies, because it runs on whatever Node
 * the machine has.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = 24;
const PASSED_ON = ["SIGTERM", "SIGINT", "SIGHUP"];

if (majorOf(process.versions.node) >= NEEDED) {
  const { main } = await import("#cli/main.ts");
  process.exit(await main(process.argv.slice(2)));
}
const node = packagedNode();
if (node === null) {
  console.error(
    `reveille needs Node ${NEEDED} or newer, and this is ${process.version}: install it (https://nodejs.org), or the npm package "node@${NEEDED}" beside this one.`,
  );
  process.exitCode = 1;
} else runWith(node);

/** The program of the package "node", which npm installs beside this one; null where it is not there, or too old. */
function packagedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    const program = path.join(path.dirname(manifest), "bin", "node");
    const { version } = JSON.parse(readFileSync(manifest, "utf8"));
    return majorOf(version) >= NEEDED && existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

/** Runs this same file on another Node, in place of this process as far as anybody can tell. */
function runWith(program) {
  // Arguments may hold a token, and lists of processes show them to everybody.
  process.title = "reveille";
  const child = spawn(program, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      // Ctrl-C in a terminal goes to both by itself: passed on as well, it would count twice.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.once("error", (error) => {
    console.error(`reveille: ${program} can't be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.once("exit", (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
  });
}

function majorOf(version) {
  return Number(version.split(".")[0]);
}
