/** Where something could not be shown or done: what went wrong, and what to do. */
import { asProblem } from "../problem.ts";
import { Button } from "./button.tsx";
import { AlertIcon } from "./icons.tsx";
import styles from "./state.module.css";

interface ErrorStateProps {
  /** What could not be done: "The runs could not be loaded." */
  title: string;
  error: unknown;
  onRetry?: () => void;
  isRetrying?: boolean;
}

/** In the place of a whole view or list. */
export function ErrorState({ title, error, onRetry, isRetrying = false }: ErrorStateProps) {
  const { message, hint } = asProblem(error);
  return (
    <div className={styles.state} role="alert">
      <span className={styles.dangerIcon}>
        <AlertIcon size={22} />
      </span>
      <p className={styles.title}>{title}</p>
      <div className={styles.text}>
        <p>{message}</p>
        {hint !== null && <p>{hint}</p>}
      </div>
      {onRetry !== undefined && (
        <Button onClick={onRetry} isBusy={isRetrying}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Beside what was asked for: a line in a dialog, or over a list that is still shown. */
export function ErrorNotice({ title, error }: { title: string; error: unknown }) {
  const { message, hint } = asProblem(error);
  return (
    <div className={styles.notice} role="alert">
      <AlertIcon />
      <p>
        <strong>{title}</strong> {message} {hint}
      </p>
    </div>
  );
}
