/** Which commits on a repository's branches are a session's own, which its runs may rewrite. */
import type { Tx } from "../work.ts";

/** How many branches of a session are known, and commits of each, the latest ones: what is not known may not be rewritten. */
const BRANCHES_KEPT = 1_000;
const COMMITS_KEPT = 500;
/** How many pushes to a branch are remembered by their ids, so that one that is told again, within a day, counts once. */
const PUSHES_KEPT = 100;

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
  /**
   * How many commits it has brought that the upstream had not, and that no other branch of the same push counts; absent
   * where an earlier version noted the push.
   */
  commits?: number;
  /** Commits of the push that are known to descend from what was there before. */
  own?: string[];
  /** The branch was found standing there, and the upstream has not told who has put it there. */
  isFound?: boolean;
}

/** A push, by which it is known when it is told again. */
export interface PushKey {
  id: string;
  /** When it left. Unix milliseconds. */
  begunAtMs: number;
}

/** @property place the whole address of the repository. */
export type PushedBranch = { place: string; branch: string };

export class SessionBranches {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** @param place the address of the repository. @returns those of the branches to which the session has pushed. */
  own(sessionId: string, place: string, branches: readonly string[]): OwnBranch[] {
    if (branches.length === 0) return [];
    return this.#rows(sessionId, place, branches).map(({ branch, base, tip, own }) => {
      return { branch, base, tip, own: JSON.parse(own) as string[] };
    });
  }

  /** Branches to which the session has pushed, the latest first. */
  latest(sessionId: string): PushedBranch[] {
    return this.#sql.exec<PushedBranch>(LATEST, sessionId).toArray();
  }

  /**
   * Keeps what the upstream has taken, once for each push. What somebody else has put on a branch since the session's last
   * push is theirs, with all that lies below; so is what was only found there: an agent can claim another's branch by a push
   * that it breaks off. A push that is told after a later one to the same branch says nothing of where that stands.
   * @returns what had not been told before, and of that what the branches stand at now.
   */
  keep(
    tx: Tx,
    sessionId: string,
    place: string,
    pushes: readonly Push[],
    { id, begunAtMs }: PushKey,
  ): { fresh: Push[]; latest: Push[] } {
    const fresh: Push[] = [];
    const latest: Push[] = [];
    for (const push of pushes) {
      const { branch, commit, previous, own = [], isFound = false } = push;
      const [known] = this.#rows(sessionId, place, [branch]);
      const told: string[] = known === undefined ? [] : JSON.parse(known.pushes);
      if (told.includes(id)) continue;
      const ids = JSON.stringify([...told, id].slice(-PUSHES_KEPT));
      const isOlder = known !== undefined && known.at > begunAtMs;
      // It had broken off: what put the branch there is a push that has been told.
      const isKnown = isFound && known?.tip === commit;
      if (!isKnown) fresh.push(push);
      if (!isKnown && !isOlder) latest.push(push);
      if (isKnown || isOlder) {
        tx.sql.exec(NOTE, ids, sessionId, place, branch);
        continue;
      }
      const goesOn = !isFound && known?.tip === previous;
      const base = goesOn ? known.base : isFound ? commit : previous;
      const before: string[] = goesOn ? JSON.parse(known.own) : [];
      const commits = JSON.stringify([...new Set([...before, ...own])].slice(-COMMITS_KEPT));
      tx.sql.exec(KEEP, sessionId, place, branch, base, commit, commits, begunAtMs, ids);
    }
    tx.sql.exec(FORGET_OLDEST, sessionId, BRANCHES_KEPT);
    return { fresh, latest };
  }

  #rows(sessionId: string, place: string, branches: readonly string[]): BranchRow[] {
    return this.#sql.exec<BranchRow>(OWN, sessionId, place, JSON.stringify(branches)).toArray();
  }
}

interface BranchRow extends Record<string, SqlStorageValue> {
  branch: string;
  base: string | null;
  tip: string;
  own: string;
  at: number;
  pushes: string;
}

const OWN = `SELECT branch, base, tip, own, at, pushes FROM session_branches
  WHERE session_id = ?1 AND place = ?2 AND branch IN (SELECT value FROM json_each(?3))`;
const LATEST = "SELECT place, branch FROM session_branches WHERE session_id = ? ORDER BY at DESC";
const KEEP = `INSERT OR REPLACE INTO session_branches (session_id, place, branch, base, tip, own, at, pushes)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`;
const NOTE = "UPDATE session_branches SET pushes = ?1 WHERE session_id = ?2 AND place = ?3 AND branch = ?4";
const FORGET_OLDEST = `DELETE FROM session_branches WHERE session_id = ?1 AND (place, branch) IN (
  SELECT place, branch FROM session_branches WHERE session_id = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)`;
