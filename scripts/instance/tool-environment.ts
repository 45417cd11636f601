/** The environment of the programs that a local instance starts: what a program needs on this machine, and no secrets. */

/** Marks every process of an instance. */
export const INSTANCE_VARIABLE = "REVEILLE_INSTANCE";

const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "SHELL",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  INSTANCE_VARIABLE,
];

export function toolEnvironment(): Record<string, string> {
  const known = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(known), WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", NO_COLOR: "1" };
}
