/** What a tool was asked, whole: short values as facts, the others as blocks. */
import type { Json } from "#protocol/schema.ts";
import { LongText } from "../text/long-text.tsx";
import { Plain } from "../text/plain.tsx";
import { toolInput } from "./tool-input.ts";
import styles from "./tool-row.module.css";

interface ToolInputViewProps {
  foldKey: string;
  input: Json;
  /** Where people decide on it. */
  isExact?: boolean;
}

export function ToolInputView({ foldKey, input, isExact = false }: ToolInputViewProps) {
  const { facts, blocks } = toolInput(input, isExact);
  return (
    <>
      {facts.length > 0 && (
        <dl className={styles.facts}>
          {facts.map(({ label, text }) => (
            <div key={label}>
              <dt>
                <Plain text={label} />
              </dt>
              <dd>
                <Plain text={text} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {blocks.map(({ label, ...block }) => (
        <LongText key={label} label={label} foldKey={`${foldKey}:${label}`} {...block} />
      ))}
    </>
  );
}
