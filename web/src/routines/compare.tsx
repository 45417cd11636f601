/** Two definitions of one routine, key by key: the lines that went, and those that came. */
import { changedKeys, type Draft } from "../editor/draft.ts";
import { type LineChange, lineChanges } from "../editor/line-changes.ts";
import { KEY_TITLES, textOfValue } from "../editor/words.ts";
import styles from "./revisions.module.css";

interface CompareProps {
  before: Draft;
  after: Draft;
  beforeTitle: string;
  afterTitle: string;
}

export function Compare({ before, after, beforeTitle, afterTitle }: CompareProps) {
  const keys = changedKeys(before, after);
  if (keys.length === 0) return <p className={styles.aside}>They say the same.</p>;
  const titles = keys.map((key) => KEY_TITLES[key]);
  return (
    <div className={styles.changes}>
      <p className={styles.aside}>
        {titles.join(", ")} {titles.length === 1 ? "differs" : "differ"}. Lines with − are of {beforeTitle}, with + of{" "}
        {afterTitle}.
      </p>
      {keys.map((key) => (
        <div key={key}>
          <p className={styles.key}>{KEY_TITLES[key]}</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard */}
          <pre className={styles.lines} tabIndex={0}>
            {lineChanges(textOfValue(before[key]), textOfValue(after[key])).map((line, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the lines are those of two fixed texts
              <Line key={place} {...line} />
            ))}
          </pre>
        </div>
      ))}
    </div>
  );
}

function Line({ kind, text }: LineChange) {
  if (kind === "same") return <span>{`  ${text}`}</span>;
  return kind === "gone" ? <del>{`− ${text}`}</del> : <ins>{`+ ${text}`}</ins>;
}
