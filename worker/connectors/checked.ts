/** Looks at a connector, and keeps what is seen. */
import type { Connector } from "#protocol/connector.ts";
import type { Deps } from "../deps.ts";
import { checkConnector } from "./check-connector.ts";

/** What is seen of the server is kept with the connector as it was looked at. A login that ends by it is shown no more. */
export async function checked(deps: Deps, connector: Connector): Promise<Connector> {
  const { secretValues: secrets, loginAccess, outside, connectors } = deps;
  const state = await checkConnector({ secrets, loginAccess, outside, now: Date.now }, connector);
  await connectors.keepState(connector, state);
  const login = connector.auth.type === "oauth" ? ((await connectors.find(connector.id))?.login ?? null) : null;
  return { ...connector, ...state, login };
}
