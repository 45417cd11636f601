/** The environment in which the scripts run git: nobody's own configuration, no prompts, no hooks of the machine. */

/** @param settings git configuration for this call, as with `git -c`. */
export function gitEnvironment(settings: Record<string, string> = {}): Record<string, string> {
  const all = Object.entries({ "safe.directory": "*", ...settings });
  const configuration = all.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(configuration),
  };
}
