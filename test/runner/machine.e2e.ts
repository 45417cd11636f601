/** What of the machine itself an agent can reach, as whichever user it runs. */
import { machineJourney } from "./support/machine-journey.ts";
import { shutWays, usersWays, usualWays } from "./support/ways.ts";

machineJourney([...usualWays, ...shutWays, ...usersWays]);
