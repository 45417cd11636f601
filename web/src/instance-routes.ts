/** The addresses of the pages about the instance: what its routines share, and how it does. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { environmentQuery, environmentsQuery } from "./environments/environment-queries.ts";
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

export const INSTANCE_ROUTES = [
  secretsRoute,
  secretRoute,
  environmentsRoute,
  newEnvironmentRoute,
  environmentRoute,
] as const;
