/** What wakes a routine: each trigger in words, when it fires next, or where its source is to send to. */
import type { Routine } from "#protocol/routine.ts";
import { TRIGGER_LABELS } from "../format/status.ts";
import { type ShownTrigger, TRIGGER_STATUS_LABELS, triggerLine, triggerTerms } from "../format/triggers.ts";
import { Badge } from "../ui/badge.tsx";
import { List, ListRow } from "../ui/card.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { minuteTime, OWN_ZONE, Time, zonedTime } from "../ui/time.tsx";
import styles from "./triggers.module.css";
import { WatchLook } from "./watch-look.tsx";

export function Triggers({ triggers }: { triggers: Routine["triggers"] }) {
  if (triggers.length === 0) return <p className={styles.none}>None. “Run now” and the fire endpoint start it.</p>;
  return (
    <List label="Triggers">
      {triggers.map((trigger) => (
        <TriggerRow key={trigger.id} trigger={trigger} />
      ))}
    </List>
  );
}

function TriggerRow({ trigger }: { trigger: ShownTrigger }) {
  const { text, tone } = TRIGGER_STATUS_LABELS[trigger.status];
  const terms = [...new Set(triggerTerms(trigger))];
  return (
    <ListRow className={styles.trigger}>
      <p className={styles.type}>{TRIGGER_LABELS[trigger.type]}</p>
      <div className={styles.main}>
        <p className={styles.line}>
          <span>{triggerLine(trigger)}</span>
          {trigger.status !== "active" && <Badge tone={tone}>{text}</Badge>}
        </p>
        {terms.length > 0 && (
          <ul className={styles.terms}>
            {terms.map((term) => (
              <li key={term}>{term}</li>
            ))}
          </ul>
        )}
        <Unseen repositories={trigger.unseen_repositories ?? []} />
        <NextTimes times={trigger.next_fire_times} zone={trigger.type === "schedule" ? trigger.timezone : OWN_ZONE} />
        {trigger.type === "watch" && trigger.look != null && <WatchLook look={trigger.look} />}
        {trigger.type === "webhook" && trigger.endpoint !== null && (
          <Endpoint endpoint={trigger.endpoint} needsSecret={trigger.source !== "pubsub"} />
        )}
      </div>
    </ListRow>
  );
}

function Unseen({ repositories }: { repositories: readonly string[] }) {
  if (repositories.length === 0) return null;
  return <p className={styles.aside}>This event can’t come from {repositories.join(", ")}.</p>;
}

/** @param props.zone that of the schedule, which is told beside that of whoever reads. */
function NextTimes({ times, zone }: { times: readonly string[]; zone: string }) {
  const [next, ...later] = times;
  if (next === undefined) return null;
  return (
    <>
      <p className={styles.aside}>
        Next <Time at={next} />: {zonedTime(next)}
        {later.length > 0 && `, then ${later.map(minuteTime).join(", ")}`}
      </p>
      {zone !== OWN_ZONE && <p className={styles.aside}>There it is {zonedTime(next, zone)}</p>}
    </>
  );
}

interface EndpointProps {
  endpoint: NonNullable<ShownTrigger["endpoint"]>;
  /** Google signs with keys of its own. */
  needsSecret: boolean;
}

function Endpoint({ endpoint, needsSecret }: EndpointProps) {
  const { url, has_secret: hasSecret, previous_secret_until: previousUntil, secrets_handed_over: waiting } = endpoint;
  return (
    <>
      <div className={styles.endpoint}>
        <code>{url}</code>
        <CopyButton text={url} label="Copy endpoint" />
      </div>
      {needsSecret && !hasSecret && (
        <p className={styles.line}>
          <Badge tone="warning">No secret</Badge>
          <span className={styles.aside}>What comes is refused until the endpoint has one.</span>
        </p>
      )}
      {waiting !== undefined && (
        <p className={styles.line}>
          <Badge tone="warning">{waiting === 1 ? "1 token to confirm" : `${waiting} tokens to confirm`}</Badge>
          <span className={styles.aside}>Anybody can have sent it: nothing is believed until you confirm it.</span>
        </p>
      )}
      {previousUntil !== null && (
        <p className={styles.aside}>The secret before is accepted until {minuteTime(previousUntil)}.</p>
      )}
    </>
  );
}
