/** Pure: from a git log and a changelog to the section that is missing. */

export interface Commit {
  hash: string;
  subject: string;
}

export interface ChangelogChange {
  /** For people: `0.4.0`, or `Unreleased`. */
  title: string;
  entries: number;
  /** The new section, ending in a line break. */
  section: string;
}

const HEADINGS = { added: "Added", changed: "Changed", fixed: "Fixed" } as const;
type Group = keyof typeof HEADINGS;

interface Entry {
  group: Group;
  isBreaking: boolean;
  text: string;
  hash: string;
}

/** Reads the output of `git log --format="%h %s"`; lines of another form are left out. */
export function parseLog(output: string): Commit[] {
  return output.split("\n").flatMap((line) => {
    const [, hash, subject] = /^([0-9a-f]{4,40}) (\S.*)$/.exec(line.trim()) ?? [];
    return hash === undefined || subject === undefined ? [] : [{ hash, subject }];
  });
}

/**
 * The section for the commits that users would notice and the changelog does not mention yet; null when there are none.
 * @param tag the last release, or null.
 */
export function missingSection(commits: Commit[], changelog: string, tag: string | null): ChangelogChange | null {
  const entries = commits.map(toEntry).filter((entry) => entry !== null);
  const news = entries.filter(({ hash, text }) => !changelog.includes(hash) && !changelog.includes(text));
  if (news.length === 0) return null;
  const title = nextVersion(tag, entries) ?? "Unreleased";
  const groups = Object.keys(HEADINGS).filter((group) => isGroup(group) && news.some((entry) => entry.group === group));
  const parts = groups.filter(isGroup).map((group) => {
    const lines = news.filter((entry) => entry.group === group).map(({ text, hash }) => `- ${text} (${hash})`);
    return `### ${HEADINGS[group]}\n\n${lines.join("\n")}\n`;
  });
  return { title, entries: news.length, section: `## ${title}\n\n${parts.join("\n")}` };
}

/** Where the section goes: before the first section, or after everything else when there is none. */
export function insertSection(changelog: string, section: string): { anchor: string | null; whole: string } {
  const lines = changelog.split("\n");
  const anchor = lines.find((line) => /^## \S/.test(line));
  if (anchor === undefined) {
    const head = changelog.trim() === "" ? "# Changelog" : changelog.trimEnd();
    return { anchor: null, whole: `${head}\n\n${section}` };
  }
  const index = lines.indexOf(anchor);
  const isUnique = lines.filter((line) => line.includes(anchor)).length === 1;
  const whole = [...lines.slice(0, index), section, ...lines.slice(index)].join("\n");
  return { anchor: isUnique ? anchor : null, whole: `${whole.trimEnd()}\n` };
}

/** A conventional commit as an entry; null for housekeeping that users do not notice. */
function toEntry({ hash, subject }: Commit): Entry | null {
  const [, type = "change", breaking, text = subject] = /^([a-z]+)(?:\([^)]*\))?(!)?: +(.+)$/.exec(subject) ?? [];
  const isBreaking = breaking !== undefined;
  const group = groupOf(type);
  if (group === null && !isBreaking) return null;
  return { group: group ?? "changed", isBreaking, text: `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`, hash };
}

function groupOf(type: string): Group | null {
  if (type === "feat") return "added";
  if (type === "fix") return "fixed";
  return ["build", "chore", "ci", "docs", "style", "test"].includes(type) ? null : "changed";
}

/** By semantic versioning; before 1.0.0 a breaking change raises the minor number. Null when the tag is no version. */
function nextVersion(tag: string | null, entries: Entry[]): string | null {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(tag ?? "") ?? [];
  if (major === undefined) return null;
  const isBreaking = entries.some((entry) => entry.isBreaking);
  if (isBreaking && major !== "0") return `${Number(major) + 1}.0.0`;
  const isMinor = isBreaking || entries.some(({ group }) => group !== "fixed");
  return isMinor ? `${major}.${Number(minor) + 1}.0` : `${major}.${minor}.${Number(patch) + 1}`;
}

function isGroup(name: string): name is Group {
  return Object.hasOwn(HEADINGS, name);
}
