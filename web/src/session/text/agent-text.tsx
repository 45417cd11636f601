/** An agent's words: Markdown, of any length, and also while they are being written. */
import { useDeferredValue, useMemo } from "react";
import { useFold } from "../fold.tsx";
import type { AgentItem } from "../item-types.ts";
import styles from "./agent-text.module.css";
import { BeingWritten } from "./code/code.tsx";
import { CutNote } from "./cut-note.tsx";
import { Markdown } from "./markdown.tsx";
import { formatBytes, preview } from "./preview.ts";
import { visibleText } from "./visible-text.ts";

const BOUND = { lines: 400, characters: 12_000 };
/** All of a text that is longer is shown as it came: reading it as Markdown would keep the page waiting. */
const LONGEST_MARKDOWN = 48_000;
/** Of a long text that is being written, its end is what is looked at. */
const WRITTEN_END = 6_000;

export function AgentText({ item }: { item: AgentItem }) {
  return item.writing ? <Writing text={item.text} /> : <Written item={item} />;
}

/** Drawn as often as there is time for it: new text never waits for old text's drawing. */
function Writing({ text }: { text: string }) {
  const shown = useDeferredValue(text);
  const end = useMemo(
    () => visibleText(shown.length > WRITTEN_END ? `… ${shown.slice(-WRITTEN_END)}` : shown),
    [shown],
  );
  return (
    <div className={styles.writing}>
      <BeingWritten value={true}>
        <Markdown text={end} />
      </BeingWritten>
    </div>
  );
}

function Written({ item: { key, text, cut } }: { item: AgentItem }) {
  const [isAll, setAll] = useFold(`${key}:all`);
  const beginning = useMemo(() => preview(text, BOUND), [text]);
  const shown = useMemo(() => visibleText(isAll ? text : beginning.text), [isAll, text, beginning]);
  return (
    <>
      {shown.length > LONGEST_MARKDOWN ? <p className={styles.plain}>{shown}</p> : <Markdown text={shown} />}
      {!beginning.isWhole && (
        <button type="button" className={styles.more} aria-expanded={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? "Show less" : `Show all (${formatBytes(new TextEncoder().encode(text).length)})`}
        </button>
      )}
      {cut !== null && (isAll || beginning.isWhole) && <CutNote cut={cut} />}
    </>
  );
}
