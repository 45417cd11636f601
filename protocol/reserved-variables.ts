/**
 * Names that an environment's variables can't have: the runner sets these itself, or programs of its own would follow them,
 * outside of the sandbox too. One list, for the API and for the runner. Pure.
 */

/** Each with what begins with it. */
const FAMILIES = [
  // Git, by which a run reaches its repositories; the agent's program, and the way to the model; the runner itself.
  ...["GIT_", "ANTHROPIC_", "CLAUDE_", "CLAUDECODE", "REVEILLE_"],
  // What the system's linker and its library follow in every program.
  ...["LD_", "DYLD_", "MALLOC_", "RESOLV_", "GLIBC_"],
  // Settings of Bun, which the agent's program is built with: they load code into it, or have it wait for a debugger.
  ...["BUN_INSPECT", "BUN_JSC_", "BUN_OPTIONS", "BUN_CONFIG_VERBOSE_FETCH"],
  // Functions that a shell would take over, settings of the program between the sandbox and the runner.
  ...["BASH_", "SOCAT_"],
] as const;

const NAMES = new Set([
  ...["LANG", "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "SHLVL", "TMPDIR", "TMP", "TEMP"],
  // What a shell does before and after each command.
  ...["ENV", "IFS", "PS4", "SHELLOPTS", "BASHOPTS", "PROMPT_COMMAND", "CDPATH", "GLOBIGNORE", "EXECIGNORE"],
  // What has a meaning of its own in a shell, which takes no other value, or ends where it is given one.
  ...["_", "UID", "EUID", "PPID", "GROUPS", "OPTIND", "LINENO", "FUNCNAME", "FUNCNEST", "DIRSTACK", "HISTCMD"],
  ...["RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "EPOCHREALTIME", "PIPESTATUS", "BASHPID"],
  ...["POSIXLY_CORRECT"],
  // What every program of Node's follows.
  ...["NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_USE_ENV_PROXY"],
  ...["NODE_V8_COVERAGE", "NODE_REPL_EXTERNAL_MODULE", "NODE_CHANNEL_FD", "UV_THREADPOOL_SIZE"],
  // The way out of the sandbox.
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  // What the system's library follows.
  ...["HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR", "TZDIR"],
  ...["OPENSSL_CONF", "OPENSSL_MODULES", "SSLKEYLOGFILE"],
  // How the agent's program asks the model, and keeps up to date.
  ...["API_TIMEOUT_MS", "DISABLE_AUTOUPDATER", "IS_SANDBOX"],
]);

/** Whether the name belongs to the runner, in any case: programs read `https_proxy` as they read `HTTPS_PROXY`. */
export function isReservedVariable(name: string): boolean {
  const upper = name.toUpperCase();
  return NAMES.has(upper) || FAMILIES.some((family) => upper.startsWith(family));
}
