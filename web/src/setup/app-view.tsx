/** The App that is set up: what it is, where it is installed, and how another takes its place. */
import type { GithubAppState } from "#protocol/github-app.ts";
import { problemOf } from "../problem.ts";
import { Badge } from "../ui/badge.tsx";
import { Card, List, ListRow } from "../ui/card.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Facts } from "../ui/facts.tsx";
import { Time } from "../ui/time.tsx";
import { MakeApp } from "./make-app.tsx";
import styles from "./setup.module.css";

interface AppViewProps {
  state: GithubAppState;
  app: NonNullable<GithubAppState["app"]>;
}

export function AppView({ state, app }: AppViewProps) {
  return (
    <>
      {state.replaced !== null && <Replaced replaced={state.replaced} />}
      {state.problem !== null && (
        <div className={styles.notice}>
          <ErrorNotice title="" error={problemOf(state.problem)} />
        </div>
      )}
      <Card className={styles.card}>
        <Facts layout="columns" facts={factsOf(state, app)} />
      </Card>
      <section className={styles.section} aria-labelledby="installed">
        <h2 className={styles.heading} id="installed">
          Installed on
        </h2>
        <Installations state={state} />
        {state.install_url !== null && (
          <a className={styles.install} href={state.install_url}>
            {state.installations.length === 0 ? "Install it" : "Install it on another account"}
          </a>
        )}
      </section>
      <details className={styles.section}>
        <summary className={styles.heading}>Replace it</summary>
        <Card className={styles.card}>
          <p>
            Another App takes the place of {app.name}, whose key is forgotten and whose webhooks are refused from then
            on. At GitHub it stays, with its installations, until you delete it there.
          </p>
          <MakeApp webhookUrl={state.webhook_url} />
        </Card>
      </details>
    </>
  );
}

function Installations({ state: { installations, problem } }: { state: GithubAppState }) {
  if (installations.length === 0) {
    return (
      <p className={styles.aside}>{problem === null ? "Nowhere yet: no repository is open to it." : "Not known."}</p>
    );
  }
  return (
    <List label="Installations">
      {installations.map(({ id, account, repositories, suspended, url }) => (
        <ListRow key={id} className={styles.row}>
          <strong>{account}</strong>
          <span className={styles.aside}>{repositories === "all" ? "All repositories" : "Selected repositories"}</span>
          {suspended && <Badge tone="danger">Suspended</Badge>}
          <a href={url}>Change</a>
        </ListRow>
      ))}
    </List>
  );
}

function Replaced({ replaced: { name, html_url } }: { replaced: NonNullable<GithubAppState["replaced"]> }) {
  return (
    <p className={styles.note}>
      The App before, <a href={html_url}>{name}</a>, counts for nothing any more. Delete it at GitHub when no other
      instance uses it.
    </p>
  );
}

function factsOf({ webhook_url, has_other_credential }: GithubAppState, app: AppViewProps["app"]) {
  const webhooks = app.has_webhook_secret && webhook_url !== null ? <code>{webhook_url}</code> : "None";
  return [
    { name: "App", value: <a href={app.html_url}>{app.name}</a> },
    { name: "Owner", value: app.owner },
    { name: "Set up", value: <Time at={app.made_at} /> },
    { name: "Webhooks", value: webhooks },
    {
      name: "Without access",
      value: has_other_credential ? "GIT_CREDENTIALS is used" : "Public repositories are read",
    },
  ];
}
