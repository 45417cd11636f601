/** The agent's words, and, folded, its thinking. */
import { Spinner } from "../../ui/spinner.tsx";
import { Fold } from "../fold.tsx";
import type { AgentItem } from "../item-types.ts";
import { AgentText } from "../text/agent-text.tsx";
import { Plain } from "../text/plain.tsx";
import { tellingInput } from "../text/tool-summary.ts";
import styles from "./agent-row.module.css";

export function AgentRow({ item }: { item: AgentItem }) {
  return (
    <>
      <span className="visually-hidden">Agent: </span>
      <AgentText item={item} />
    </>
  );
}

export function ThinkingRow({ item }: { item: AgentItem }) {
  return (
    <Fold
      foldKey={item.key}
      line={
        <>
          <span className={styles.label}>
            {item.writing && <Spinner />}
            {item.writing ? "Thinking" : "Thought"}
          </span>
          <span className={styles.beginning}>
            <Plain text={tellingInput(item.text)} />
          </span>
        </>
      }
    >
      {() => (
        <div className={styles.thinking}>
          <AgentText item={item} />
        </div>
      )}
    </Fold>
  );
}
