/** The environments, routines and rules whose variables or addresses name a secret. */
import { Link } from "@tanstack/react-router";
import { Card, List, ListRow, rowLinkClass } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { type Named, namesOf } from "./where-named.ts";

export function NamedBy({ secret, named }: { secret: string; named: Named | undefined }) {
  if (named === undefined) {
    return (
      <Card>
        <SkeletonRows label="Loading who names it" rows={1} />
      </Card>
    );
  }
  const { environments, routines, connectors, isInRules } = named;
  if (namesOf(named).length === 0) {
    return (
      <Card>
        <EmptyState title="Nothing names it yet">
          <p>
            Write <code>{`{{${secret}}}`}</code> as the value of a variable of an environment or a routine, or choose it
            in a connector.
          </p>
        </EmptyState>
      </Card>
    );
  }
  return (
    <List label="Named by">
      {environments.map(({ id, name }) => (
        <ListRow key={id}>Environment {name}</ListRow>
      ))}
      {routines.map(({ id, name }) => (
        <ListRow key={id}>
          Routine{" "}
          <Link to="/routines/$id" params={{ id }} className={rowLinkClass}>
            {name}
          </Link>
        </ListRow>
      ))}
      {connectors.map(({ id, name }) => (
        <ListRow key={id}>
          Connector{" "}
          <Link to="/connectors/$id" params={{ id }} className={rowLinkClass}>
            {name}
          </Link>
        </ListRow>
      ))}
      {isInRules && (
        <ListRow>
          The{" "}
          <Link to="/notifications" className={rowLinkClass}>
            notification rules
          </Link>{" "}
          for all routines
        </ListRow>
      )}
    </List>
  );
}
