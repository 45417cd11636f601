/** An agent's text as Markdown. */
import { memo, useMemo } from "react";
import { CodeBlock } from "./code-block.tsx";
import styles from "./markdown.module.css";
import { type Chunk, markdownChunks } from "./markdown-chunks.ts";
import { MarkdownTree } from "./markdown-tree.tsx";
import { parseMarkdown } from "./parse-markdown.ts";

/** @param props.text with its control characters made visible already. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className={styles.markdown}>
      {markdownChunks(text).map((chunk, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text grows at its end, so its pieces keep their places
        <Piece key={index} {...chunk} />
      ))}
    </div>
  );
});

const Piece = memo(function Piece({ kind, text, language }: Chunk) {
  const parsed = useMemo(() => (kind === "markdown" ? parseMarkdown(text) : null), [kind, text]);
  if (kind === "code") return <CodeBlock text={text} language={language} />;
  if (parsed === null) return <p className={styles.plain}>{text}</p>;
  return <MarkdownTree nodes={parsed.root.children} definitions={parsed.definitions} />;
});
