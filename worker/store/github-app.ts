/** What GitHub can tell of: repositories that an App was given, and those whose own webhooks have told something, in D1. */
import type { AskedRepository, Reach } from "#rules/routine/present-routine.ts";
import type { InstallationChange } from "../inbound/sources/github/installation.ts";
import type { RepositoryNews } from "../inbound/sources/github/repository-news.ts";

export interface SeenRepository {
  id: number;
  full_name: string;
  private: boolean;
  installation_id: number;
  account: string;
}

export interface GithubApp {
  /** Notes what has changed of an installation; what a newer event has told already stays. */
  note(change: InstallationChange, nowMs: number): Promise<void>;
  /** Notes that something has come from repositories, and through what. */
  noteNews(news: readonly RepositoryNews[], nowMs: number): Promise<void>;
  /** By name. */
  list(limit: number, after: string | null): Promise<SeenRepository[]>;
  /** For each, whether events can come; null for one that none can. Null for all where neither an App nor a deletion is known. */
  reachable(asked: readonly AskedRepository[]): Promise<(Reach | null)[] | null>;
}

/** What was on its way when an installation or a repository ended proves nothing. */
const STRAGGLER_MS = 10 * 60_000;
/** That a repository's webhook tells is noted this often at most. */
const HOOK_NOTED_MS = 3_600_000;

export function githubApp(binding: D1Database): GithubApp {
  return {
    note: async (change, nowMs) => {
      const { installation_id: id, account, added, removed, deleted, suspended, events, told_at } = change;
      const rows = added.map((one) => [one.id, one.full_name.toLowerCase(), one.is_private ? 1 : 0]);
      const leftIds = JSON.stringify(removed.map((one) => one.id));
      const told = told_at ?? nowMs;
      const isSuspended = suspended === null ? null : Number(suspended);
      await binding.batch([
        binding
          .prepare(NOTE_INSTALLATION)
          .bind(id, account, isSuspended, Number(deleted), events && JSON.stringify(events), told_at, nowMs),
        binding.prepare(LEAVE).bind(leftIds, told, id),
        binding.prepare(REMOVE).bind(leftIds, id),
        binding.prepare(ADD).bind(id, account, JSON.stringify(rows), told),
        binding.prepare(REMOVE_ALL),
      ]);
    },
    noteNews: async (news, nowMs) => {
      const list = JSON.stringify(news);
      await binding.batch([
        binding.prepare(END_REPOSITORIES).bind(list, nowMs),
        binding.prepare(REMOVE_GONE).bind(list),
        binding.prepare(REVIVE).bind(list, nowMs - STRAGGLER_MS),
        binding.prepare(GIVE).bind(list, nowMs - STRAGGLER_MS),
        binding.prepare(HEAR).bind(list, nowMs, nowMs - HOOK_NOTED_MS),
        binding.prepare(RESUME).bind(list, nowMs - STRAGGLER_MS),
        binding.prepare(ADD_EVENTS).bind(list),
      ]);
    },
    list: async (limit, after) => {
      const { results } = await binding
        .prepare(LIST)
        .bind(after ?? "", limit)
        .all<GivenRow>();
      return results.map(({ is_private, ...row }) => ({ ...row, private: is_private === 1 }));
    },
    reachable: async (asked) => {
      const { results } = await binding.prepare(REACHABLE).bind(JSON.stringify(asked)).all<ReachRow>();
      if (!results.some(({ is_app_known, is_gone }) => is_app_known === 1 || is_gone === 1)) return null;
      return results.map((row) => {
        const isAll = row.is_heard === 1 || row.is_app_known === 0;
        if (row.is_gone === 1 || !(isAll || row.is_given === 1)) return null;
        return { events: isAll || row.events === null ? null : new Set<string>(JSON.parse(row.events)) };
      });
    },
  };
}

interface GivenRow extends Omit<SeenRepository, "private"> {
  is_private: number;
}

interface ReachRow {
  is_app_known: number;
  is_given: number;
  is_heard: number;
  is_gone: number;
  events: string | null;
}

/** What is older than what is known changes nothing; an installation that has ended comes back only by something newer. */
const NOTE_INSTALLATION = `INSERT INTO github_installations
    (id, account, is_suspended, is_deleted, events, told_at, noted_at)
  VALUES (?1, ?2, coalesce(?3, 0), ?4, ?5, ?6, ?7)
  ON CONFLICT (id) DO UPDATE SET account = excluded.account, is_suspended = coalesce(?3, is_suspended),
    is_deleted = excluded.is_deleted, events = coalesce(excluded.events, events),
    told_at = coalesce(excluded.told_at, told_at), noted_at = excluded.noted_at
  WHERE told_at IS NULL OR excluded.told_at IS NULL OR excluded.told_at > told_at
    OR (excluded.told_at = told_at AND (is_deleted = 0 OR excluded.is_deleted = 1))`;
const LEAVE = `INSERT INTO github_seen (id, left_at) SELECT value, ?2 FROM json_each(?1)
  WHERE NOT EXISTS (SELECT 1 FROM github_repositories WHERE id = value AND installation_id <> ?3)
  ON CONFLICT (id) DO UPDATE SET left_at = max(coalesce(left_at, 0), excluded.left_at)`;
