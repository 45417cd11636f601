/** A text that is shown this once, to be copied. */
import { CopyButton } from "../../ui/copy-button.tsx";
import styles from "../editor.module.css";

interface ShownOnceProps {
  label: string;
  text: string;
  /** Whether it is never shown again. */
  isSecret?: boolean;
}

export function ShownOnce({ label, text, isSecret = true }: ShownOnceProps) {
  return (
    <div className={styles.once}>
      <p className={styles.onceHead}>
        <strong>{label}</strong>
        {isSecret && <span className={styles.warning}>Copy it now: it is not shown again.</span>}
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
