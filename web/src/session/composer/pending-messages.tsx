/** Messages that the transcript has not yet: on their way, waiting for the agent's next step, or refused. */
import type { Run } from "#protocol/run.ts";
import { Button } from "../../ui/button.tsx";
import { Spinner } from "../../ui/spinner.tsx";
import { AlertIcon } from "../icons.tsx";
import type { LiveSession } from "../live-session.ts";
import { preview } from "../text/preview.ts";
import { visibleText } from "../text/visible-text.ts";
import styles from "./composer.module.css";
import type { OutgoingMessage } from "./outgoing.ts";
import { useOutgoing } from "./use-outgoing.ts";
import { whatAMessageDoes } from "./what-a-message-does.ts";

const BOUND = { lines: 3, characters: 300 };

interface PendingMessagesProps {
  live: LiveSession;
  run: Run | undefined;
  /** Back into the field, to be changed and sent again. */
  onTakeBack: (id: string) => void;
}

export function PendingMessages({ live, run, onTakeBack }: PendingMessagesProps) {
  const { messages } = useOutgoing(live);
  if (messages.length === 0) return null;
  return (
    <ul className={styles.pending} aria-label="Messages on their way">
      {messages.map((message) => (
        <li key={message.id} className={styles.message} data-message-state={message.state}>
          <p className={styles.text}>{beginningOf(message)}</p>
          <p className={styles.state}>
            {message.state === "refused" ? <AlertIcon /> : <Spinner />}
            <span>{stateOf(message, run)}</span>
            {message.state === "refused" && (
              <Button size="sm" onClick={() => onTakeBack(message.id)}>
                Edit and send again
              </Button>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

function beginningOf({ text }: OutgoingMessage): string {
  const beginning = preview(text, BOUND);
  return visibleText(beginning.isWhole ? beginning.text : `${beginning.text} …`);
}

function stateOf({ state, why }: OutgoingMessage, run: Run | undefined): string {
  if (state === "refused") return `Not sent. ${why ?? ""}`;
  if (state === "sending") return "Sending…";
  return run === undefined ? "Sent" : `Sent. ${whatAMessageDoes(run).pending}.`;
}
