/** Pure: which language code is in. */

/** Those that are told apart, by the names that fences and files' endings have for them. */
const NAMES = {
  bash: "sh shell zsh console",
  c: "h cc cpp cxx hpp c++ objc m cs csharp",
  css: "scss less",
  diff: "patch",
  docker: "dockerfile containerfile",
  go: "golang",
  html: "htm vue svelte",
  ini: "cfg conf editorconfig properties env",
  java: "kt kotlin scala groovy gradle",
  js: "javascript jsx mjs cjs",
  json: "json5 jsonc ndjson webmanifest",
  lua: "",
  make: "makefile mk",
  pl: "perl",
  py: "python pyi",
  rs: "rust",
  sql: "mysql postgresql sqlite",
  toml: "",
  ts: "typescript tsx mts cts",
  xml: "svg xsd plist",
  yaml: "yml",
} as const;

export type Language = keyof typeof NAMES;

const BY_NAME = new Map<string, Language>(
  (Object.entries(NAMES) as [Language, string][]).flatMap(([language, names]) =>
    [language, ...names.split(" ")].filter((name) => name !== "").map((name) => [name, language] as const),
  ),
);

/** @param name what a fence says behind its marks: `ts`, `TypeScript`. */
export function languageNamed(name: string | null): Language | null {
  return BY_NAME.get((name ?? "").toLowerCase()) ?? null;
}

/** @param path of a file: told by its ending, or by its name where it has none. */
export function languageOfFile(path: string): Language | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return languageNamed(name.slice(name.lastIndexOf(".") + 1));
}
