/** The routines that name a connector, and what each lets its runs do there. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { connectorName } from "../format/connectors.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { Card, rowLinkClass } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { Rows } from "../ui/paged-list.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { rulesWords } from "./connector-words.ts";

export function ConnectorUsers({ name }: { name: string }) {
  const { data, isError, error, refetch, isFetching } = useQuery(everyRoutineQuery);
  if (data === undefined) {
    return (
      <Card>
        {isError ? (
          <ErrorState title="Who names it is not known" error={error} onRetry={refetch} isRetrying={isFetching} />
        ) : (
          <SkeletonRows label="Loading who names it" rows={1} />
        )}
      </Card>
    );
  }
  const users = data.flatMap((routine) => {
    const given = routine.connectors.find((one) => connectorName(one) === name);
    return given === undefined ? [] : [{ routine, rules: typeof given === "string" ? {} : (given.tools ?? {}) }];
  });
  if (users.length === 0) {
    return (
      <Card>
        <EmptyState title="No routine names it">
          <p>
            Choose it under “Connectors” in the editor of a routine: its agent has these tools from its next run on.
          </p>
        </EmptyState>
      </Card>
    );
  }
  return (
    <Rows
      label="Routines that name it"
      items={users}
      hasMore={false}
      row={({ routine, rules }) => (
        <Entry
          key={routine.id}
          head={
            <Link to="/routines/$id" params={{ id: routine.id }} className={rowLinkClass}>
              {routine.name}
            </Link>
          }
          meta={[
            rulesWords(rules) ?? "All its tools",
            routine.triggers.some((trigger) => trigger.type === "watch" && trigger.connector === name) &&
              "Is woken by what changes there",
          ]}
        />
      )}
    />
  );
}
