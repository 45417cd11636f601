/** The pages and their addresses. Each page is loaded when it is first needed; what it shows is asked for meanwhile. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { routineQuery, routineRunsQuery, routinesQuery, runsQuery } from "./queries.ts";
import { queryClient } from "./query-client.ts";
import { parseRoutineTab, type RoutineTab } from "./routines/routine-tab.ts";
import { NotFound } from "./shell/not-found.tsx";
import { PageError } from "./shell/page-error.tsx";
import { PagePending } from "./shell/page-pending.tsx";
import { Shell } from "./shell/shell.tsx";

const rootRoute = createRootRoute({ component: Shell });

const routinesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  loader: () => {
    void queryClient.prefetchInfiniteQuery(routinesQuery());
    void queryClient.prefetchInfiniteQuery(runsQuery());
  },
  component: lazyRouteComponent(() => import("./routines/routines-page.tsx"), "RoutinesPage"),
});

const routineRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routines/$id",
  validateSearch: (search): { tab?: RoutineTab } => parseRoutineTab(search["tab"]),
  loader: ({ params }) => {
    void queryClient.prefetchQuery(routineQuery(params.id));
    void queryClient.prefetchInfiniteQuery(routineRunsQuery(params.id));
  },
  component: lazyRouteComponent(() => import("./routines/routine-page.tsx"), "RoutinePage"),
});

const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sessions/$id",
  component: lazyRouteComponent(() => import("./session/session-page.tsx"), "SessionPage"),
});

const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$id",
  component: lazyRouteComponent(() => import("./session/run-page.tsx"), "RunPage"),
});

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  component: lazyRouteComponent(() => import("./setup/setup-page.tsx"), "SetupPage"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([routinesRoute, routineRoute, sessionRoute, runRoute, setupRoute]),
  defaultPreload: "intent",
  // Queries decide themselves whether what they have is too old.
  defaultPreloadStaleTime: 0,
  defaultPendingComponent: PagePending,
  defaultNotFoundComponent: () => <NotFound />,
  defaultErrorComponent: PageError,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
