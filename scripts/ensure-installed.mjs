/**
 * Makes sure that a fresh clone can run: Node and git are there, and node_modules has what package-lock.json says.
 *
 * `node scripts/ensure-installed.mjs to-run` installs what `npm start`, `npm run demo` and `npm run deploy` run with, the
 * `dependencies` of package.json; without that word, also what only tests, checks and the bench use, its `devDependencies`.
 * What is added to packages that are as the lock file says leaves those alone: an instance may be running on them.
 *
 * Plain JavaScript without dependencies, because it runs on the machine's own Node before anything is installed. The
 * commands after it run on the Node that is installed here, since npm puts node_modules/.bin first on the path.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const OLDEST_NODE = 20;
const INSTALL_DEADLINE_MS = 15 * 60_000;
const TO_RUN = "to-run";

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  const complaint = ensureInstalled(root, process.argv[2] !== TO_RUN);
  if (complaint !== null) {
    console.error(complaint);
    process.exitCode = 1;
  }
}

/**
 * @param {string} root the folder of package.json.
 * @param {boolean} isForAll whether tests, checks and the bench are to work too.
 * @returns {string | null} what is missing and what to do, in one line; null when all is well.
 */
function ensureInstalled(root, isForAll) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) {
    return `Reveille needs Node ${OLDEST_NODE} or newer, and this is ${process.version}: install a newer one from https://nodejs.org.`;
  }
  if (spawnSync("git", ["--version"], { stdio: "ignore" }).status !== 0) {
    return "Reveille needs git, and it is not on the path: install it (https://git-scm.com/downloads) and try again.";
  }
  const lock = readJson(path.join(root, "package-lock.json"));
  const installed = readJson(path.join(root, "node_modules", ".package-lock.json"));
  if (isInstalled(root, lock, installed, isForAll)) return null;
  const size = isForAll ? "with what tests and checks use, 1.3 GB" : "1.1 GB";
  console.log(`Installing what is missing (${size}); this takes about a minute.`);
  const failure = install(root, lock, installed, isForAll);
  if (failure !== null) return `Installing failed: ${failure} Check the network and free disk space, and try again.`;
  if (!hasOwnNode(root)) {
    return 'The package "node" is not complete: check that "npm config get ignore-scripts" says false, remove node_modules and try again.';
  }
  return null;
}

/**
 * Whether every package of the lock file that is wanted is there in its version.
 * @param installed npm's own list, which it writes last, when all else is done.
 */
function isInstalled(root, lock, installed, isForAll) {
  if (lock === null || installed === null || !lockFits(root, lock) || !hasOwnNode(root)) return false;
  return Object.entries(lock.packages ?? {}).every(([place, wanted]) => {
    if (wanted.dev === true && !isForAll) return true;
    const found = installed.packages?.[place];
    // Optional packages are those of other systems.
    if (place === "" || (found === undefined && wanted.optional === true)) return true;
    return found !== undefined && found.version === wanted.version;
  });
}

/** Whether package.json and package-lock.json ask for the same; otherwise `npm ci` would refuse. */
function lockFits(root, lock) {
  const manifest = readJson(path.join(root, "package.json"));
  const locked = lock?.packages?.[""];
  if (manifest === null || locked === undefined) return false;
  return ["dependencies", "devDependencies", "optionalDependencies"].every((key) => {
    const [wanted, known] = [manifest[key] ?? {}, locked[key] ?? {}];
    const names = new Set([...Object.keys(wanted), ...Object.keys(known)]);
    return [...names].every((name) => wanted[name] === known[name]);
  });
}

function hasOwnNode(root) {
  return existsSync(path.join(root, "node_modules", ".bin", "node"));
}

/**
 * `npm ci` where package.json and the lock file agree. It also wants to find every other system's optional packages in
 * the lock file, which a registry that serves this system alone never puts there; `npm install` does without. That is
 * also what adds the rest to what runs: `npm ci` begins by removing everything.
 * @returns {string | null} what went wrong, or null.
 */
function install(root, lock, installed, isForAll) {
  const hadAll = Object.values(installed?.packages ?? {}).some(({ dev }) => dev === true);
  const set = isForAll || hadAll ? "--include=dev" : "--omit=dev";
  if (!lockFits(root, lock)) return runNpm(root, ["install", set]);
  if (isInstalled(root, lock, installed, false)) return runNpm(root, ["install", "--no-save", set]);
  const failure = runNpm(root, ["ci", set]);
  return failure?.includes("in sync") ? runNpm(root, ["install", "--no-save", set]) : failure;
}

/** @returns {string | null} npm's own complaint, or null when it went well. */
function runNpm(root, command) {
  // The programs of this system are optional packages.
  const options = ["--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  // The npm that runs this script, on the Node that it runs on: node_modules/.bin/node is about to be replaced.
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  const [program, ...before] = npm === undefined ? ["npm"] : [node ?? process.execPath, npm];
  const run = spawnSync(program, [...before, ...command, ...options], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: INSTALL_DEADLINE_MS,
  });
  if (run.error !== undefined) return `${run.error.message}.`;
  if (run.status === 0) return null;
  const lines = run.stderr.split("\n").map((line) => line.replace(/^npm (?:error|ERR!) ?/, "").trim());
  const telling = lines.find((line) => line !== "" && !/^(?:code|errno|syscall|path) /.test(line));
  return `${telling ?? `exit code ${run.status ?? run.signal}`}.`.replace(/\.+$/, ".");
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}
