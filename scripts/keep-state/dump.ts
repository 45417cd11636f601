/** The SQLite files of a local instance as SQL text, a statement on each line. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";

const tableSchema = z.object({ name: z.string(), sql: z.string() });
const columnSchema = z.object({ name: z.string() });
const idSchema = z.object({ id: z.string() });
const lineSchema = z.object({ line: z.string() });

/**
 * @param storage where Miniflare keeps everything.
 * @returns name of a file → its SQL: `d1`, `pool`, and the id of the routine of each object.
 */
export function dumpState(storage: string): Map<string, string> {
  const dumps = new Map<string, string>();
  for (const file of databasesIn(path.join(storage, "d1", "miniflare-D1DatabaseObject"))) dumps.set("d1", dump(file));
  for (const file of databasesIn(path.join(storage, "do", "reveille-PoolObject"))) dumps.set("pool", dump(file));
  for (const file of databasesIn(path.join(storage, "do", "reveille-RoutineObject"))) {
    dumps.set(read(file, "SELECT id FROM routine", idSchema)[0]?.id ?? "", dump(file));
  }
  return dumps;
}

function databasesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
    .map((name) => path.join(folder, name));
}

function dump(file: string): string {
  const own = "name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql IS NOT NULL";
  const parts = read(
    file,
    `SELECT name, sql FROM sqlite_master WHERE ${own} ORDER BY type = 'table' DESC`,
    tableSchema,
  );
  const tables = read(file, `SELECT name, sql FROM sqlite_master WHERE ${own} AND type = 'table'`, tableSchema);
  const lines = [
    ...parts.map(({ sql }) => sql.replaceAll(/\s+/g, " ")),
    ...tables.flatMap(({ name }) => rowsOf(file, name)),
  ];
  return lines.map((line) => `${line};\n`).join("");
}

/** Line ends within a text are told by their number: a statement stays on its line. */
function rowsOf(file: string, table: string): string[] {
  const columns = read(file, `SELECT name FROM pragma_table_info('${table}')`, columnSchema).map(({ name }) => name);
  const values = columns.map((column) => `replace(quote("${column}"), char(10), '''||char(10)||''')`);
  const names = columns.map((column) => `"${column}"`).join(", ");
  const line = `'INSERT INTO "${table}" (${names}) VALUES (' || ${values.join(" || ', ' || ")} || ')'`;
  return read(file, `SELECT ${line} AS line FROM "${table}"`, lineSchema).map((row) => row.line);
}

function read<Row>(file: string, query: string, row: z.ZodType<Row>): Row[] {
  const database = new DatabaseSync(file);
  try {
    return z.array(row).parse(database.prepare(query).all());
  } finally {
    database.close();
  }
}
