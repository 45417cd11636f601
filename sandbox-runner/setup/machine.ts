/** What a setup script's result depends on beside its environment: where it was made. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** Raised when archives are made in another way. */
const FORMAT = 1;
/** Which system, and which packages it has. */
const FILES = ["/etc/os-release", "/var/lib/dpkg/status"];
/** Their times change with what is installed without a package, or with packages of other systems. */
const FOLDERS = ["/usr/bin", "/usr/lib", "/usr/local/bin", "/usr/local/lib"];

/** @returns the same 64 hexadecimal digits where the system, its programs, Node and the kind of sandbox are the same. */
export function machineIdentity(kind: Sandbox["kind"], home: string): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([FORMAT, kind, home, process.platform, process.arch, process.version]));
  for (const file of FILES) hash.update(`\0${orNothing(() => readFileSync(file, "latin1"))}`);
  for (const folder of FOLDERS) hash.update(`\0${orNothing(() => String(statSync(folder).mtimeMs))}`);
  return hash.digest("hex");
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
