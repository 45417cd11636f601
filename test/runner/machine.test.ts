/** What of the machine itself an agent can reach: as another user than the runner's, where the runner is root, and as root. */
import { machineJourney } from "./support/machine-journey.ts";
import { shutWays, usualWays } from "./support/ways.ts";

machineJourney([...usualWays, ...shutWays]);
