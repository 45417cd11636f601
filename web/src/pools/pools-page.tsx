/** Pools of runners: who serves, what waits and why, and the tokens with which runners come. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Page } from "../shell/page.tsx";
import { Button } from "../ui/button.tsx";
import { preloadDialogs } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { NewPoolDialog } from "./new-pool-dialog.tsx";
import { poolsQuery } from "./pool-queries.ts";
import { PoolRow } from "./pool-row.tsx";
import { type GivenToken, TokenDialog } from "./token-dialog.tsx";

export function PoolsPage() {
  const query = useInfiniteQuery(poolsQuery());
  const [isMaking, setMaking] = useState(false);
  const [given, setGiven] = useState<GivenToken | null>(null);
  return (
    <Page title="Pools">
      <PageHead
        title="Pools"
        lead="Where runs are worked on. Routines run on the pool default unless they name another; the runners of a pool are machines of your own."
        actions={
          <Button
            variant="primary"
            onPointerEnter={preloadDialogs}
            onFocus={preloadDialogs}
            onClick={() => setMaking(true)}
          >
            New pool
          </Button>
        }
      />
      <PagedList
        query={query}
        noun="pools"
        empty={<EmptyState title="No pools" />}
        row={(pool) => <PoolRow key={pool.name} pool={pool} onToken={setGiven} />}
      />
      <NewPoolDialog isOpen={isMaking} onClose={() => setMaking(false)} onMade={setGiven} />
      <TokenDialog given={given} onClose={() => setGiven(null)} />
    </Page>
  );
}
