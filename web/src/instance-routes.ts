/** The addresses of the pages about the instance: what its routines share, and how it does. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
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

export const INSTANCE_ROUTES = [secretsRoute, secretRoute] as const;
