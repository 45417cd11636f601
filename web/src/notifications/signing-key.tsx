/** The key that signs the webhooks to an address: shown when asked for. */
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { useSigningKey } from "./notification-queries.ts";
import styles from "./notifications.module.css";

export function SigningKey({ webhook }: { webhook: string }) {
  const reading = useSigningKey();
  if (reading.data === undefined) {
    return (
      <div>
        <Button variant="link" size="sm" isBusy={reading.isPending} onClick={() => reading.mutate(webhook)}>
          Show its signing key
        </Button>
        {reading.isError && <ErrorNotice title="The key could not be read." error={reading.error} />}
      </div>
    );
  }
  const { signing_key } = reading.data;
  return (
    <div className={styles.key}>
      <p className={styles.keyLine}>
        <code>{signing_key}</code>
        <CopyButton text={signing_key} label="Copy signing key" />
      </p>
      <p className={styles.todo}>
        Give it to a verifier of Standard Webhooks at that address, and refuse what it does not accept: webhook-id,
        webhook-timestamp and webhook-signature are among the headers.
      </p>
    </div>
  );
}
