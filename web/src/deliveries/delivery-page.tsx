/** One delivery: what each trigger made of it and why, what arrived, and "Replay". */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { DeliveryDetail } from "#protocol/delivery.ts";
import { asProblem } from "../problem.ts";
import { formatBytes } from "../session/text/preview.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { NotFound } from "../shell/not-found.tsx";
import { Page } from "../shell/page.tsx";
import { LabelBadge } from "../ui/badge.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { Facts } from "../ui/facts.tsx";
import { ChevronLeftIcon } from "../ui/icons.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Time, zonedTime } from "../ui/time.tsx";
import { Body } from "./body.tsx";
import styles from "./deliveries.module.css";
import { deliveryQuery } from "./delivery-queries.ts";
import { DELIVERY_STATUS_LABELS, deliveryLine, SOURCE_TEXTS } from "./delivery-words.ts";
import { Replay } from "./replay.tsx";
import { Verdicts } from "./verdicts.tsx";

export function DeliveryPage() {
  const { id } = useParams({ from: "/deliveries/$id" });
  const { data: delivery, error, isFetching, refetch } = useQuery(deliveryQuery(id));
  if (delivery !== undefined) return <DeliveryView delivery={delivery} />;
  if (error !== null && asProblem(error).status === 404) return <NotFound what="delivery" />;
  return (
    <Page title="Delivery">
      <h1 className="visually-hidden">Delivery</h1>
      <Card>
        {error === null ? (
          <SkeletonRows label="Loading the delivery" />
        ) : (
          <ErrorState
            title="The delivery could not be loaded"
            error={error}
            onRetry={() => refetch()}
            isRetrying={isFetching}
          />
        )}
      </Card>
    </Page>
  );
}

function DeliveryView({ delivery }: { delivery: DeliveryDetail }) {
  const title = visibleLine(deliveryLine(delivery));
  return (
    <Page title={title}>
      <nav aria-label="Breadcrumb" className={styles.crumbs}>
        <Link to="/deliveries">
          <ChevronLeftIcon size={14} />
          Deliveries
        </Link>
      </nav>
      <div className={styles.head}>
        <div className={styles.name}>
          <h1 className={styles.heading}>{title}</h1>
          <LabelBadge {...DELIVERY_STATUS_LABELS[delivery.status]} look="badge" />
        </div>
        <Replay id={delivery.id} label="Replay…" />
      </div>
      {delivery.note !== null && <p className={styles.note}>{visibleLine(delivery.note)}</p>}
      <Card className={styles.facts}>
        <Facts layout="columns" facts={factsOf(delivery)} />
      </Card>
      <section className={styles.section} aria-labelledby="verdicts">
        <h2 id="verdicts">What each trigger made of it</h2>
        <Verdicts delivery={delivery} />
      </section>
      <section className={styles.section} aria-labelledby="body">
        <h2 id="body">Body</h2>
        <Card className={styles.arrived}>
          {delivery.body === null ? (
            <p className={styles.gone}>It is kept for 7 days, and is gone by now.</p>
          ) : (
            <Body text={delivery.body} />
          )}
        </Card>
      </section>
      {Object.keys(delivery.headers).length > 0 && (
        <section className={styles.section} aria-labelledby="headers">
          <h2 id="headers">Headers</h2>
          <Card className={styles.facts}>
            <Facts
              facts={Object.entries(delivery.headers).map(([name, value]) => ({
                name,
                value: <code className={styles.header}>{visibleLine(value)}</code>,
              }))}
            />
          </Card>
        </section>
      )}
    </Page>
  );
}

function factsOf({
  source,
  event,
  action,
  provider_id: providerId,
  size_bytes: size,
  received_at: at,
  id,
}: DeliveryDetail) {
  const words = [event, action].filter((word) => word !== null).join(".");
  return [
    { name: "Source", value: SOURCE_TEXTS[source] },
    { name: "Event", value: words === "" ? "Not told" : <code>{visibleLine(words)}</code> },
    {
      name: "Received",
      value: (
        <>
          <Time at={at} />
          <br />
          <span className={styles.quiet}>{zonedTime(at)}</span>
        </>
      ),
    },
    { name: "Size", value: formatBytes(size) },
    ...(providerId === null ? [] : [{ name: "The source’s id", value: <code>{visibleLine(providerId)}</code> }]),
    { name: "Id", value: <code>{id}</code> },
  ];
}
