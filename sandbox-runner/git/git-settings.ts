/** Git's settings inside the sandbox, as pure text: how it reaches the relay, who commits, and the session's trailer. */
import { join } from "node:path";
import type { CommitIdentity } from "#protocol/commit.ts";
import type { ClonedRepository } from "#protocol/repository.ts";
import { ghFront } from "./gh-front.ts";
import { GIT_FRONT } from "./git-front.ts";
import { gitHooks } from "./git-hooks.ts";
import { LFS_GUARD, LFS_GUARD_SCRIPT, lfsSettings } from "./lfs.ts";
import { SIGN_SCRIPT, signScript } from "./sign-script.ts";

export interface GitSettings {
  /** Goes into a file that the sandbox can only read, and is git's system-wide configuration there. */
  config: string;
  /** File name → script; goes into a folder that the sandbox can only read. */
  hooks: Record<string, string>;
  /** The same, for a folder in which commands are looked up first. */
  tools: Record<string, string>;
}

export interface GitSettingsInput {
  /** The folder for all of it. */
  folder: string;
  /** Whether commands in the sandbox have Git LFS. */
  hasLfs: boolean;
  /** Whether the instance serves gh what it asks. */
  hasGh?: boolean;
  relayUrl: string;
  runId: string;
  repositories: readonly ClonedRepository[];
  proxyToken: string;
  sessionUrl: string;
  commit: CommitIdentity;
}

/** The sandbox may see the workspace's files as another user's. */
const TRUST = "[safe]\n\tdirectory = *\n";
const PUSH_WITH_LENGTH_BYTES = 67_108_864;

export function gitSettings(input: GitSettingsInput): GitSettings {
  const sections = [
    `[user]\n\tname = ${quote(input.commit.name)}\n\temail = ${quote(input.commit.email)}\n`,
    ...(input.commit.signing_key === null ? [] : [signing(input.commit.signing_key, hooksFolder(input.folder))]),
    TRUST,
    `[credential]\n\thelper = ""\n`,
    `[advice]\n\tdetachedHead = false\n`,
    // Up to this size a push is sent with its length, which not every server does without.
    `[http]\n\tpostBuffer = ${PUSH_WITH_LENGTH_BYTES}\n`,
    // What is fetched stays in packs, and what is made here lies loose: so the run's own commits are known at its end.
    `[fetch]\n\tunpackLimit = 1\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n`,
    // The first branch of a repository whose upstream does not say which it is to be.
    `[init]\n\tdefaultBranch = main\n`,
    `[http ${quote(`${input.relayUrl}/`)}]\n\textraHeader = ${quote(`Authorization: Bearer ${input.proxyToken}`)}\n`,
    lfsSettings(hooksFolder(input.folder), input.hasLfs),
    ...throughRelay(input),
  ];
  const guard = input.hasLfs ? {} : { [LFS_GUARD]: LFS_GUARD_SCRIPT };
  const signer = input.commit.signing_key === null ? {} : { [SIGN_SCRIPT]: signScript(input) };
  return {
    config: sections.join(""),
    hooks: { ...gitHooks(input.sessionUrl, input.hasLfs), ...guard, ...signer },
    tools: { git: GIT_FRONT, ...(input.hasGh ? { gh: ghFront(input) } : {}) },
  };
}

/** What git needs where an agent's program is started before there is a run: it asks for the repository's address. No credential. */
export function settingsOfCopy(input: Pick<GitSettingsInput, "relayUrl" | "runId" | "repositories">): string {
  return TRUST + throughRelay(input).join("");
}

function throughRelay(input: Pick<GitSettingsInput, "relayUrl" | "runId" | "repositories">): string[] {
  return input.repositories.map((repository, number) => {
    const lines = addressesOf(repository.url).map((address) => `\tinsteadOf = ${quote(address)}\n`);
    return `[url ${quote(proxyAddress(input, number))}]\n${lines.join("")}`;
  });
}

/** Every commit is signed by the program beside the hooks, which asks the worker. */
function signing(key: string, folder: string): string {
  const program = join(folder, SIGN_SCRIPT);
  return `\tsigningKey = ${quote(`key::${key}`)}\n[gpg]\n\tformat = ssh\n[gpg "ssh"]\n\tprogram = ${quote(program)}\n[commit]\n\tgpgSign = true\n`;
}

/** The address under which the relay has a repository. */
export function proxyAddress(input: Pick<GitSettingsInput, "relayUrl" | "runId">, number: number): string {
  return `${input.relayUrl}/proxy/${input.runId}/git/${number}`;
}

function hooksFolder(folder: string): string {
  return join(folder, "hooks");
}

/** The environment that makes git in the sandbox use the settings. */
export function gitEnvironment(gitFolder: string): Record<string, string> {
  return {
    GIT_CONFIG_SYSTEM: join(gitFolder, "config"),
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    // From the environment, so that a repository's own core.hooksPath does not take the trailer away. Tools that install hooks
    // don't see it: git-front.ts.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.hooksPath",
    GIT_CONFIG_VALUE_0: hooksFolder(gitFolder),
  };
}

/** A repository's address without what makes no difference: two of the same plain address are one repository. */
export function plainAddress(url: string): string {
  return url.replace(/\/+$/, "").replace(/\.git$/, "");
}

/** A repository goes by its address with and without `.git`. */
function addressesOf(url: string): string[] {
  const plain = plainAddress(url);
  return [...new Set([url, plain, `${plain}.git`])];
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replace(/[\r\n]/g, " ")}"`;
}
