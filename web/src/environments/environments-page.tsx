/** The environments: what the sandbox of a run may reach, what it is given, and what prepares it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Environment } from "../client/generated.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { listed } from "../secrets/secret-words.ts";
import { Page } from "../shell/page.tsx";
import { Badge } from "../ui/badge.tsx";
import { buttonClass } from "../ui/button.tsx";
import { rowLinkClass } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { environmentsQuery } from "./environment-queries.ts";
import { networkWords } from "./environment-words.ts";

export function EnvironmentsPage() {
  const query = useInfiniteQuery(environmentsQuery());
  const routines = useQuery(everyRoutineQuery).data;
  return (
    <Page title="Environments">
      <PageHead
        title="Environments"
        lead="What the sandbox of a run may reach, which variables it has, and what prepares it. Each routine names one."
        actions={
          <Link to="/environments/new" className={buttonClass("primary")}>
            New environment
          </Link>
        }
      />
      <PagedList
        query={query}
        noun="environments"
        empty={<EmptyState title="No environments" />}
        row={(environment) => (
          <EnvironmentRow
            key={environment.id}
            environment={environment}
            routines={routines?.filter((routine) => routine.environment === environment.name).map(({ name }) => name)}
          />
        )}
      />
    </Page>
  );
}

function EnvironmentRow({ environment, routines }: { environment: Environment; routines: string[] | undefined }) {
  const { id, name, status, network, variables, setup, instance } = environment;
  const count = Object.keys(variables).length;
  return (
    <Entry
      head={
        <>
          <Link to="/environments/$id" params={{ id }} className={rowLinkClass}>
            {name}
          </Link>
          {status === "archived" && <Badge>Archived</Badge>}
        </>
      }
      meta={[
        networkWords(network),
        count > 0 && `${count} variable${count === 1 ? "" : "s"}`,
        setup !== null && "Setup script",
        instance,
        routines !== undefined && (routines.length === 0 ? "No routine names it" : `Used by ${listed(routines)}`),
      ]}
    />
  );
}
