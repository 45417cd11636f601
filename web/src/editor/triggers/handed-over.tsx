/** Tokens that have come to an endpoint by themselves, as Notion sends its own: one is believed once a person says so. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId } from "react";
import { confirmHandedOverSecret, type HandedOverSecret, listHandedOverSecrets } from "../../client/generated.ts";
import { plural } from "../../format/amounts.ts";
import { routineQuery } from "../../queries.ts";
import { visibleLine } from "../../session/text/visible-text.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { ErrorNotice, ErrorState } from "../../ui/error-state.tsx";
import { Time } from "../../ui/time.tsx";
import { useWrite } from "../../write.ts";
import styles from "../editor.module.css";

interface HandedOverProps {
  routineId: string;
  triggerId: string;
  title: string;
}

export function HandedOver({ routineId, triggerId, title }: HandedOverProps) {
  const id = useId();
  const queryClient = useQueryClient();
  const queryKey = ["routine", routineId, "handed-over", triggerId];
  const { data, error, refetch, isFetching } = useQuery({
    queryKey,
    queryFn: ({ signal }) => listHandedOverSecrets(routineId, triggerId, { signal }),
  });
  const confirming = useWrite({
    mutationFn: (given: string) => confirmHandedOverSecret(routineId, triggerId, { id: given }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: routineQuery(routineId).queryKey });
    },
  });
  if (error !== null) {
    return (
      <ErrorState
        title="The tokens could not be loaded"
        error={error}
        onRetry={() => refetch()}
        isRetrying={isFetching}
      />
    );
  }
  if (data === undefined || data.data.length === 0) return null;
  return (
    <section className={styles.group} aria-labelledby={id}>
      <p id={id}>
        <strong>Tokens to confirm</strong>
      </p>
      <p className={styles.hint}>
        Anybody who knows the address can have sent them. Paste the newest where {title} asks for it, and confirm here
        the one that {title} has accepted. The others are forgotten.
      </p>
      {data.data.map((one) => (
        <Token
          key={one.id}
          token={one}
          isBusy={confirming.isPending && confirming.variables === one.id}
          onConfirm={() => confirming.mutate(one.id)}
        />
      ))}
      {confirming.isError && <ErrorNotice title="It was not confirmed." error={confirming.error} />}
    </section>
  );
}

interface TokenProps {
  token: HandedOverSecret;
  isBusy: boolean;
  onConfirm: () => void;
}

function Token({ token, isBusy, onConfirm }: TokenProps) {
  const { secret, last_received_at: at, times, ip, user_agent: program } = token;
  return (
    <div>
      <p className={styles.onceHead}>
        <code>{visibleLine(secret)}</code>
        <CopyButton text={secret} label="Copy token" />
        <Button size="sm" isBusy={isBusy} onClick={onConfirm}>
          Confirm
        </Button>
      </p>
      <p className={styles.hint}>
        Came <Time at={at} />
        {times > 1 && `, ${plural(times, "time")} in all`}
        {ip !== null && `, from ${visibleLine(ip)}`}
        {program !== null && ` by ${visibleLine(program)}`}
      </p>
    </div>
  );
}
