/** Which of the last deliveries a trigger would have taken, and why not the others, filter by filter. */
import { useQuery } from "@tanstack/react-query";
import type { TriggerTrial } from "#protocol/trigger-preview.ts";
import { asProblem } from "../../problem.ts";
import { Plain } from "../../session/text/plain.tsx";
import { Badge } from "../../ui/badge.tsx";
import { List, ListRow } from "../../ui/card.tsx";
import { Time } from "../../ui/time.tsx";
import styles from "../editor.module.css";
import { trialQuery } from "../editor-queries.ts";
import { useRoutineInEditor } from "../routine-context.ts";
import { useSettled } from "../use-settled.ts";
import type { Listening } from "./kinds.ts";

export function Trials({ trigger }: { trigger: Listening }) {
  const { id, repositories } = useRoutineInEditor();
  const tried = useSettled(trigger);
  const trial = { trigger: tried, repositories, ...(id === null ? {} : { routine_id: id }) };
  const { data, error } = useQuery(trialQuery(trial));
  if (error !== null) return <p className={styles.fault}>{asProblem(error).message}</p>;
  if (data === undefined) return <p className={styles.hint}>Trying…</p>;
  if (data.data.length === 0) {
    return (
      <p className={styles.hint}>
        Nothing that this trigger could wait for is kept. Deliveries are kept for seven days: let one come, and look
        again.
      </p>
    );
  }
  return (
    <List label="Recent deliveries">
      {data.data.map((one) => (
        <TrialRow key={one.delivery_id} trial={one} />
      ))}
    </List>
  );
}

function TrialRow({ trial }: { trial: TriggerTrial }) {
  const { starts, matched, why, filters, summary, received_at } = trial;
  const failed = filters.filter((filter) => !filter.matched);
  return (
    <ListRow className={styles.trial}>
      <p className={styles.trialHead}>
        <Badge tone={starts ? "success" : matched ? "warning" : "neutral"}>
          {starts ? "Starts a run" : matched ? "Held back" : "Passed over"}
        </Badge>
        <span>
          <Plain text={summary} />
        </span>
        <span className={styles.aside}>
          <Time at={received_at} />
        </span>
      </p>
      {failed.length === 0 ? (
        <p className={styles.hint}>
          <Plain text={why} />
        </p>
      ) : (
        <ul className={styles.reasons}>
          {filters.map((filter) => (
            <li key={`${filter.field} ${filter.operator} ${filter.why}`}>
              {filter.matched ? "Holds: " : "Does not hold: "}
              <Plain text={filter.why} />
            </li>
          ))}
        </ul>
      )}
    </ListRow>
  );
}
