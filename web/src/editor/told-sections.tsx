/** Who is told of what, and what a run is told of runs before it. */
import { useQuery } from "@tanstack/react-query";
import type { ContextFrom } from "#protocol/context-from.ts";
import type { NotificationRule } from "#protocol/notification.ts";
import { Button } from "../ui/button.tsx";
import type { PartProps } from "./basics-part.tsx";
import { Checks } from "./checks.tsx";
import { DestinationFields } from "./destination-fields.tsx";
import styles from "./editor.module.css";
import { routineNamesQuery } from "./editor-queries.ts";
import { ToldHere } from "./faults.tsx";
import { NumberField, TextField } from "./fields.tsx";
import { notificationKinds } from "./notifications.ts";
import { contextLine, notifyLine } from "./policies.ts";
import { Section } from "./section.tsx";

const NEW_RULE: NotificationRule = { on: ["failed", "paused"], skip: [], webhook: "" };

export function NotifySection({ draft, set }: PartProps) {
  const { notify } = draft;
  return (
    <Section title="Notifications" value={notifyLine(draft)} paths={["notify"]}>
      {notify.map((rule, place) => (
        <RuleFields
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule has no name but its place, and its fields hold nothing of their own
          key={place}
          rule={rule}
          place={place}
          onChange={(next) => set({ notify: notify.with(place, next) })}
          onRemove={() => set({ notify: notify.toSpliced(place, 1) })}
        />
      ))}
      <div>
        <Button size="sm" onClick={() => set({ notify: [...notify, NEW_RULE] })}>
          Add a notification
        </Button>
      </div>
    </Section>
  );
}

interface RuleFieldsProps {
  rule: NotificationRule;
  place: number;
  onChange: (rule: NotificationRule) => void;
  onRemove: () => void;
}

function RuleFields({ rule, place, onChange, onRemove }: RuleFieldsProps) {
  const path = `notify[${place}]`;
  return (
    <fieldset className={styles.group} aria-label={`Notification ${place + 1}`}>
      <ToldHere path={path} />
      <Checks
        legend="When it"
        path={`${path}.on`}
        options={notificationKinds}
        chosen={rule.on}
        onChange={(on) => onChange({ ...rule, on })}
      />
      <DestinationFields rule={rule} path={path} onChange={onChange} />
      <div>
        <Button size="sm" variant="ghost" aria-label={`Remove notification ${place + 1}`} onClick={onRemove}>
          Remove
        </Button>
      </div>
    </fieldset>
  );
}

export function ContextSection({ draft, set }: PartProps) {
  const { context_from } = draft;
  const { data } = useQuery(routineNamesQuery());
  const names = ["self", ...(data?.data.map(({ name }) => name) ?? [])];
  const change = (next: ContextFrom) => set({ context_from: next });
  return (
    <Section title="Earlier runs" value={contextLine(draft)} paths={["context_from"]}>
      <p className={styles.hint}>A run is told how these ended: result, evidence, verdict and summary.</p>
      {context_from.map((one, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no name but its place, and its fields hold nothing of their own
        <div key={place} className={styles.filter}>
          <TextField
            label={`Routine ${place + 1}`}
            path={`context_from[${place}].routine`}
            hint="self: this one"
            value={one.routine}
            options={names}
            onChange={(routine) => change(context_from.with(place, { ...one, routine }))}
          />
          <NumberField
            label={`Its last runs ${place + 1}`}
            path={`context_from[${place}].last`}
            value={one.last}
            onChange={(last) => change(context_from.with(place, { ...one, last: last ?? Number.NaN }))}
          />
          <Button
            size="sm"
            variant="ghost"
            aria-label={`Remove routine ${place + 1}`}
            onClick={() => change(context_from.toSpliced(place, 1))}
          >
            Remove
          </Button>
        </div>
      ))}
      <div>
        <Button size="sm" onClick={() => change([...context_from, { routine: "self", last: 3 }])}>
          Add earlier runs
        </Button>
      </div>
    </Section>
  );
}
