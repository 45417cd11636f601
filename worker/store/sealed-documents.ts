/** What the instance keeps encrypted in D1, and the setups of the GitHub App that have begun. */

export interface SealedDocuments {
  /** @returns null when there is none. */
  read(name: string): Promise<string | null>;
  write(name: string, sealed: string, nowMs: number): Promise<void>;
  /** Puts it in the place of what was read before. @returns whether that was still there: a change of somebody else is not undone. */
  replace(name: string, before: string, sealed: string, nowMs: number): Promise<boolean>;
  remove(name: string): Promise<void>;
  /** Also sweeps those that were never ended. @param hash of the state that the browser brings back. */
  beginSetup(hash: string, expiresAtMs: number, nowMs: number): Promise<void>;
  /** @returns whether a setup had begun, and its time is not over: true for one caller at most. */
  endSetup(hash: string, nowMs: number): Promise<boolean>;
}

/** @param once what is used up is told to one caller, so it is asked once. @param repeatable for what may be done twice. */
export function sealedDocuments(once: D1Database, repeatable: D1Database): SealedDocuments {
  return {
    read: async (name) => {
      const found = await repeatable.prepare(READ).bind(name).first<{ sealed: string }>();
      return found?.sealed ?? null;
    },
    write: async (name, sealed, nowMs) => {
      await repeatable.prepare(WRITE).bind(name, sealed, nowMs).run();
    },
    replace: async (name, before, sealed, nowMs) => {
      const replaced = await repeatable.prepare(REPLACE).bind(name, before, sealed, nowMs).all();
      return replaced.results.length > 0;
    },
    remove: async (name) => {
      await repeatable.prepare("DELETE FROM sealed_documents WHERE name = ?1").bind(name).run();
    },
    beginSetup: async (hash, expiresAtMs, nowMs) => {
      await repeatable.batch([
        repeatable.prepare("DELETE FROM setup_states WHERE expires_at <= ?1").bind(nowMs),
        repeatable
          .prepare("INSERT OR IGNORE INTO setup_states (hash, expires_at) VALUES (?1, ?2)")
          .bind(hash, expiresAtMs),
      ]);
    },
    endSetup: async (hash, nowMs) => {
      const ended = await once.prepare(END).bind(hash, nowMs).all();
      return ended.results.length > 0;
    },
  };
}

const READ = "SELECT sealed FROM sealed_documents WHERE name = ?1";
const WRITE = `INSERT INTO sealed_documents (name, sealed, changed_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at`;
/** Also where it is there already: the statement before may have gone through though an error was the answer. */
const REPLACE = `UPDATE sealed_documents SET sealed = ?3, changed_at = ?4
  WHERE name = ?1 AND sealed IN (?2, ?3) RETURNING name`;
const END = "DELETE FROM setup_states WHERE hash = ?1 AND expires_at > ?2 RETURNING hash";
