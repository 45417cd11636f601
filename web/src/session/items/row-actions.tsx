/** What can be done with an item of the transcript: its address, and a copy of it as Markdown. Seen when it is looked at. */
import { lazy, Suspense, useState } from "react";
import { Stamp } from "../../ui/time.tsx";
import type { Item } from "../item-types.ts";
import styles from "./row-actions.module.css";

const CopyItem = lazy(async () => ({ default: (await import("./copy-item.tsx")).CopyItem }));

export function RowActions({ item, seq }: { item: Item; seq: number }) {
  // One element for each row that nobody looks at.
  const [isLookedAt, setLookedAt] = useState(false);
  return (
    <span className={styles.actions}>
      <Suspense>{isLookedAt && <CopyItem item={item} seq={seq} />}</Suspense>
      <a
        href={`#seq-${seq}`}
        className={styles.link}
        title="Link to this place"
        onPointerEnter={() => setLookedAt(true)}
        onFocus={() => setLookedAt(true)}
      >
        <span className="visually-hidden">Link to event </span>#{seq}{" "}
        {(item.kind === "agent" || item.kind === "thinking") && (
          <Stamp at={new Date(item.atMs).toISOString()}>{clock.format(item.atMs)}</Stamp>
        )}
      </a>
    </span>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
