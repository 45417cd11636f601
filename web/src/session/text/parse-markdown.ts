/** Markdown, as GitHub knows it, as a tree. */
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

export type MarkdownRoot = ReturnType<typeof fromMarkdown>;

/** Addresses that the text gives apart from where it uses them. */
export type Definitions = ReadonlyMap<string, string>;

export interface ParsedMarkdown {
  root: MarkdownRoot;
  definitions: Definitions;
}

/** A node without children, or with some. */
export interface Leaf {
  type: string;
  value?: string;
  children?: Leaf[];
}

/** Deeper than anybody writes, and not yet deep enough to trouble a browser. */
const DEEPEST = 60;
const EXTENSIONS = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

/** @returns null for a text that is nested so deep that it is better shown as it is. */
export function parseMarkdown(text: string): ParsedMarkdown | null {
  try {
    const root = fromMarkdown(text, EXTENSIONS);
    return isDeep(root) ? null : { root, definitions: definitionsIn(root) };
  } catch {
    // Too deep for the reader of Markdown itself.
    return null;
  }
}

function isDeep(root: Leaf): boolean {
  let level: Leaf[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return true;
    level = level.flatMap(({ children }) => children ?? []);
  }
  return false;
}

function definitionsIn(root: MarkdownRoot): Definitions {
  const definitions = new Map<string, string>();
  const visit = (nodes: readonly MarkdownRoot["children"][number][]) => {
    for (const node of nodes) {
      if (node.type === "definition" && !definitions.has(node.identifier)) definitions.set(node.identifier, node.url);
      if ("children" in node) visit(node.children);
    }
  };
  visit(root.children);
  return definitions;
}
