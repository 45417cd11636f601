/** Who is told of what of all routines, and what became of each notification. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Page } from "../shell/page.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHead, PageSection } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { DeliveryRow } from "./delivery-row.tsx";
import { FailingDestinations } from "./failing-destinations.tsx";
import { notificationsQuery } from "./notification-queries.ts";
import { Rules } from "./rules.tsx";

export function NotificationsPage() {
  const query = useInfiniteQuery(notificationsQuery());
  return (
    <Page title="Notifications">
      <PageHead
        title="Notifications"
        lead="Webhooks, messages in Slack, Telegram and Discord, and e-mails for whoever has to know. Rules here count for all routines; a routine can have more of its own."
      />
      <FailingDestinations />
      <Rules />
      <PageSection id="sent" title="What was sent">
        <PagedList
          query={query}
          noun="notifications"
          empty={
            <EmptyState title="Nothing has been sent yet">
              <p>As soon as a rule here or of a routine has something to tell, it stands here with all its tries.</p>
            </EmptyState>
          }
          row={(notification) => <DeliveryRow key={notification.id} notification={notification} />}
        />
      </PageSection>
    </Page>
  );
}
