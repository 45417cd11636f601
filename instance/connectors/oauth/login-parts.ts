/** What logins of connectors depend on. */

import type { ConnectorLogins } from "../../d1/connector-logins.ts";
import type { KeyRing } from "../../key-ring.ts";
import type { SecretsOfRuns } from "../../secrets/secrets-of-runs.ts";
import type { OutsideOptions } from "../ask-outside.ts";

export interface LoginParts {
  logins: ConnectorLogins;
  ring: KeyRing;
  secrets: Pick<SecretsOfRuns, "fill" | "fillTexts">;
  outside: OutsideOptions;
  now(): number;
  pause(ms: number): Promise<void>;
}
