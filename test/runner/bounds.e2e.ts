/** Whatever a run takes too much of ends it, as whichever user it runs. */
import { ALL_KINDS, greedyRuns } from "./support/greedy-runs.ts";
import { shutWays, usersWays, usualWays } from "./support/ways.ts";

greedyRuns([...usualWays, ...shutWays, ...usersWays], ALL_KINDS);
