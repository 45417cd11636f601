/** What the agent was told: the prompt, a person's message, or text that is not to be trusted: of the trigger, or of earlier runs. */
import { plural } from "../../format/amounts.ts";
import { Badge } from "../../ui/badge.tsx";
import { Stamp } from "../../ui/time.tsx";
import { useFold } from "../fold.tsx";
import type { UserItem } from "../item-types.ts";
import { CutNote } from "../text/cut-note.tsx";
import { preview } from "../text/preview.ts";
import { visibleText } from "../text/visible-text.ts";
import styles from "./user-row.module.css";

const BOUND = { lines: 12, characters: 1_500 };

export function UserRow({ item: { key, source, by, isUndelivered, text, cut, atMs } }: { item: UserItem }) {
  const [isAll, setAll] = useFold(`${key}:all`);
  const beginning = preview(text, BOUND);
  const isOutside = source === "trigger" || source === "context";
  const at = new Date(atMs).toISOString();
  return (
    <div className={styles.message} data-source={source}>
      <p className={styles.source}>
        {source === "person" ? `Message from ${by ?? "a person"}` : SOURCES[source]}
        {isUndelivered && <Badge tone="warning">The agent did not get it</Badge>}
        {isOutside && <Badge tone="warning">From outside, not trusted</Badge>}
        <Stamp at={at} className={styles.time}>
          {clock.format(atMs)}
        </Stamp>
      </p>
      <p className={styles.text}>{visibleText(isAll ? text : beginning.text)}</p>
      {!beginning.isWhole && (
        <button type="button" className={styles.more} aria-expanded={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? "Show less" : `Show all (${plural(text.length, "character")})`}
        </button>
      )}
      {cut !== null && <CutNote cut={cut} />}
    </div>
  );
}

const SOURCES: Record<Exclude<UserItem["source"], "person">, string> = {
  routine: "The routine's prompt",
  trigger: "Text from the trigger",
  context: "Told of earlier runs",
};

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
