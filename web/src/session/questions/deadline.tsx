/** Until when a question can be answered, and what happens then. */
import type { ShownQuestion } from "#protocol/question.ts";
import { exactTime } from "../../ui/exact-time.ts";
import { Time } from "../../ui/time.tsx";
import { Plain } from "../text/plain.tsx";
import { afterwards } from "./question-words.ts";
import styles from "./waiting-card.module.css";

export function Deadline({ question, until }: { question: ShownQuestion; until: string | null }) {
  if (until === null) return null;
  return (
    <p className={styles.deadline}>
      Waits until {exactTime(until)} (<Time at={until} />
      ). <Plain text={afterwards(question)} />
    </p>
  );
}
