/**
 * The secrets of runs: whether all that an attempt's variables name can be read, which is asked before anything is started for
 * it; and the variables with their values, for its runner alone.
 */
import { logTrouble } from "#protocol/log.ts";
import type { RunErrorCode } from "#protocol/run-errors.ts";
import { fillSecrets, secretsIn, type Variables } from "#rules/secrets/placeholders.ts";
import { isInScope, type SecretUser } from "#rules/secrets/scope.ts";
import type { FoundSecret, SecretRows, UnreadableSecret, UsingAttempt } from "./secret-rows.ts";
import type { SourceAnswer, SourceFault } from "./secret-source.ts";

/** Why an attempt can't be given its secrets. */
export interface SecretsFault {
  code: Extract<RunErrorCode, `secret_${string}`>;
  /** A sentence for each secret, by name. */
  detail: string;
}

export type FilledVariables =
  | { ok: true; variables: Record<string, string>; secret_values: string[] }
  | { ok: false; fault: SecretsFault };

export type FilledText = { ok: true; text: string } | { ok: false; fault: SecretsFault };

interface Parts {
  rows: Pick<SecretRows, "find" | "noteUse" | "touch">;
  /** Makes what reads the values of one attempt, wherever they are kept: nothing that it has read is kept beyond. */
  reader(): (secret: FoundSecret) => Promise<SourceAnswer>;
  now(): number;
}

type Values = { ok: true; values: Map<string, string> } | { ok: false; fault: SecretsFault };

const CODE_OF: Record<SourceFault, SecretsFault["code"]> = {
  missing: "secret_missing",
  refused: "secret_source_refused",
  unreachable: "secret_source_unreachable",
  unreadable: "secret_value_unreadable",
};
/** What is told where several secrets have faults: the first of these. What may pass comes last. */
const ORDER: readonly SecretsFault["code"][] = [
  "secret_missing",
  "secret_out_of_scope",
  "secret_value_unreadable",
  "secret_source_refused",
  "secret_source_unreachable",
];

const DATABASE_AWAY =
  "The secrets could not be looked up, or that the run uses them not be noted: the database gave no answer.";

const ROW_UNREADABLE = "its row in the database can't be read. Delete it, and set it anew.";

export class SecretsOfRuns {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Whether every secret that the variables name can be read now: each is read, and forgotten.
   * @returns null when it can. @throws where the database gives no answer: nothing can be said of them for now.
   */
  async check(variables: Variables, user: SecretUser): Promise<SecretsFault | null> {
    const read = await this.#read([...secretsIn(variables).keys()], user);
    return read.ok ? null : read.fault;
  }

  /**
   * The variables of an attempt with the values in them. That it gets them is noted before: where that can't be, it gets none.
   * Asked again it reads again, and is noted once. The values are for the runner's order, and are stored and logged nowhere.
   */
  async fill(variables: Variables, use: UsingAttempt): Promise<FilledVariables> {
    const users = secretsIn(variables);
    try {
      const read = await this.#read([...users.keys()], use);
      if (!read.ok) return read;
      if (users.size > 0) await this.#parts.rows.noteUse(users, use, this.#parts.now());
      const secret_values = [...new Set(read.values.values())];
      return { ok: true, variables: fillSecrets(variables, read.values), secret_values };
    } catch (error) {
      logTrouble("secrets_not_asked", {}, error);
      return { ok: false, fault: { code: "secret_source_unreachable", detail: DATABASE_AWAY } };
    }
  }

  /**
   * A text that no run gets, such as an address that is written to, with the values in it. That they were used is noted before.
   */
  async fillText(text: string, user: SecretUser): Promise<FilledText> {
    const filled = await this.fillTexts({ text }, user);
    return filled.ok ? { ok: true, text: filled.variables["text"] ?? text } : filled;
  }

  /** The same for several. */
  async fillTexts(texts: Variables, user: SecretUser): Promise<FilledVariables> {
    const names = [...secretsIn(texts).keys()];
    if (names.length === 0) return { ok: true, variables: { ...texts }, secret_values: [] };
    try {
      const read = await this.#read(names, user);
      if (!read.ok) return read;
      await this.#parts.rows.touch(names, this.#parts.now());
      return {
        ok: true,
        variables: fillSecrets(texts, read.values),
        secret_values: [...new Set(read.values.values())],
      };
    } catch (error) {
      logTrouble("secrets_not_asked", {}, error);
      return { ok: false, fault: { code: "secret_source_unreachable", detail: DATABASE_AWAY } };
    }
  }

  async #read(names: readonly string[], user: SecretUser): Promise<Values> {
    if (names.length === 0) return { ok: true, values: new Map() };
    const found = await this.#parts.rows.find(names);
    const values = new Map<string, string>();
    const read = this.#parts.reader();
    const faults: (SecretsFault & { name: string })[] = [];
    await Promise.all(
      names.map(async (name) => {
        const answer = await answered(read, found.get(name), user);
        if ("value" in answer) values.set(name, answer.value);
        else faults.push({ name, ...answer });
      }),
    );
    const code = ORDER.find((one) => faults.some((fault) => fault.code === one));
    return code === undefined ? { ok: true, values } : { ok: false, fault: { code, detail: told(faults, code) } };
  }
}

async function answered(
  read: (secret: FoundSecret) => Promise<SourceAnswer>,
  secret: FoundSecret | UnreadableSecret | undefined,
  user: SecretUser,
): Promise<{ value: string } | SecretsFault> {
  if (secret === undefined) return { code: "secret_missing", detail: "there is none of this name." };
  if ("isUnreadable" in secret) return { code: "secret_value_unreadable", detail: ROW_UNREADABLE };
  if (!isInScope(secret.scope, user)) {
    return {
      code: "secret_out_of_scope",
      detail: "its scope leaves this use out: the routine, the environment or the connector.",
    };
  }
  const answer = await read(secret);
  return answer.ok ? { value: answer.value } : { code: CODE_OF[answer.fault], detail: answer.detail };
}

function told(faults: readonly (SecretsFault & { name: string })[], code: SecretsFault["code"]): string {
  const of = faults.filter((fault) => fault.code === code).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return of.map(({ name, detail }) => `${name}: ${detail}`).join(" ");
}
