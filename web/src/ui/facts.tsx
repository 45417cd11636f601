/** Names and values, side by side or in columns. */
import type { ReactNode } from "react";
import { Card } from "./card.tsx";
import { classNames } from "./class-names.ts";
import styles from "./facts.module.css";

interface FactsProps {
  facts: readonly { name: string; value: ReactNode }[];
  layout?: "columns" | "rows";
}

export function Facts({ facts, layout = "rows" }: FactsProps) {
  return (
    <dl className={classNames(styles.facts, styles[layout])}>
      {facts.map(({ name, value }) => (
        <div key={name} className={styles.fact}>
          <dt className={styles.name}>{name}</dt>
          <dd className={styles.value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** In a panel of their own. */
export function FactsCard(props: FactsProps) {
  return (
    <Card className={styles.card}>
      <Facts {...props} />
    </Card>
  );
}
