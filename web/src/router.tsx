/** The pages and their addresses. Each page is loaded when it is first needed; what it shows is asked for meanwhile. */
import { createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { parseDeliveryFilters } from "./deliveries/delivery-filters.ts";
import { deliveriesQuery, deliveryQuery } from "./deliveries/delivery-queries.ts";
import { parseSavedNote, type SavedNote } from "./editor/saved-note.ts";
import { activeRunsQuery, homeRoutinesQuery, lastResultsQuery, troublesQuery } from "./home/home-queries.ts";
import { INSTANCE_ROUTES } from "./instance-routes.ts";
import { routineQuery, routineRunsQuery, routineStatsQuery, routinesQuery, runsQuery } from "./queries.ts";
import { queryClient } from "./query-client.ts";
import { rootRoute } from "./root-route.ts";
import { parseRoutineFilters } from "./routines/routine-filters.ts";
import { parseRoutineTab, type RoutineTab } from "./routines/routine-tab.ts";
import { parseRunFilters } from "./runs/run-filters.ts";
import { parseSessionView, type SessionViewName } from "./session/session-views.ts";
import { NotFound } from "./shell/not-found.tsx";
import { PageError } from "./shell/page-error.tsx";
import { PagePending } from "./shell/page-pending.tsx";

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  loader: () => {
    void queryClient.prefetchQuery(homeRoutinesQuery);
    void queryClient.prefetchQuery(troublesQuery);
    void queryClient.prefetchQuery(activeRunsQuery);
    void queryClient.prefetchQuery(lastResultsQuery);
  },
  component: lazyRouteComponent(() => import("./home/home-page.tsx"), "HomePage"),
});

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs",
  validateSearch: parseRunFilters,
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void queryClient.prefetchInfiniteQuery(runsQuery(deps)),
  component: lazyRouteComponent(() => import("./runs/runs-page.tsx"), "RunsPage"),
});

const deliveriesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deliveries",
  validateSearch: parseDeliveryFilters,
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void queryClient.prefetchInfiniteQuery(deliveriesQuery(deps)),
  component: lazyRouteComponent(() => import("./deliveries/deliveries-page.tsx"), "DeliveriesPage"),
});

const deliveryRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deliveries/$id",
  loader: ({ params }) => void queryClient.prefetchQuery(deliveryQuery(params.id)),
  component: lazyRouteComponent(() => import("./deliveries/delivery-page.tsx"), "DeliveryPage"),
});

const routinesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routines",
  validateSearch: parseRoutineFilters,
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void queryClient.prefetchInfiniteQuery(routinesQuery(deps)),
  component: lazyRouteComponent(() => import("./routines/routines-page.tsx"), "RoutinesPage"),
});

const routineRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routines/$id",
  validateSearch: (search): { tab?: RoutineTab } => parseRoutineTab(search["tab"]),
  loader: ({ params }) => {
    void queryClient.prefetchQuery(routineQuery(params.id));
    void queryClient.prefetchInfiniteQuery(routineRunsQuery(params.id));
    void queryClient.prefetchQuery(routineStatsQuery(params.id));
  },
  component: lazyRouteComponent(() => import("./routines/routine-page.tsx"), "RoutinePage"),
});

const newRoutineRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routines/new",
  validateSearch: (search): { template?: string; from?: string } => ({
    ...(typeof search["template"] === "string" ? { template: search["template"] } : {}),
    ...(typeof search["from"] === "string" ? { from: search["from"] } : {}),
  }),
  // Each template is an editor of its own: what was written in one is not carried into the next.
  remountDeps: ({ search }) => search,
  component: lazyRouteComponent(() => import("./editor/new-page.tsx"), "NewRoutinePage"),
});

const editRoutineRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routines/$id/edit",
  validateSearch: (search): { saved?: SavedNote } => parseSavedNote(search["saved"]),
  loader: ({ params }) => {
    void queryClient.prefetchQuery(routineQuery(params.id));
  },
  component: lazyRouteComponent(() => import("./editor/edit-page.tsx"), "EditRoutinePage"),
});

const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sessions/$id",
  validateSearch: (search): { view?: SessionViewName } => parseSessionView(search["view"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => {
    // Where it can't be loaded the page asks again, and says so.
    if (deps.view === undefined) import("./session/transcript.tsx").catch(() => undefined);
  },
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
  routeTree: rootRoute.addChildren([
    homeRoute,
    runsRoute,
    deliveriesRoute,
    deliveryRoute,
    routinesRoute,
    newRoutineRoute,
    routineRoute,
    editRoutineRoute,
    sessionRoute,
    runRoute,
    setupRoute,
    ...INSTANCE_ROUTES,
  ]),
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
