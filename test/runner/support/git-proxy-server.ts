/** The worker's own git proxy before a real `git http-backend`, with one repository attached to one run. */
import type { PushRule } from "#protocol/routine.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { type Push, type SeenOfRun, startWorkerGit } from "./worker-git.ts";

const RUN_ID = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const CREDENTIAL = "upstream-user:upstream-password-0001";

export interface GitProxyServer {
  /** The address of the repository, as the sandbox has it. */
  url: string;
  token: string;
  rule: PushRule;
  /** Pushes that the upstream has been sent. */
  readonly sent: number;
  /** Emptied by whoever has read them. */
  notices: SeenOfRun["notices"];
  pushed: Push[];
  /** Begins a session of its own: what was made before is another's. */
  newSession(): void;
  close(): Promise<void>;
}

/** @param root the folder of the upstream. @param name of the one repository that is attached. */
export async function startGitProxy(root: string, name: string): Promise<GitProxyServer> {
  const upstream = await startGitServer({ root, credential: CREDENTIAL, port: 0 });
  const worker = await startWorkerGit({
    credential: CREDENTIAL,
    addressOf: (_runId, number) => (number === 0 ? `${upstream.url}/${name}.git` : null),
  });
  const seen = worker.seenOf(RUN_ID);
  let session = 0;
  return {
    url: `${worker.url}/proxy/${RUN_ID}/git/0`,
    token: await worker.tokenOf(RUN_ID),
    get rule() {
      return seen.rule;
    },
    set rule(rule) {
      seen.rule = rule;
    },
    get sent() {
      return worker.sent;
    },
    notices: seen.notices,
    pushed: seen.pushed,
    newSession: () => {
      session += 1;
      seen.session = String(session);
    },
    close: async () => {
      await worker.close();
      await upstream.close();
    },
  };
}
