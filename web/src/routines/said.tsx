/** What a routine does, in sentences: for whoever has not written it. */
import type { Routine } from "#protocol/routine.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { Card } from "../ui/card.tsx";
import { Facts } from "../ui/facts.tsx";
import styles from "./definition.module.css";
import { inWords } from "./in-words.ts";

export function InWords({ routine }: { routine: Routine }) {
  const facts = inWords(routine).map(({ topic, sentences }) => ({
    name: topic,
    value: (
      <ul className={styles.sentences}>
        {sentences.map((sentence) => (
          <li key={sentence}>{visibleLine(sentence)}</li>
        ))}
      </ul>
    ),
  }));
  return (
    <Card className={styles.settings}>
      <Facts facts={facts} />
    </Card>
  );
}
