/** `reveille runner`: serves a pool of an instance from this machine. */
import type { AddCommand } from "../command.ts";
import { JSON_OPTION, URL_OPTION } from "../command.ts";
import type { RunnerOptions } from "./runner-variables.ts";

export const addRunner: AddCommand = (program, { terminal, environment, end }) => {
  program
    .command("runner")
    .description("serve a pool of an instance from this machine, until SIGTERM or Ctrl-C")
    .option(...URL_OPTION)
    .option("--token-file <file>", "the file that holds the pool's token (RUNNER_TOKEN_FILE)")
    .option("--token <token>", "the token itself; better RUNNER_TOKEN or a file, which no list of processes shows")
    .option("--capacity <runs>", "how many runs at once (REVEILLE_CAPACITY); by default the number of cores")
    .option("--engine <engine>", "in what runs work: sandbox, podman or docker (REVEILLE_ENGINE); by default sandbox")
    .option("--image <image>", "the runner's image, for podman and docker (REVEILLE_IMAGE)")
    .option("--state <folder>", "where its id and its runs' folders are (REVEILLE_STATE)")
    .option("--id <name>", "its name in the pool (REVEILLE_RUNNER_ID); by default one that is made once and kept")
    .option(
      "--drain-timeout <time>",
      "how long runs may go on when it is told to end, such as 90s, 15m, 0 (default: 1h)",
    )
    .option(...JSON_OPTION)
    .action(async (options: RunnerOptions) => {
      // Seen in lists of processes in place of the arguments, which may hold the token.
      process.title = "reveille runner";
      const { servePool } = await import("./serve-pool.ts");
      end(await servePool(options, environment, terminal));
    });
};
