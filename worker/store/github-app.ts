/** Repositories that the GitHub App was given, in D1. */
import { gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { InstallationChange } from "../listeners/github/installation.ts";
import { githubRepositories } from "./schema.ts";

export interface SeenRepository {
  id: number;
  full_name: string;
  private: boolean;
  installation_id: number;
  account: string;
}

export interface GithubApp {
  note(change: InstallationChange): Promise<void>;
  /** By name. */
  list(limit: number, after: string | null): Promise<SeenRepository[]>;
  /** Which of these names the App sees; null where no App has been installed, and nothing is known. @param names in lower case. */
  seen(names: readonly string[]): Promise<ReadonlySet<string> | null>;
}

export function githubApp(binding: D1Database): GithubApp {
  return {
    note: async ({ installation_id, account, added, removed, deleted }) => {
      const rows = added.map((one) => [one.id, one.full_name.toLowerCase(), one.is_private ? 1 : 0]);
      await binding.batch([
        deleted
          ? binding.prepare("DELETE FROM github_repositories WHERE installation_id = ?").bind(installation_id)
          : binding.prepare(REMOVE).bind(JSON.stringify(removed.map(({ id }) => id)), installation_id),
        binding.prepare(ADD).bind(installation_id, account, JSON.stringify(rows)),
      ]);
    },
    list: async (limit, after) => {
      const rows = await drizzle(binding)
        .select()
        .from(githubRepositories)
        .where(gt(githubRepositories.fullName, after ?? ""))
        .orderBy(githubRepositories.fullName)
        .limit(limit);
      return rows.map(({ id, fullName, isPrivate, installationId, account }) => {
        return { id, full_name: fullName, private: isPrivate, installation_id: installationId, account };
      });
    },
    seen: async (names) => {
      const { results } = await binding.prepare(SEEN).bind(JSON.stringify(names)).all<{ full_name: string | null }>();
      if (results.length === 0) return null;
      return new Set(results.flatMap(({ full_name }) => (full_name === null ? [] : [full_name])));
    },
  };
}

/** One that has passed to another installation meanwhile stays with that. */
const REMOVE = "DELETE FROM github_repositories WHERE id IN (SELECT value FROM json_each(?1)) AND installation_id = ?2";
const ADD = `INSERT INTO github_repositories (id, full_name, is_private, installation_id, account)
  SELECT value ->> 0, value ->> 1, value ->> 2, ?1, ?2 FROM json_each(?3) WHERE true
  ON CONFLICT (id) DO UPDATE SET full_name = excluded.full_name, is_private = excluded.is_private,
    installation_id = excluded.installation_id, account = excluded.account`;
/** A row of its own tells that there is an App at all. */
const SEEN = `SELECT NULL AS full_name WHERE EXISTS (SELECT 1 FROM github_repositories)
  UNION ALL SELECT full_name FROM github_repositories WHERE full_name IN (SELECT value FROM json_each(?))`;
