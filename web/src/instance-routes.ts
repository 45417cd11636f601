/** The addresses of the pages about the instance: what its routines share, and how it does. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { budgetsQuery, waitingForBudgetQuery } from "./budgets/budget-queries.ts";
import { deadLettersQuery, type LetterState, parseLetterState } from "./dead-letters/dead-letter-queries.ts";
import { environmentQuery, environmentsQuery } from "./environments/environment-queries.ts";
import { notificationsQuery, rulesQuery } from "./notifications/notification-queries.ts";
import { poolsQuery } from "./pools/pool-queries.ts";
import { queryClient } from "./query-client.ts";
import { rootRoute } from "./root-route.ts";
import { secretQuery, secretsQuery } from "./secrets/secret-queries.ts";

const getParentRoute = () => rootRoute;

const secretsRoute = createRoute({
  getParentRoute,
  path: "/secrets",
  // `set`: a secret that is missing, named by the page that led here.
  validateSearch: (search): { set?: string } => (typeof search["set"] === "string" ? { set: search["set"] } : {}),
  loader: () => void queryClient.prefetchInfiniteQuery(secretsQuery()),
  component: lazyRouteComponent(() => import("./secrets/secrets-page.tsx"), "SecretsPage"),
});

const secretRoute = createRoute({
  getParentRoute,
  path: "/secrets/$name",
  loader: ({ params }) => void queryClient.prefetchQuery(secretQuery(params.name)),
  component: lazyRouteComponent(() => import("./secrets/secret-page.tsx"), "SecretPage"),
});

const environmentsRoute = createRoute({
  getParentRoute,
  path: "/environments",
  loader: () => void queryClient.prefetchInfiniteQuery(environmentsQuery()),
  component: lazyRouteComponent(() => import("./environments/environments-page.tsx"), "EnvironmentsPage"),
});

const newEnvironmentRoute = createRoute({
  getParentRoute,
  path: "/environments/new",
  component: lazyRouteComponent(() => import("./environments/new-environment-page.tsx"), "NewEnvironmentPage"),
});

const environmentRoute = createRoute({
  getParentRoute,
  path: "/environments/$id",
  loader: ({ params }) => void queryClient.prefetchQuery(environmentQuery(params.id)),
  component: lazyRouteComponent(() => import("./environments/environment-page.tsx"), "EnvironmentPage"),
});

const deadLettersRoute = createRoute({
  getParentRoute,
  path: "/dead-letters",
  validateSearch: (search): { state?: LetterState } => parseLetterState(search["state"]),
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void queryClient.prefetchInfiniteQuery(deadLettersQuery(deps.state ?? "open")),
  component: lazyRouteComponent(() => import("./dead-letters/dead-letters-page.tsx"), "DeadLettersPage"),
});

const doctorRoute = createRoute({
  getParentRoute,
  path: "/doctor",
  component: lazyRouteComponent(() => import("./doctor/doctor-page.tsx"), "DoctorPage"),
});

const notificationsRoute = createRoute({
  getParentRoute,
  path: "/notifications",
  loader: () => {
    void queryClient.prefetchQuery(rulesQuery);
    void queryClient.prefetchInfiniteQuery(notificationsQuery());
  },
  component: lazyRouteComponent(() => import("./notifications/notifications-page.tsx"), "NotificationsPage"),
});

const poolsRoute = createRoute({
  getParentRoute,
  path: "/pools",
  loader: () => void queryClient.prefetchInfiniteQuery(poolsQuery()),
  component: lazyRouteComponent(() => import("./pools/pools-page.tsx"), "PoolsPage"),
});

const budgetsRoute = createRoute({
  getParentRoute,
  path: "/budgets",
  loader: () => {
    void queryClient.prefetchQuery(budgetsQuery);
    void queryClient.prefetchQuery(waitingForBudgetQuery);
  },
  component: lazyRouteComponent(() => import("./budgets/budgets-page.tsx"), "BudgetsPage"),
});

export const INSTANCE_ROUTES = [
  budgetsRoute,
  poolsRoute,
  notificationsRoute,
  deadLettersRoute,
  doctorRoute,
  secretsRoute,
  secretRoute,
  environmentsRoute,
  newEnvironmentRoute,
  environmentRoute,
] as const;
