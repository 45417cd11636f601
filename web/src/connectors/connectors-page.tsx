/** The connectors: MCP servers that agents may use, and how each does. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Connector } from "../client/generated.ts";
import { connectorName } from "../format/connectors.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { listed } from "../secrets/secret-words.ts";
import { Plain } from "../session/text/plain.tsx";
import { LinkIcon } from "../shell/navigation-icons.tsx";
import { Page } from "../shell/page.tsx";
import { LabelBadge } from "../ui/badge.tsx";
import { buttonClass } from "../ui/button.tsx";
import { rowLinkClass } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { Time } from "../ui/time.tsx";
import { connectorsQuery } from "./connector-queries.ts";
import { statusLabel, toolCount } from "./connector-words.ts";
import styles from "./connectors.module.css";

export function ConnectorsPage() {
  const query = useInfiniteQuery(connectorsQuery());
  const routines = useQuery(everyRoutineQuery).data;
  return (
    <Page title="Connectors">
      <PageHead
        title="Connectors"
        lead="MCP servers that agents may use: Linear, Slack, Sentry, one of your own. Routines name them; their credentials stay here, and nothing in a sandbox sees them."
        actions={
          <Link to="/connectors/new" className={buttonClass("primary")}>
            New connector
          </Link>
        }
      />
      <PagedList
        query={query}
        noun="connectors"
        empty={
          <EmptyState icon={<LinkIcon size={22} />} title="No connectors yet">
            <p>
              Make one with the address of an MCP server. Then choose it in the editor of a routine: its agent has the
              server’s tools from its next run on.
            </p>
          </EmptyState>
        }
        row={(connector) => (
          <ConnectorRow
            key={connector.id}
            connector={connector}
            users={routines
              ?.filter((routine) => routine.connectors.some((given) => connectorName(given) === connector.name))
              .map(({ name }) => name)}
          />
        )}
      />
    </Page>
  );
}

function ConnectorRow({ connector, users }: { connector: Connector; users: string[] | undefined }) {
  const { id, name, url, status, status_detail: detail, last_used_at: used } = connector;
  return (
    <Entry
      head={
        <>
          <Link to="/connectors/$id" params={{ id }} className={rowLinkClass}>
            {name}
          </Link>
          <LabelBadge {...statusLabel(connector)} look="badge" />
        </>
      }
      meta={[
        <Plain key="url" text={url} />,
        toolCount(connector),
        used === null ? (
          "Never used"
        ) : (
          <>
            Used <Time at={used} />
          </>
        ),
        users !== undefined && (users.length === 0 ? "No routine names it" : `Used by ${listed(users)}`),
      ]}
    >
      {status !== "ready" && detail !== null && (
        <p className={styles.detail}>
          <Plain text={detail} />
        </p>
      )}
    </Entry>
  );
}
