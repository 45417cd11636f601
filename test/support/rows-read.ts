/** Counts what statements read in D1, as the platform does that charges for it. */

/** @param database afterwards counts every statement that is run through it. @returns how many rows they have read. */
export function countingReads(database: D1Database): { database: D1Database; rowsRead: () => number } {
  let rows = 0;
  const count = <Result extends { meta: { rows_read?: number } }>(result: Result): Result => {
    rows += result.meta.rows_read ?? 0;
    return result;
  };
  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  const counted = (statement: D1PreparedStatement): D1PreparedStatement => {
    const face = new Proxy(statement, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => counted(target.bind(...values));
        if (name === "all") return async () => count(await target.all());
        if (name === "run") return async () => count(await target.run());
        throw new Error(`${String(name)} is not counted`);
      },
    });
    originals.set(face, statement);
    return face;
  };
  const face = new Proxy(database, {
    get: (target, name) => {
      if (name === "prepare") return (query: string) => counted(target.prepare(query));
      if (name !== "batch") throw new Error(`${String(name)} is not counted`);
      return async (statements: D1PreparedStatement[]) => {
        const results = await target.batch(statements.map((statement) => originals.get(statement) ?? statement));
        return results.map(count);
      };
    },
  });
  return { database: face, rowsRead: () => rows };
}
