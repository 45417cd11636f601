/** The addresses of the pages about the instance: what its routines share, and how it does. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { deadLettersQuery, type LetterState, parseLetterState } from "./dead-letters/dead-letter-queries.ts";
import { queryClient } from "./query-client.ts";
import { rootRoute } from "./root-route.ts";

const getParentRoute = () => rootRoute;

// What these pages ask for is loaded with them: no other page needs it, and each would load all of it.
const budgets = () => import("./budgets/budget-queries.ts");
const connectors = () => import("./connectors/connector-queries.ts");
const environments = () => import("./environments/environment-queries.ts");
const notifications = () => import("./notifications/notification-queries.ts");
const pools = () => import("./pools/pool-queries.ts");
const secrets = () => import("./secrets/secret-queries.ts");

/** Where it can't be loaded the page can't either, and says so. */
function begin<Queries>(load: () => Promise<Queries>, ask: (queries: Queries) => unknown): void {
  load().then(ask, () => undefined);
}

const secretsRoute = createRoute({
  getParentRoute,
  path: "/secrets",
  // `set`: a secret that is missing, named by the page that led here.
  validateSearch: (search): { set?: string } => (typeof search["set"] === "string" ? { set: search["set"] } : {}),
  loader: () => begin(secrets, ({ secretsQuery }) => queryClient.prefetchInfiniteQuery(secretsQuery())),
  component: lazyRouteComponent(() => import("./secrets/secrets-page.tsx"), "SecretsPage"),
});

const secretRoute = createRoute({
  getParentRoute,
  path: "/secrets/$name",
  loader: ({ params }) => begin(secrets, ({ secretQuery }) => queryClient.prefetchQuery(secretQuery(params.name))),
  component: lazyRouteComponent(() => import("./secrets/secret-page.tsx"), "SecretPage"),
});

const environmentsRoute = createRoute({
  getParentRoute,
  path: "/environments",
  loader: () => begin(environments, ({ environmentsQuery }) => queryClient.prefetchInfiniteQuery(environmentsQuery())),
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
  loader: ({ params }) =>
    begin(environments, ({ environmentQuery }) => queryClient.prefetchQuery(environmentQuery(params.id))),
  component: lazyRouteComponent(() => import("./environments/environment-page.tsx"), "EnvironmentPage"),
});

const connectorsRoute = createRoute({
  getParentRoute,
  path: "/connectors",
  loader: () => begin(connectors, ({ connectorsQuery }) => queryClient.prefetchInfiniteQuery(connectorsQuery())),
  component: lazyRouteComponent(() => import("./connectors/connectors-page.tsx"), "ConnectorsPage"),
});

const newConnectorRoute = createRoute({
  getParentRoute,
  path: "/connectors/new",
  component: lazyRouteComponent(() => import("./connectors/new-connector-page.tsx"), "NewConnectorPage"),
});

const connectorRoute = createRoute({
  getParentRoute,
  path: "/connectors/$id",
  // `login`: an authorization server has sent the browser back, and a login was made.
  validateSearch: (search): { login?: "done" } => (search["login"] === "done" ? { login: "done" } : {}),
  loader: ({ params }) =>
    begin(connectors, ({ connectorQuery }) => queryClient.prefetchQuery(connectorQuery(params.id))),
  component: lazyRouteComponent(() => import("./connectors/connector-page.tsx"), "ConnectorPage"),
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
  loader: () =>
    begin(notifications, ({ rulesQuery, notificationsQuery }) => {
      void queryClient.prefetchQuery(rulesQuery);
      void queryClient.prefetchInfiniteQuery(notificationsQuery());
    }),
  component: lazyRouteComponent(() => import("./notifications/notifications-page.tsx"), "NotificationsPage"),
});

const poolsRoute = createRoute({
  getParentRoute,
  path: "/pools",
  loader: () => begin(pools, ({ poolsQuery }) => queryClient.prefetchInfiniteQuery(poolsQuery())),
  component: lazyRouteComponent(() => import("./pools/pools-page.tsx"), "PoolsPage"),
});

const budgetsRoute = createRoute({
  getParentRoute,
  path: "/budgets",
  loader: () =>
    begin(budgets, ({ budgetsQuery, waitingForBudgetQuery }) => {
      void queryClient.prefetchQuery(budgetsQuery);
      void queryClient.prefetchQuery(waitingForBudgetQuery);
    }),
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
  connectorsRoute,
  newConnectorRoute,
  connectorRoute,
] as const;
