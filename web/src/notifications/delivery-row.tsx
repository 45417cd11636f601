/** One notification: to whom, how it went, and sending it again. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Notification } from "../client/generated.ts";
import { destinationWords } from "../editor/notifications.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { LabelBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Entry } from "../ui/entry.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Time } from "../ui/time.tsx";
import { useRedeliver } from "./notification-queries.ts";
import { DELIVERY_LABELS, kindWords } from "./notification-words.ts";
import styles from "./notifications.module.css";

export function DeliveryRow({ notification }: { notification: Notification }) {
  const { id, routine_id, run_id, kind, destination, status, tries, error, next_try_at, created_at } = notification;
  const routine = useQuery(everyRoutineQuery).data?.find((one) => one.id === routine_id);
  const sending = useRedeliver(id);
  return (
    <Entry
      head={
        <>
          <span>
            <Link to="/routines/$id" params={{ id: routine_id }}>
              {routine?.name ?? "Routine"}
            </Link>{" "}
            {kindWords(kind)}
          </span>
          <LabelBadge {...DELIVERY_LABELS[status]} look="plain" />
        </>
      }
      meta={[
        <Time key="at" at={created_at} />,
        `${destinationWords[destination.by]} to ${destination.address}`,
        tries === 1 ? "1 try" : `${tries} tries`,
        next_try_at !== null && (
          <>
            Next <Time at={next_try_at} />
          </>
        ),
        run_id !== null && (
          <Link to="/runs/$id" params={{ id: run_id }}>
            Its run
          </Link>
        ),
      ]}
      actions={
        <Button size="sm" isBusy={sending.isPending} onClick={() => sending.mutate()}>
          Send again
        </Button>
      }
    >
      {error !== null && <p className={styles.error}>{visibleLine(error)}</p>}
      {sending.isError && <ErrorNotice title="It was not sent." error={sending.error} />}
    </Entry>
  );
}
