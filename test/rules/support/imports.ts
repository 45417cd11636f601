/** Reads which files a program file imports. It knows the house's formatting, not the whole language. */
import { dirname, join, normalize } from "node:path";

export interface Import {
  /** A path of ours, for instance `protocol/run.ts`, or a package's name. */
  target: string;
  /** Whether only types are taken, which leave nothing behind at run time. */
  isType: boolean;
}
/**
 * Statements are where the formatter puts them, at the beginning of a line. Whatever stands between the word and the
 * quoted name has neither quotes nor a semicolon nor an equals sign in it.
 */
const STATEMENT = /^(?:import|export)\s+(?:(?<clause>[^;"'`=]*?)\s*\bfrom\s*)?"(?<name>[^"\n]+)"/gm;
const AT_RUN_TIME = /\bimport\s*\(\s*(?:"(?<name>[^"\n]+)")?/g;

/** What a file imports, by its text. @param file its path, from which relative names are resolved. */
export function importsOf(file: string, text: string): Import[] {
  const code = withoutComments(text);
  const statements = [...code.matchAll(STATEMENT)].map(({ groups }) => ({
    target: resolve(file, groups?.["name"] ?? ""),
    isType: takesTypesOnly(groups?.["clause"] ?? ""),
  }));
  const atRunTime = [...code.matchAll(AT_RUN_TIME)].map(({ groups }) => ({
    target: resolve(file, groups?.["name"] ?? "(computed)"),
    isType: false,
  }));
  return [...statements, ...atRunTime];
}

function takesTypesOnly(clause: string): boolean {
  if (/^type\s+[^,]/.test(clause)) return true;
  const names = /^\{([\s\S]*)\}$/
    .exec(clause.trim())?.[1]
    ?.split(",")
    .map((name) => name.trim()) ?? [""];
  return names.filter((name) => name !== "").length > 0 && names.every((name) => name === "" || /^type\s/.test(name));
}

/** Lines that are nothing but comment: what stands behind code on its line is no statement. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*(?:\/\/|\/\*|\*).*$/gm, "");
}

function resolve(file: string, name: string): string {
  if (name.startsWith("#")) return normalize(name.slice(1));
  return name.startsWith(".") ? normalize(join(dirname(file), name)) : name;
}
