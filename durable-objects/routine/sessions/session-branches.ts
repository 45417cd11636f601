/** What of a repository's branches is a session's own. */
import type { Tx } from "../work.ts";

/** How many branches of a session are known, and commits of each, the latest ones: what is not known may not be rewritten. */
const BRANCHES_KEPT = 1_000;
const COMMITS_KEPT = 500;

export interface OwnBranch {
  branch: string;
  /** Where the branch stood when the session first pushed to it; null for a branch that the session has made. */
  base: string | null;
  /** Where the session has put it. */
  tip: string;
  /** Commits that the session has put on top of `base`. */
  own: string[];
}

export interface Push {
  branch: string;
  commit: string;
  /** The commit that the branch pointed to before; null for a new branch. */
  previous: string | null;
  /** Commits of the push that are known to descend from what was there before. */
  own?: string[];
  /** The branch was found standing there, and the upstream has not told who has put it there. */
  isFound?: boolean;
}

export class SessionBranches {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** @param place the address of the repository. @returns those of the branches to which the session has pushed. */
  own(sessionId: string, place: string, branches: readonly string[]): OwnBranch[] {
    if (branches.length === 0) return [];
    const rows = this.#sql.exec<BranchRow>(OWN, sessionId, place, JSON.stringify(branches)).toArray();
    return rows.map(({ own, ...row }) => ({ ...row, own: JSON.parse(own) as string[] }));
  }

  /**
   * Keeps what the upstream has taken. What somebody else has put on a branch since the session's last push is theirs, with
   * all that lies below; so is what was only found there: an agent can claim another's branch by a push that it breaks off.
   */
  keep(tx: Tx, sessionId: string, place: string, pushes: readonly Push[]): void {
    for (const { branch, commit, previous, own = [], isFound = false } of pushes) {
      const [known] = this.own(sessionId, place, [branch]);
      if (isFound && known?.tip === commit) continue;
      const goesOn = !isFound && known?.tip === previous;
      const base = goesOn ? known.base : isFound ? commit : previous;
      const commits = [...new Set([...(goesOn ? known.own : []), ...own])].slice(-COMMITS_KEPT);
      tx.sql.exec(KEEP, sessionId, place, branch, base, commit, JSON.stringify(commits), tx.nowMs);
    }
    tx.sql.exec(FORGET_OLDEST, sessionId, BRANCHES_KEPT);
  }
}

interface BranchRow extends Record<string, SqlStorageValue> {
  branch: string;
  base: string | null;
  tip: string;
  own: string;
}

const OWN = `SELECT branch, base, tip, own FROM session_branches
  WHERE session_id = ?1 AND place = ?2 AND branch IN (SELECT value FROM json_each(?3))`;
const KEEP = `INSERT OR REPLACE INTO session_branches (session_id, place, branch, base, tip, own, at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`;
const FORGET_OLDEST = `DELETE FROM session_branches WHERE session_id = ?1 AND (place, branch) IN (
  SELECT place, branch FROM session_branches WHERE session_id = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)`;
