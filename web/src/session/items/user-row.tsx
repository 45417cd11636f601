/** What the agent was told: the routine's saved prompt, or text that came with the trigger and is not to be trusted. */
import { plural } from "../../format/amounts.ts";
import { Badge } from "../../ui/badge.tsx";
import { exactTime } from "../../ui/time.tsx";
import { useFold } from "../fold.tsx";
import type { UserItem } from "../item-types.ts";
import { CutNote } from "../text/long-text.tsx";
import { preview } from "../text/preview.ts";
import { visibleText } from "../text/visible-text.ts";
import styles from "./user-row.module.css";

const BOUND = { lines: 12, characters: 1_500 };

export function UserRow({ item: { key, source, text, cut, atMs } }: { item: UserItem }) {
  const [isAll, setAll] = useFold(`${key}:all`);
  const beginning = preview(text, BOUND);
  const isOutside = source === "trigger";
  const at = new Date(atMs).toISOString();
  return (
    <div className={styles.message} data-source={source}>
      <p className={styles.source}>
        {isOutside ? "Text from the trigger" : "The routine's prompt"}
        {isOutside && <Badge tone="warning">From outside, not trusted</Badge>}
        <time dateTime={at} title={exactTime(at)} className={styles.time}>
          {clock.format(atMs)}
        </time>
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

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
