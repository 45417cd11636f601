/** Destinations that fail, and those that nothing is sent to any more, with what to do. */
import { useQuery } from "@tanstack/react-query";
import { destinationWords } from "../editor/notifications.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { Badge } from "../ui/badge.tsx";
import { List } from "../ui/card.tsx";
import { Entry } from "../ui/entry.tsx";
import { PageSection } from "../ui/page-head.tsx";
import { Time } from "../ui/time.tsx";
import { destinationsQuery } from "./notification-queries.ts";
import styles from "./notifications.module.css";

export function FailingDestinations() {
  const failing = useQuery(destinationsQuery).data?.data ?? [];
  if (failing.length === 0) return null;
  return (
    <PageSection id="failing" title="What does not get through">
      <List label="Destinations that fail">
        {failing.map(({ by, address, failing_since, switched_off_at, error }) => (
          <Entry
            key={`${by} ${address}`}
            head={
              <>
                <code>{address}</code>
                <Badge tone={switched_off_at === null ? "warning" : "danger"}>
                  {switched_off_at === null ? "Fails" : "Switched off"}
                </Badge>
              </>
            }
            meta={[
              destinationWords[by],
              <>
                Since <Time at={failing_since} />
              </>,
            ]}
          >
            <p className={styles.error}>{visibleLine(error)}</p>
            <p className={styles.todo}>
              {switched_off_at === null
                ? "It is tried again by itself. Mend what stands there, or change the address in the rule."
                : "Nothing is sent there by itself. Mend what stands there, then send one of its notifications again: going through switches it on."}
            </p>
          </Entry>
        ))}
      </List>
    </PageSection>
  );
}
