/** One connector: how it does, who is logged in, its tools, who uses it, and its settings. */
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import type { Connector } from "../client/generated.ts";
import { actorWords } from "../format/actor.ts";
import { Plain } from "../session/text/plain.tsx";
import { Page } from "../shell/page.tsx";
import { BackLink } from "../ui/back-link.tsx";
import { LabelBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNotice, ErrorState } from "../ui/error-state.tsx";
import { FactsCard } from "../ui/facts.tsx";
import { PageHead, PageSection } from "../ui/page-head.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Time } from "../ui/time.tsx";
import { connectorQuery, useBeginLogin, useCheckConnector } from "./connector-queries.ts";
import { ConnectorSettings } from "./connector-settings.tsx";
import { ConnectorTools } from "./connector-tools.tsx";
import { ConnectorUsers } from "./connector-users.tsx";
import { signInWords, statusLabel, toolCount } from "./connector-words.ts";
import styles from "./connectors.module.css";
import { DeleteConnector } from "./delete-connector.tsx";
import { LoginPart } from "./login-part.tsx";

export function ConnectorPage() {
  const { id } = useParams({ from: "/connectors/$id" });
  const { login } = useSearch({ from: "/connectors/$id" });
  const { data, isError, error, refetch, isFetching } = useQuery(connectorQuery(id));
  return (
    <Page title={data?.name ?? "Connector"}>
      <BackLink to="/connectors">Connectors</BackLink>
      {data !== undefined ? (
        <Shown key={data.id} connector={data} hasComeBack={login !== undefined} />
      ) : (
        <>
          <PageHead title="Connector" />
          <Card>
            {isError ? (
              <ErrorState
                title="The connector could not be loaded"
                error={error}
                onRetry={() => refetch()}
                isRetrying={isFetching}
              />
            ) : (
              <SkeletonRows label="Loading the connector" />
            )}
          </Card>
        </>
      )}
    </Page>
  );
}

function Shown({ connector, hasComeBack }: { connector: Connector; hasComeBack: boolean }) {
  const { id, name, auth, login, status } = connector;
  const checking = useCheckConnector(id);
  const beginning = useBeginLogin(id);
  const needsLogin = auth.type === "oauth" && (login === null || status === "needs_login");
  return (
    <>
      <PageHead
        title={name}
        actions={
          <>
            {needsLogin && (
              <Button variant="primary" isBusy={beginning.isPending} onClick={() => beginning.mutate()}>
                Log in
              </Button>
            )}
            <Button isBusy={checking.isPending} onClick={() => checking.mutate()}>
              Check now
            </Button>
            <DeleteConnector id={id} name={name} />
          </>
        }
      />
      <div className={styles.section}>
        <p className={styles.told} role="status">
          {hasComeBack && login !== null && !checking.isSuccess && comeBackWords(connector)}
          {checking.isSuccess && checkedWords(connector)}
        </p>
        {beginning.isError && <ErrorNotice title="The login did not begin." error={beginning.error} />}
        {checking.isError && <ErrorNotice title="It was not checked." error={checking.error} />}
        <FactsCard facts={factsOf(connector)} />
      </div>
      {auth.type === "oauth" && <LoginPart connector={connector} needsLogin={needsLogin} />}
      <PageSection id="tools" title="Tools">
        <ConnectorTools connector={connector} />
      </PageSection>
      <PageSection id="used-by" title="Used by">
        <ConnectorUsers name={name} />
      </PageSection>
      <PageSection id="settings" title="Settings">
        <ConnectorSettings connector={connector} />
      </PageSection>
    </>
  );
}

function comeBackWords({ name, status, status_detail: detail }: Connector) {
  if (status === "ready") return `You are logged in. Runs of routines that name ${name} use this login from now on.`;
  return (
    <>
      You are logged in, but {name} can’t be used yet. <Plain text={detail ?? ""} />
    </>
  );
}

function checkedWords(connector: Connector): string {
  return connector.status === "ready"
    ? `It answers, and has told its tools: ${toolCount(connector)}.`
    : "It was looked at just now, and can’t be used: why stands below.";
}

function factsOf(connector: Connector) {
  const {
    url,
    auth,
    status,
    status_detail: detail,
    checked_at,
    server,
    last_used_at,
    updated_at,
    updated_by,
  } = connector;
  return [
    {
      name: "Status",
      value: (
        <div className={styles.status}>
          <LabelBadge {...statusLabel(connector)} look="badge" />
          {status !== "ready" && detail !== null && (
            <span>
              <Plain text={detail} />
            </span>
          )}
        </div>
      ),
    },
    { name: "Looked at", value: checked_at === null ? "Not yet" : <Time at={checked_at} /> },
    {
      name: "Address",
      value: (
        <code>
          <Plain text={url} />
        </code>
      ),
    },
    { name: "Signs in", value: signInWords(auth) },
    ...(server === null
      ? []
      : [
          {
            name: "The server says",
            value: <Plain text={`${server.name}, version ${server.version}, MCP of ${server.protocol}`} />,
          },
        ]),
    { name: "Last used", value: last_used_at === null ? "Never by a run" : <Time at={last_used_at} /> },
    {
      name: "Settings changed",
      value: (
        <>
          <Time at={updated_at} /> {actorWords(updated_by)}
        </>
      ),
    },
  ];
}
