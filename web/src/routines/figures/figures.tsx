/** How a routine's runs of the last 30 days went: how many, how long they took, what they cost. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Stats } from "#protocol/stats.ts";
import { formatCost, plural } from "../../format/amounts.ts";
import { formatDuration } from "../../format/duration.ts";
import { routineStatsQuery } from "../../queries.ts";
import { Card } from "../../ui/card.tsx";
import { classNames } from "../../ui/class-names.ts";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { SkeletonText } from "../../ui/skeleton.tsx";
import { costBars, countsOf, countWords, type DayBar, runBars, totalCounts } from "./day-bars.ts";
import styles from "./figures.module.css";

export function Figures({ id }: { id: string }) {
  const { data, isError, error } = useQuery(routineStatsQuery(id));
  if (isError && data === undefined) return <ErrorNotice title="The figures could not be loaded." error={error} />;
  // The place is kept, so that nothing under it moves.
  return <Card className={styles.figures}>{data === undefined ? <SkeletonText /> : <Drawn stats={data} />}</Card>;
}

type Drawable = Pick<Stats, "runs" | "duration_ms" | "cost_usd" | "days">;

function Drawn({ stats }: { stats: Drawable }) {
  const { runs, duration_ms: duration, cost_usd: cost, days } = stats;
  const counts = countWords(totalCounts(days)).join(", ");
  return (
    <>
      <section className={styles.parts} aria-label="Figures of the last 30 days">
        <Part name="Runs in 30 days" value={String(runs)} aside={counts}>
          <Bars label={`Runs of each day (UTC): ${plural(runs, "run")} in all. ${counts}`} bars={runBars(days)} />
        </Part>
        <Part name="Cost in 30 days" value={formatCost(cost)} aside="By list price">
          <Bars label={`Cost of each day (UTC): ${formatCost(cost)} in all.`} bars={costBars(days)} />
        </Part>
        <Part
          name="Duration"
          value={duration === null ? "None has ended" : formatDuration(duration.p50)}
          aside={
            duration === null ? "" : `Half take no longer; 95 of 100 no longer than ${formatDuration(duration.p95)}`
          }
        />
      </section>
      <Table stats={stats} />
    </>
  );
}

interface PartProps {
  name: string;
  value: string;
  aside: string;
  children?: ReactNode;
}

function Part({ name, value, aside, children }: PartProps) {
  return (
    <div className={styles.part}>
      <p className={styles.name}>{name}</p>
      <p className={styles.value}>{value}</p>
      {children}
      <p className={styles.aside}>{aside}</p>
    </div>
  );
}

/** A day's place, and the part of it that its bar takes. */
const PLACE = 10;
const WIDTH = 7;
const HEIGHT = 100;

function Bars({ label, bars }: { label: string; bars: readonly DayBar[] }) {
  return (
    <svg
      className={styles.bars}
      viewBox={`0 0 ${bars.length * PLACE} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {bars.map(({ day, text, segments }, place) => (
        <g key={day}>
          <title>{text}</title>
          <rect className={styles.ground} x={place * PLACE} width={PLACE} height={HEIGHT} />
          <rect className={styles.foot} x={place * PLACE} y={HEIGHT - 2} width={WIDTH} height={2} />
          {segments.map(({ kind, y, height }) => (
            <rect
              key={kind}
              className={classNames(styles.bar, styles[kind])}
              x={place * PLACE}
              y={y * HEIGHT}
              width={WIDTH}
              height={height * HEIGHT}
            />
          ))}
        </g>
      ))}
    </svg>
  );
}

/** The same in words and numbers, of days on which something ran. */
function Table({ stats: { days, runs } }: { stats: Drawable }) {
  if (runs === 0) return null;
  return (
    <details className={styles.details}>
      <summary>Each day in figures</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label="Each day in figures">
        <table>
          <thead>
            <tr>
              {["Day (UTC)", "Runs", "Succeeded", "Failed", "Canceled", "Not ended", "Cost"].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days
              .filter((day) => day.runs > 0)
              .toReversed()
              .map((day) => (
                <tr key={day.day}>
                  <th scope="row">{day.day}</th>
                  <td>{day.runs}</td>
                  <td>{day.succeeded}</td>
                  <td>{day.failed}</td>
                  <td>{day.canceled}</td>
                  <td>{countsOf(day).open}</td>
                  <td>{formatCost(day.cost_usd)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
