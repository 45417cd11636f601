/** When a routine wakes, in words, with the next times in the schedule's zone and in the reader's. */
import { useQuery } from "@tanstack/react-query";
import { asProblem } from "../../problem.ts";
import styles from "../editor.module.css";
import { scheduleTimesQuery } from "../editor-queries.ts";
import { NumberField, SelectField, TextField } from "../fields.tsx";
import { Row } from "../section.tsx";
import { useSettled } from "../use-settled.ts";
import { ownZone, weekdayNames, zoneNames } from "../zones.ts";
import { RHYTHMS, rhythmOf, type ScheduleInput, withRhythm } from "./kinds.ts";

interface CardProps {
  trigger: ScheduleInput;
  path: string;
  onChange: (trigger: ScheduleInput) => void;
}

const CATCH_UPS = [
  { value: "latest", text: "Run once for the newest" },
  { value: "none", text: "Let them go" },
  { value: "all", text: "Run once for each, up to 24" },
] as const;

export function ScheduleCard({ trigger, path, onChange }: CardProps) {
  const { every, cron, at, time, minute, weekday, day, timezone, catch_up, jitter } = trigger;
  const hasTime = every !== undefined && every !== "hourly";
  return (
    <>
      <Row>
        <SelectField
          label="How often"
          path={path}
          value={rhythmOf(trigger)}
          options={RHYTHMS}
          onChange={(rhythm) => onChange(withRhythm(trigger, rhythm))}
        />
        {every === "weekly" && (
          <SelectField
            label="On"
            path={`${path}.weekday`}
            value={weekday ?? "monday"}
            options={weekdayNames}
            onChange={(next) => onChange({ ...trigger, weekday: next })}
          />
        )}
        {every === "monthly" && (
          <NumberField
            label="On day"
            path={`${path}.day`}
            hint="1 to 28"
            value={day}
            onChange={(next) => onChange({ ...trigger, day: next })}
          />
        )}
        {every === "hourly" && (
          <NumberField
            label="At minute"
            path={`${path}.minute`}
            value={minute}
            onChange={(next) => onChange({ ...trigger, minute: next })}
          />
        )}
        {hasTime && (
          <TextField
            label="At"
            path={`${path}.time`}
            type="time"
            value={time ?? "09:00"}
            onChange={(next) => onChange({ ...trigger, time: next })}
          />
        )}
        {cron !== undefined && (
          <TextField
            label="Cron expression"
            path={`${path}.cron`}
            hint="Minute, hour, day of month, month, day of week"
            value={cron}
            onChange={(next) => onChange({ ...trigger, cron: next })}
          />
        )}
        {at !== undefined && (
          <TextField
            label="When"
            path={`${path}.at`}
            hint="2026-12-05T09:00, or a delay such as in 2 days"
            value={at}
            onChange={(next) => onChange({ ...trigger, at: next })}
          />
        )}
        <TextField
          label="Time zone"
          path={`${path}.timezone`}
          value={timezone}
          options={zoneNames()}
          onChange={(next) => onChange({ ...trigger, timezone: next })}
        />
      </Row>
      <NextTimes trigger={trigger} />
      {at === undefined && (
        <Row>
          <SelectField
            label="Times that were missed"
            path={`${path}.catch_up`}
            value={catch_up}
            options={CATCH_UPS}
            onChange={(next) => onChange({ ...trigger, catch_up: next })}
          />
          <TextField
            label="Spread over"
            path={`${path}.jitter`}
            hint="Optional: 5m starts it up to five minutes later, each time by the same amount"
            value={jitter ?? ""}
            onChange={(next) => onChange(withJitter(trigger, next))}
          />
        </Row>
      )}
    </>
  );
}

function withJitter({ jitter: _before, ...trigger }: ScheduleInput, jitter: string): ScheduleInput {
  return jitter === "" ? trigger : { ...trigger, jitter };
}

function NextTimes({ trigger }: { trigger: ScheduleInput }) {
  const { id: _id, ...timing } = useSettled(trigger);
  const { data, error } = useQuery(scheduleTimesQuery(timing));
  if (error !== null) return <p className={styles.fault}>{asProblem(error).issues[0]?.message ?? error.message}</p>;
  if (data === undefined) return <p className={styles.loadingTimes}>Looking up the next times…</p>;
  if (data.next_fire_times.length === 0) return <p className={styles.warning}>No time is to come.</p>;
  const here = ownZone();
  const isElsewhere = here !== trigger.timezone;
  return (
    <table className={styles.times}>
      <caption>Next times</caption>
      <thead>
        <tr>
          <th scope="col">{timing.timezone}</th>
          {isElsewhere && <th scope="col">Here ({here})</th>}
        </tr>
      </thead>
      <tbody>
        {data.next_fire_times.map((time) => (
          <tr key={time}>
            <td>{timeIn(time, timing.timezone)}</td>
            {isElsewhere && <td>{timeIn(time, here)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function timeIn(time: string, timeZone: string): string {
  const shape = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat(undefined, { ...shape, timeZone }).format(new Date(time));
}
