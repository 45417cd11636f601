/** What is wrong with the instance, and what to do about it. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { diagnoseInstance, type Finding } from "../client/generated.ts";
import type { Tone } from "../format/status.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { Page } from "../shell/page.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Card, List } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { ErrorNotice, ErrorState } from "../ui/error-state.tsx";
import { CheckIcon } from "../ui/icons.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./doctor.module.css";

/** A look sends messages through queues and takes seconds: it is made when asked for. */
const diagnosisQuery = queryOptions({
  queryKey: ["diagnosis"],
  queryFn: ({ signal }) => diagnoseInstance({}, { signal }),
  staleTime: Number.POSITIVE_INFINITY,
  refetchOnWindowFocus: false,
});

const TOLD: Record<Finding["status"], { text: string; tone: Tone }> = {
  fault: { text: "Fault", tone: "danger" },
  warning: { text: "Warning", tone: "warning" },
  unknown: { text: "Not known", tone: "neutral" },
  ok: { text: "Fine", tone: "success" },
};
/** The worst first. */
const ORDER = ["fault", "warning", "unknown"] as const;

export function DoctorPage() {
  const { data, isError, error, refetch, isFetching } = useQuery(diagnosisQuery);
  return (
    <Page title="Doctor">
      <PageHead
        title="Doctor"
        lead={
          <>
            The instance looks itself over: database, bucket, clock, queues, secrets, GitHub, pools and containers. What
            it can’t see from inside, <code>npm run doctor</code> looks at from outside.
          </>
        }
        actions={
          <Button isBusy={isFetching} onClick={() => void refetch()}>
            Look again
          </Button>
        }
      />
      {data === undefined ? (
        <Card>
          {isError ? (
            <ErrorState title="The instance could not look" error={error} />
          ) : (
            <SkeletonRows label="The instance looks itself over" />
          )}
        </Card>
      ) : (
        <div className={styles.findings}>
          {isError && <ErrorNotice title="It could not look again." error={error} />}
          <p className={styles.when} role="status">
            Looked <Time at={data.at} />, version {data.version}
            {data.public_url !== null && `, at ${data.public_url}`}
          </p>
          <Findings findings={data.findings} />
        </div>
      )}
    </Page>
  );
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  const told = ORDER.flatMap((status) => findings.filter((finding) => finding.status === status));
  const fine = findings.filter(({ status }) => status === "ok");
  return (
    <>
      {told.length === 0 ? (
        <Card>
          <EmptyState icon={<CheckIcon size={22} />} title="Nothing is wrong" />
        </Card>
      ) : (
        <List label="Findings">
          {told.map((finding) => (
            <FindingRow key={`${finding.check} ${finding.message}`} finding={finding} />
          ))}
        </List>
      )}
      {fine.length > 0 && (
        <details className={styles.fine}>
          <summary>{fine.length === 1 ? "1 thing is fine" : `${fine.length} things are fine`}</summary>
          <List label="What is fine">
            {fine.map((finding) => (
              <FindingRow key={`${finding.check} ${finding.message}`} finding={finding} />
            ))}
          </List>
        </details>
      )}
    </>
  );
}

function FindingRow({ finding: { check, status, message, hint } }: { finding: Finding }) {
  const { text, tone } = TOLD[status];
  return (
    <Entry
      head={
        <>
          <span>{visibleLine(message)}</span>
          <Badge tone={tone}>{text}</Badge>
        </>
      }
      meta={[check]}
    >
      {hint !== null && <p className={styles.hint}>{visibleLine(hint)}</p>}
    </Entry>
  );
}
