/** Counts what statements read in D1, as the platform does that charges for it. */

/** One execution of a statement. */
interface Execution {
  sql: string;
  rowsRead: number;
}

export interface CountedReads {
  /** Counts every statement that is run through it. */
  database: D1Database;
  executions: readonly Execution[];
  rowsRead(): number;
}

export function countingReads(database: D1Database): CountedReads {
  const executions: Execution[] = [];
  const count = <Result extends { meta: { rows_read?: number } }>(sql: string, result: Result): Result => {
    executions.push({ sql, rowsRead: result.meta.rows_read ?? 0 });
    return result;
  };
  const originals = new WeakMap<D1PreparedStatement, { sql: string; statement: D1PreparedStatement }>();
  const counted = (sql: string, statement: D1PreparedStatement): D1PreparedStatement => {
    const all = async () => count(sql, await statement.all<Record<string, unknown>>());
    const face: object = {
      bind: (...values: unknown[]) => counted(sql, statement.bind(...values)),
      all,
      run: async () => count(sql, await statement.run()),
      first: async () => (await all()).results[0] ?? null,
      // The columns of a statement have names of their own here: as a row of values they are as many.
      raw: async () => (await all()).results.map((row) => Object.values(row)),
    };
    originals.set(face as D1PreparedStatement, { sql, statement });
    return face as D1PreparedStatement;
  };
  const face = new Proxy(database, {
    get: (target, name) => {
      if (name === "prepare") return (sql: string) => counted(sql, target.prepare(sql));
      if (name !== "batch") throw new Error(`${String(name)} is not counted`);
      return async (statements: D1PreparedStatement[]) => {
        const found = statements.map((statement) => originals.get(statement));
        if (found.includes(undefined)) throw new Error("a statement of another database");
        const results = await target.batch(found.map((one) => one?.statement as D1PreparedStatement));
        return results.map((result, place) => count(found[place]?.sql ?? "", result));
      };
    },
  });
  return {
    database: face,
    executions,
    rowsRead: () => executions.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
  };
}