/** One that has passed to another installation meanwhile stays with that. */
const REMOVE = "DELETE FROM github_repositories WHERE id IN (SELECT value FROM json_each(?1)) AND installation_id = ?2";
const KEEP_GIVEN = `ON CONFLICT (id) DO UPDATE SET full_name = excluded.full_name, is_private = excluded.is_private,
    installation_id = excluded.installation_id, account = excluded.account`;
const ADD = `INSERT INTO github_repositories (id, full_name, is_private, installation_id, account)
  SELECT value ->> 0, value ->> 1, value ->> 2, ?1, ?2 FROM json_each(?3)
  WHERE NOT EXISTS (SELECT 1 FROM github_seen WHERE id = value ->> 0 AND left_at > ?4) ${KEEP_GIVEN}`;
const REMOVE_ALL = `DELETE FROM github_repositories
  WHERE installation_id IN (SELECT id FROM github_installations WHERE is_deleted = 1)`;

const NEWS = `SELECT value ->> 'id' AS id, value ->> 'name' AS name, value ->> 'is_private' AS is_private,
    value ->> 'installation_id' AS installation_id, value ->> 'account' AS account, value ->> 'event' AS event,
    value ->> 'is_gone' AS is_gone, value ->> 'is_unhooked' AS is_unhooked, value ->> 'is_transferred' AS is_transferred
  FROM json_each(?1)`;
const END_REPOSITORIES = `INSERT INTO github_seen (id, gone_at, hook_at)
  SELECT id, CASE WHEN is_gone THEN ?2 END, NULL FROM (${NEWS}) WHERE is_gone OR is_unhooked
  ON CONFLICT (id) DO UPDATE SET gone_at = coalesce(excluded.gone_at, gone_at), hook_at = NULL`;
const REMOVE_GONE = `DELETE FROM github_repositories WHERE id IN (SELECT id FROM (${NEWS}) WHERE is_gone)`;
/**
 * What comes through an App is what the App sees, whatever it was given before. `left_at` is by the payload's clock, which
 * may tell of a day long ago: what was on its way is known by when the installation was last heard of, too.
 */
const GIVE = `INSERT INTO github_repositories (id, full_name, is_private, installation_id, account)
  SELECT id, name, is_private, installation_id, account FROM (${NEWS}) AS news
  WHERE installation_id IS NOT NULL AND NOT is_gone
    AND NOT EXISTS (SELECT 1 FROM github_installations AS one WHERE one.id = news.installation_id AND is_deleted = 1)
    AND NOT EXISTS (
      SELECT 1 FROM github_seen AS seen LEFT JOIN github_installations AS one ON one.id = news.installation_id
      WHERE seen.id = news.id AND (gone_at > ?2 OR
        (NOT is_transferred AND (left_at > ?2 OR (left_at IS NOT NULL AND one.noted_at > ?2))))
    )
  ${KEEP_GIVEN} WHERE full_name <> excluded.full_name OR is_private <> excluded.is_private
    OR installation_id <> excluded.installation_id OR account <> excluded.account`;
const REVIVE = `UPDATE github_seen SET gone_at = NULL
  WHERE gone_at <= ?2 AND id IN (SELECT id FROM (${NEWS}) WHERE NOT is_gone)`;
const HEAR = `INSERT INTO github_seen (id, hook_at)
  SELECT id, ?2 FROM (${NEWS}) WHERE installation_id IS NULL AND NOT is_gone AND NOT is_unhooked
  ON CONFLICT (id) DO UPDATE SET hook_at = excluded.hook_at WHERE coalesce(hook_at, 0) <= ?3`;
const RESUME = `UPDATE github_installations SET is_suspended = 0
  WHERE is_suspended = 1 AND noted_at <= ?2 AND id IN (SELECT installation_id FROM (${NEWS}))`;
/** An event that is none of those that were told comes too. */
const ADD_EVENTS = `UPDATE github_installations SET events = json_insert(events, '$[#]', news.event)
  FROM (${NEWS}) AS news
  WHERE events IS NOT NULL AND news.installation_id = github_installations.id
    AND news.event NOT IN (SELECT value FROM json_each(events))`;

const LIST = `SELECT id, full_name, is_private, installation_id, account FROM github_repositories
  WHERE full_name > ?1 AND installation_id NOT IN (SELECT id FROM github_installations WHERE is_suspended = 1)
  ORDER BY full_name LIMIT ?2`;
const APP_KNOWN = `(EXISTS (SELECT 1 FROM github_installations) OR EXISTS (SELECT 1 FROM github_repositories))`;
/** By number where it is known; else the repository that has the name. */
const REACHABLE = `SELECT ${APP_KNOWN} AS is_app_known,
    given.id IS NOT NULL AND coalesce(one.is_suspended, 0) = 0 AS is_given,
    seen.hook_at IS NOT NULL AS is_heard, seen.gone_at IS NOT NULL AS is_gone, one.events
  FROM (
    SELECT key AS place, coalesce(
      value ->> 'id',
      (SELECT repository_id FROM repository_names WHERE full_name = value ->> 'name' AND repository_id <> 0),
      (SELECT id FROM github_repositories WHERE full_name = value ->> 'name')
    ) AS id FROM json_each(?1)
  ) AS asked
  LEFT JOIN github_repositories AS given ON given.id = asked.id
  LEFT JOIN github_installations AS one ON one.id = given.installation_id
  LEFT JOIN github_seen AS seen ON seen.id = asked.id
  ORDER BY asked.place`;
