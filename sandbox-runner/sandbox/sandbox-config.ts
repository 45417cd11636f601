/** What the sandbox shuts in, and the scripts by which commands enter it. */
import { existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { SandboxRuntimeConfig } from "@anthropic-ai/sandbox-runtime";
import type { RunFolder } from "../process/run-folder.ts";
import type { Command, Place } from "../process/spawn.ts";

/** What programs in the sandbox start themselves is asked without a proxy; Node's own asks one where it is told to. */
const BESIDE_PROXY = {
  NO_PROXY: "localhost,127.0.0.1,::1",
  no_proxy: "localhost,127.0.0.1,::1",
  NODE_USE_ENV_PROXY: "1",
};

/** By which programs learn that the relay is their proxy, where no manager of a sandbox tells them. */
export function proxyVariables(relayPort: number): Record<string, string> {
  const url = `http://127.0.0.1:${relayPort}`;
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  return { ...Object.fromEntries(names.map((name) => [name, url])), ...BESIDE_PROXY };
}

/** Where commands are looked up inside the sandbox; the runner's own Node comes last. */
export const SANDBOX_TOOLS = `/usr/local/bin:/usr/bin:/bin:${dirname(realpathSync(process.execPath))}`;

/** Programs, libraries and the settings that they need. No home, no /var, no /run, nothing of another run. */
const READABLE = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib64",
  "/etc/alternatives",
  "/etc/bash.bashrc",
  "/etc/ca-certificates",
  "/etc/group",
  "/etc/hosts",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/mime.types",
  "/etc/nsswitch.conf",
  "/etc/passwd",
  "/etc/pki",
  "/etc/profile",
  "/etc/resolv.conf",
  "/etc/ssl",
];

/** Nothing can be read but a list, nothing written but the run's own folders, nothing reached but by the relay. */
export function sandboxConfig(folder: RunFolder, relayPort: number): SandboxRuntimeConfig {
  const writable = [folder.workspace, folder.home, folder.temporary];
  return {
    network: {
      // The relay is the one proxy, and judges what is asked of it: these lists are for a proxy of the manager's own.
      httpProxyPort: relayPort,
      socksProxyPort: relayPort,
      allowedDomains: [],
      deniedDomains: [],
      strictAllowlist: true,
    },
    filesystem: {
      denyRead: ["/"],
      allowRead: [
        ...READABLE.filter((path) => existsSync(path)),
        ...agentPrograms(),
        dirname(realpathSync(process.execPath)),
        folder.launch,
        folder.git,
        folder.sockets,
        ...writable,
      ],
      allowWrite: writable,
      denyWrite: [],
    },
  };
}

/** The folders of the agent's program and of the sandbox's helpers, by their real names. */
function agentPrograms(): string[] {
  const packages = ["@anthropic-ai/claude-agent-sdk", "@anthropic-ai/sandbox-runtime"];
  return [...new Set(packages.map((name) => scopeFolder(realpathSync(fileURLToPath(import.meta.resolve(name))))))];
}

/** `…/node_modules/@anthropic-ai` of a file in a package of that scope: the SDK's program is a package beside it. */
function scopeFolder(file: string): string {
  const end = file.lastIndexOf("/@anthropic-ai/");
  return file.slice(0, end + "/@anthropic-ai".length);
}

/**
 * Runs inside, for every command: the first line of its input names the command's script, what follows is the command's
 * own. The manager's list of what is asked without the proxy has private networks in it, which a sandbox does not have.
 */
export function launcherScript(processes: number): string {
  // The shells call it by different names. Here, inside, the kernel counts this sandbox's processes alone; those of user 0 it
  // does not count. Where the runner itself may have fewer, it stays at that, and no command has to hear of it.
  const limit = `{ ulimit -u ${processes} || ulimit -p ${processes}; } 2>/dev/null`;
  return `#!/bin/sh\n${limit}\nIFS= read -r launch || exit 0\nexport ${Object.entries(BESIDE_PROXY)
    .map((pair) => pair.join("="))
    .join(" ")}\n. "$launch"\n`;
}

/** One command with its environment, for the launcher to read. */
export function launchScript(command: Command, { cwd, env }: Place): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return `${variables.join("")}cd ${quote(cwd)} || exit 97\nexec ${command.map(quote).join(" ")}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
