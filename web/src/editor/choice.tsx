/** How a new routine begins: with a template, or empty. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TriggerInput } from "#protocol/triggers.ts";
import { SkeletonRows } from "../ui/skeleton.tsx";
import styles from "./choice.module.css";
import { OwnWords } from "./drafting/own-words.tsx";
import { draftingQuery } from "./drafting/use-drafting.ts";
import { TEMPLATES } from "./templates/all.ts";

export function Choice() {
  const drafting = useQuery(draftingQuery);
  // Nothing may move once it is there.
  if (drafting.isPending) return <SkeletonRows label="Loading what a routine can begin with" />;
  return (
    <div className={styles.groups}>
      {drafting.data?.available === true && (
        <section aria-labelledby="begin-words">
          <h2 id="begin-words" className={styles.heading}>
            In your own words
          </h2>
          <OwnWords drafting={drafting.data} />
        </section>
      )}
      <section aria-labelledby="begin-empty">
        <h2 id="begin-empty" className={styles.heading}>
          With a prompt of your own
        </h2>
        <ul className={styles.templates}>
          <li className={styles.template}>
            <Link to="/routines/new" search={{ template: "empty" }}>
              Empty routine
            </Link>
            <p className={styles.what}>You write what it does, and choose what wakes it.</p>
          </li>
        </ul>
      </section>
      <section aria-labelledby="begin-template">
        <h2 id="begin-template" className={styles.heading}>
          From a template
        </h2>
        <ul className={styles.templates}>
          {TEMPLATES.map(({ slug, title, what, definition }) => (
            <li key={slug} className={styles.template}>
              <Link to="/routines/new" search={{ template: slug }}>
                {title}
              </Link>
              <p className={styles.what}>{what}</p>
              <p className={styles.wakes}>{definition.triggers.map(wakes).join(", ")}</p>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

const SOURCES: Partial<Record<string, string>> = { sentry: "Sentry", pagerduty: "PagerDuty" };

function wakes(trigger: TriggerInput): string {
  switch (trigger.type) {
    case "schedule":
      return `${trigger.every === "weekdays" ? "Monday to Friday" : "Each week"} at ${trigger.time}`;
    case "github":
      return `GitHub: ${trigger.event.replaceAll("_", " ")}`;
    case "webhook":
      return SOURCES[trigger.source] ?? trigger.source;
    case "api":
      return "A call from a program";
    case "routine":
      return `After ${trigger.routine}`;
    case "event":
      return trigger.name;
    case "watch":
      return `${trigger.connector}: ${trigger.tool ?? trigger.resource}`;
  }
}
