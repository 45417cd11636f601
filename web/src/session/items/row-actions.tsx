/** What can be done with an item of the transcript: its address, and a copy of it as Markdown. Seen when it is looked at. */
import { useState } from "react";
import { CopyButton } from "../../ui/copy-button.tsx";
import type { Item } from "../item-types.ts";
import { itemMarkdown } from "../text/item-markdown.ts";
import styles from "./row-actions.module.css";

export function RowActions({ item, seq }: { item: Item; seq: number }) {
  // One element for each row that nobody looks at.
  const [isLookedAt, setLookedAt] = useState(false);
  return (
    <span className={styles.actions}>
      {isLookedAt && <CopyButton text={() => itemMarkdown(item)} label={`Copy event ${seq} as Markdown`} />}
      <a
        href={`#seq-${seq}`}
        className={styles.link}
        aria-label={`Link to event ${seq}`}
        title="Link to this place"
        onPointerEnter={() => setLookedAt(true)}
        onFocus={() => setLookedAt(true)}
      >
        #{seq}
      </a>
    </span>
  );
}
