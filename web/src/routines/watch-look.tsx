/** How a watch's last look went: when, what it knows, and why it failed. */
import type { WatchState } from "#protocol/watch.ts";
import { plural } from "../format/amounts.ts";
import { Plain } from "../session/text/plain.tsx";
import { Badge } from "../ui/badge.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./triggers.module.css";

export function WatchLook({ look }: { look: WatchState }) {
  const { looked_at: at, next_look_at: next, items, failures, fault } = look;
  return (
    <>
      {fault !== null && (
        <p className={styles.line}>
          <Badge tone="danger">{failures > 1 ? `Its last ${failures} looks failed` : "Its last look failed"}</Badge>
          <span className={styles.aside}>
            <Plain text={fault} />
          </span>
        </p>
      )}
      <p className={styles.aside}>
        {at === null ? (
          "It has not seen anything yet"
        ) : (
          <>
            Last seen <Time at={at} />, {plural(items, "item")} known
          </>
        )}
        {next === null ? (
          "; it does not look while the routine is paused"
        ) : (
          <>
            ; looks again <Time at={next} />
          </>
        )}
      </p>
    </>
  );
}
