/** A connector's tools, as its server describes them: a stranger's text, which nothing here acts upon. */
import type { Connector } from "../client/generated.ts";
import { Plain } from "../session/text/plain.tsx";
import { visibleText } from "../session/text/visible-text.ts";
import { Badge } from "../ui/badge.tsx";
import { Card } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { Rows } from "../ui/paged-list.tsx";
import styles from "./connectors.module.css";

export function ConnectorTools({ connector: { tools, status, auth, login } }: { connector: Connector }) {
  const lacks =
    auth.type === "oauth" && login === null
      ? "They are shown once somebody has logged in."
      : "They are shown once its server has answered: mend what its status says, then press “Check now”.";
  if (tools.length === 0) {
    return (
      <Card>
        <EmptyState title={status === "ready" ? "It has no tools" : "Its tools are not known yet"}>
          <p>{status === "ready" ? "Its server answers, and names none." : lacks}</p>
        </EmptyState>
      </Card>
    );
  }
  return (
    <div className={styles.section}>
      <p className={styles.quiet}>
        In the server’s words, which agents read, too. “Changes nothing” is what the server says of a tool, no proof.
        {status !== "ready" && " They are those that it told last."}
      </p>
      <Rows
        label="Tools"
        items={tools}
        hasMore={false}
        row={({ name, description, read_only }) => (
          <Entry
            key={name}
            head={
              <>
                <code>
                  <Plain text={name} />
                </code>
                {read_only && <Badge>Changes nothing</Badge>}
              </>
            }
          >
            {description !== "" && <p className={styles.description}>{visibleText(description)}</p>}
          </Entry>
        )}
      />
    </div>
  );
}
