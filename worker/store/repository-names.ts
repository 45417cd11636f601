/** Which repository has or had which name, in D1. Names are in lower case; times are Unix milliseconds. */

export interface KnownName {
  name: string;
  /** 0 while nobody knows it: the name's owner has another name since, and nothing has come from the repository. */
  id: number;
  /** When something last came from it under this name. */
  seen_at: number;
}

/** A repository under the name that it has. */
export interface NamedRepository {
  id: number;
  name: string;
}

export interface RepositoryNames {
  /** Who had these names before, where it was another repository. */
  othersBefore(named: readonly NamedRepository[]): Promise<KnownName[]>;
  /** Names that repositories had before and nobody else has now, by number. */
  formerNames(named: readonly NamedRepository[]): Promise<Map<number, string[]>>;
  /** Notes names that repositories have; whoever had one before has it no more. */
  note(named: readonly NamedRepository[], nowMs: number): Promise<void>;
  /** Notes names that repositories had until now; one that another has already stays with that. */
  noteFormer(named: readonly NamedRepository[], nowMs: number): Promise<void>;
  /** An account has another name, and with it all its repositories. */
  renameOwner(from: string, to: string, nowMs: number): Promise<void>;
  /** Routines that wait for events of repositories by these names. */
  routinesNaming(names: readonly string[]): Promise<Map<string, string[]>>;
}

export function repositoryNames(binding: D1Database): RepositoryNames {
  return {
    othersBefore: async (named) => {
      const { results } = await binding.prepare(OTHERS).bind(JSON.stringify(named)).all<KnownName>();
      return results;
    },
    formerNames: async (named) => {
      const { results } = await binding.prepare(FORMER).bind(JSON.stringify(named)).all<NamedRepository>();
      return results.reduce((found, { id, name }) => found.set(id, [...(found.get(id) ?? []), name]), new Map());
    },
    note: async (named, nowMs) => {
      const list = JSON.stringify(named);
      await binding.batch([binding.prepare(NOTE).bind(list, nowMs), binding.prepare(FIND_SUCCESSORS).bind(list)]);
    },
    noteFormer: async (named, nowMs) => {
      await binding.prepare(NOTE_FORMER).bind(JSON.stringify(named), nowMs).run();
    },
    renameOwner: async (from, to, nowMs) => {
      await binding.batch([
        binding.prepare(SEE_OWNED).bind(`${from}/`, `${from}0`, nowMs),
        binding.prepare(NAME_OWNED).bind(`${from}/`, `${from}0`, nowMs, to, from.length + 1),
        binding.prepare(NAME_AWAITED).bind(`github:${from}/`, `github:${from}0`, nowMs, to, from.length + 1),
        binding.prepare(RENAME_GIVEN).bind(`${from}/`, `${from}0`, to, from.length + 1),
      ]);
    },
    routinesNaming: async (names) => {
      const found = new Map<string, string[]>();
      if (names.length === 0) return found;
      const asked = binding.prepare(NAMING).bind(JSON.stringify(names));
      for (const { name, routine_id } of (await asked.all<{ name: string; routine_id: string }>()).results) {
        found.set(routine_id, [...(found.get(routine_id) ?? []), name]);
      }
      return found;
    },
  };
}

const GIVEN = "value ->> 'id' AS id, value ->> 'name' AS name FROM json_each(?1)";
const OTHERS = `SELECT known.full_name AS name, known.repository_id AS id, known.seen_at
  FROM (SELECT ${GIVEN}) AS given JOIN repository_names AS known ON known.full_name = given.name
  WHERE known.repository_id <> given.id`;
const FORMER = `SELECT given.id, known.full_name AS name
  FROM (SELECT DISTINCT ${GIVEN}) AS given JOIN repository_names AS known
    ON (known.repository_id = given.id OR known.successor = given.name) AND known.full_name <> given.name`;
const NOTE = `INSERT INTO repository_names (full_name, repository_id, seen_at)
  SELECT name, id, ?2 FROM (SELECT ${GIVEN}) WHERE true
  ON CONFLICT (full_name) DO UPDATE SET repository_id = excluded.repository_id, seen_at = excluded.seen_at,
    successor = NULL`;
const FIND_SUCCESSORS = `UPDATE repository_names SET repository_id = given.id, successor = NULL
  FROM (SELECT ${GIVEN}) AS given WHERE repository_names.successor = given.name`;
const NOTE_FORMER = `INSERT INTO repository_names (full_name, repository_id, seen_at)
  SELECT name, id, ?2 FROM (SELECT ${GIVEN}) WHERE true
  ON CONFLICT (full_name) DO UPDATE SET repository_id = excluded.repository_id, seen_at = excluded.seen_at,
    successor = NULL WHERE repository_names.repository_id IN (0, excluded.repository_id)`;
const SEE_OWNED = "UPDATE repository_names SET seen_at = ?3 WHERE full_name >= ?1 AND full_name < ?2";
const NAME_OWNED = `INSERT INTO repository_names (full_name, repository_id, seen_at)
  SELECT ?4 || substr(full_name, ?5), repository_id, ?3 FROM repository_names
  WHERE full_name >= ?1 AND full_name < ?2 AND repository_id <> 0
  ON CONFLICT (full_name) DO NOTHING`;
/** Names that routines wait for and nothing has come under: known by what follows them until something comes. */
const NAME_AWAITED = `INSERT INTO repository_names (full_name, repository_id, successor, seen_at)
  SELECT DISTINCT name, 0, ?4 || substr(name, ?5), ?3
  FROM (SELECT substr(key, 8, instr(substr(key, 8), ':') - 1) AS name FROM subscriptions WHERE key >= ?1 AND key < ?2)
  WHERE true ON CONFLICT (full_name) DO NOTHING`;
const RENAME_GIVEN = `UPDATE github_repositories SET full_name = ?3 || substr(full_name, ?4), account = ?3
  WHERE full_name >= ?1 AND full_name < ?2`;
/** A colon ends the name in a key, and a semicolon comes next after it. */
const NAMING = `SELECT DISTINCT given.value AS name, routine_id FROM json_each(?) AS given
  JOIN subscriptions AS awaited ON awaited.key >= 'github:' || given.value || ':' AND awaited.key < 'github:' || given.value || ';'`;
