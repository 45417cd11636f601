/** A card for each trigger, and the kinds of which another can be added. */
import { useEffect, useRef, useState } from "react";
import type { TriggerInput } from "#protocol/triggers.ts";
import { TRIGGER_LABELS } from "../../format/status.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import styles from "../editor.module.css";
import { ToldHere } from "../faults.tsx";
import { ownZone } from "../zones.ts";
import { ApiCard } from "./api-card.tsx";
import { GithubCard } from "./github-card.tsx";
import { newTrigger, type TriggerType } from "./kinds.ts";
import { EventCard, RoutineCard } from "./other-cards.tsx";
import { ScheduleCard } from "./schedule-card.tsx";
import { WatchCard } from "./watch-card.tsx";
import { WebhookCard } from "./webhook-card.tsx";

const KINDS: { type: TriggerType; text: string }[] = [
  { type: "schedule", text: "Schedule" },
  { type: "github", text: "GitHub" },
  { type: "api", text: "API" },
  { type: "webhook", text: "Webhook" },
  { type: "routine", text: "Another routine" },
  { type: "event", text: "Event" },
  { type: "watch", text: "Watch" },
];

interface TriggersPartProps {
  triggers: readonly TriggerInput[];
  onChange: (triggers: TriggerInput[]) => void;
}

export function TriggersPart({ triggers, onChange }: TriggersPartProps) {
  const [keys, setKeys] = useState<string[]>(() => triggers.map(() => crypto.randomUUID()));
  // The definition as JSON may have more or fewer of them than there were cards.
  const [added, setAdded] = useState<string | null>(null);
  const keyOf = (place: number) => keys[place] ?? `more-${place}`;
  const add = (type: TriggerType) => {
    const key = crypto.randomUUID();
    setKeys([...triggers.map((_one, place) => keyOf(place)), key]);
    setAdded(key);
    onChange([...triggers, newTrigger(type, ownZone())]);
  };
  const remove = (place: number) => {
    setKeys(triggers.map((_one, number) => keyOf(number)).toSpliced(place, 1));
    onChange(triggers.toSpliced(place, 1));
  };
  return (
    <section className={styles.part} aria-labelledby="editor-triggers">
      <h2 id="editor-triggers" className={styles.partTitle}>
        Triggers
      </h2>
      {triggers.length === 0 && (
        <p className={styles.hint}>
          Nothing wakes it by itself yet: it runs when somebody presses “Run now”. Add what it is to wait for.
        </p>
      )}
      {triggers.map((trigger, place) => (
        <TriggerCard
          key={keyOf(place)}
          trigger={trigger}
          place={place}
          isAdded={keyOf(place) === added}
          onChange={(next) => onChange(triggers.with(place, next))}
          onRemove={() => remove(place)}
        />
      ))}
      <fieldset className={styles.add}>
        <legend>Add a trigger</legend>
        {KINDS.map(({ type, text }) => (
          <Button key={type} size="sm" onClick={() => add(type)}>
            {text}
          </Button>
        ))}
      </fieldset>
    </section>
  );
}

interface TriggerCardProps {
  trigger: TriggerInput;
  place: number;
  /** Just now: the focus goes to it. */
  isAdded: boolean;
  onChange: (trigger: TriggerInput) => void;
  onRemove: () => void;
}

function TriggerCard({ trigger, place, isAdded, onChange, onRemove }: TriggerCardProps) {
  const path = `triggers[${place}]`;
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isAdded) card.current?.focus();
  }, [isAdded]);
  const title = `${place + 1}. ${TRIGGER_LABELS[trigger.type]}`;
  return (
    <Card ref={card} tabIndex={-1} className={styles.card} role="group" aria-label={title}>
      <div className={styles.cardHead}>
        <h3>{title}</h3>
        <Button size="sm" variant="ghost" aria-label={`Remove trigger ${place + 1}`} onClick={onRemove}>
          Remove
        </Button>
      </div>
      {trigger.type !== "schedule" && <ToldHere path={path} />}
      <CardOf trigger={trigger} path={path} onChange={onChange} />
    </Card>
  );
}

function CardOf({ trigger, path, onChange }: { path: string } & Pick<TriggerCardProps, "trigger" | "onChange">) {
  switch (trigger.type) {
    case "schedule":
      return <ScheduleCard trigger={trigger} path={path} onChange={onChange} />;
    case "github":
      return <GithubCard trigger={trigger} path={path} onChange={onChange} />;
    case "api":
      return <ApiCard />;
    case "webhook":
      return <WebhookCard trigger={trigger} path={path} onChange={onChange} />;
    case "routine":
      return <RoutineCard trigger={trigger} path={path} onChange={onChange} />;
    case "event":
      return <EventCard trigger={trigger} path={path} onChange={onChange} />;
    case "watch":
      return <WatchCard trigger={trigger} path={path} onChange={onChange} />;
  }
}
