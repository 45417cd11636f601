/** What has come from outside, the newest first, whether or not it led to anything. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { Delivery } from "#protocol/delivery.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { Page } from "../shell/page.tsx";
import { LabelBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ListRow, rowLinkClass } from "../ui/card.tsx";
import { classNames } from "../ui/class-names.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { Choice, Filters, SearchField } from "../ui/filters.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./deliveries.module.css";
import { type DeliveryFilters, parseDeliveryFilters } from "./delivery-filters.ts";
import { deliveriesQuery } from "./delivery-queries.ts";
import {
  DELIVERY_STATUS_LABELS,
  deliveryLine,
  SOURCE_OPTIONS,
  SOURCE_TEXTS,
  STATUS_OPTIONS,
  whatFollowed,
} from "./delivery-words.ts";

export function DeliveriesPage() {
  const filters = useSearch({ from: "/deliveries" });
  const navigate = useNavigate({ from: "/deliveries" });
  const narrow = useCallback(
    (change: { [Key in keyof DeliveryFilters]: DeliveryFilters[Key] | undefined }) =>
      void navigate({
        search: (before) => parseDeliveryFilters({ ...before, ...change }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const search = useCallback((text: string) => narrow({ search: text }), [narrow]);
  const deliveries = useInfiniteQuery(deliveriesQuery(filters));
  const isNarrowed = Object.keys(filters).length > 0;
  return (
    <Page title="Deliveries">
      <PageHead title="Deliveries" lead="What sources have sent, as it arrived, and what each trigger made of it." />
      <Filters label="Narrow the deliveries">
        <SearchField label="Search in deliveries" value={filters.search ?? ""} onChange={search} />
        <Choice
          label="Source"
          all="Any source"
          options={SOURCE_OPTIONS}
          value={filters.source}
          onChange={(source) => narrow({ source })}
        />
        <Choice
          label="Status"
          all="Any status"
          options={STATUS_OPTIONS}
          value={filters.status}
          onChange={(status) => narrow({ status })}
        />
        {isNarrowed && (
          <Button variant="ghost" onClick={() => void navigate({ search: {}, replace: true })}>
            Show all
          </Button>
        )}
      </Filters>
      <PagedList
        query={deliveries}
        noun="deliveries"
        empty={isNarrowed ? <NoSuch /> : <None />}
        row={(delivery) => <DeliveryRow key={delivery.id} delivery={delivery} />}
      />
    </Page>
  );
}

function DeliveryRow({ delivery }: { delivery: Delivery }) {
  const { id, source, status, event, action, received_at: at } = delivery;
  return (
    <ListRow className={styles.row}>
      <div className={styles.badge}>
        <LabelBadge {...DELIVERY_STATUS_LABELS[status]} look="plain" />
      </div>
      <div className={styles.main}>
        <Link to="/deliveries/$id" params={{ id }} className={classNames(rowLinkClass, styles.line)}>
          {visibleLine(deliveryLine(delivery))}
        </Link>
        <p className={styles.meta}>
          <span>{SOURCE_TEXTS[source]}</span>
          {event !== null && <code>{visibleLine([event, action].filter((word) => word !== null).join("."))}</code>}
          <span>{visibleLine(whatFollowed(delivery))}</span>
        </p>
      </div>
      <div className={styles.side}>
        <Time at={at} />
      </div>
    </ListRow>
  );
}

function NoSuch() {
  return (
    <EmptyState icon={<InboxIcon size={22} />} title="No such delivery">
      <p>None is like that. Take a filter away, or search for another word.</p>
    </EmptyState>
  );
}

function None() {
  return (
    <EmptyState icon={<InboxIcon size={22} />} title="Nothing has come yet">
      <p>
        What GitHub and other sources send to this instance is kept here. <Link to="/setup">Set up the GitHub App</Link>
        , or give a routine a webhook trigger and send something to its endpoint.
      </p>
    </EmptyState>
  );
}
