/** What arrived: JSON with line breaks, anything else as it is. Long ones are shown whole when asked for. */
import { useMemo, useState } from "react";
import { preview } from "../session/text/preview.ts";
import { visibleText } from "../session/text/visible-text.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import styles from "./body.module.css";

const BOUND = { lines: 40, characters: 6_000 };

export function Body({ text }: { text: string }) {
  const [isAll, setAll] = useState(false);
  const shown = useMemo(() => visibleText(withLineBreaks(text)), [text]);
  const beginning = preview(shown, BOUND);
  return (
    <div className={styles.body}>
      <div className={styles.copy}>
        <CopyButton text={visibleText(text)} label="Copy body" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard */}
      <pre tabIndex={0} className={styles.text}>
        {isAll ? shown : beginning.text}
      </pre>
      {!beginning.isWhole && (
        <Button variant="ghost" size="sm" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? "Show less" : "Show all"}
        </Button>
      )}
    </div>
  );
}

function withLineBreaks(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
