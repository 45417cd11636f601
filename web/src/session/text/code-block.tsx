/** A block of code: it scrolls inside itself, and can be copied. */
import { CopyButton } from "../../ui/copy-button.tsx";
import { Code } from "./code/code.tsx";
import { languageNamed } from "./code/languages.ts";
import styles from "./code-block.module.css";

interface CodeBlockProps {
  text: string;
  language: string | null;
}

export function CodeBlock({ text, language }: CodeBlockProps) {
  return (
    <div className={styles.block}>
      <div className={styles.bar}>
        <span className={styles.language}>{language ?? ""}</span>
        <CopyButton text={text} label="Copy code" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard */}
      <pre className={styles.code} tabIndex={0}>
        <code>
          <Code text={text} language={languageNamed(language)} />
        </code>
      </pre>
    </div>
  );
}
