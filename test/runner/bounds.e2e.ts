/** Whatever a run takes too much of ends it, as whichever user it runs; the rest is in bounds.test.ts. */
import { ALL_KINDS, greedyRuns } from "./support/greedy-runs.ts";
import { shutWays, usersWays, usualWays } from "./support/ways.ts";

greedyRuns(usualWays, ["room for files without a name", "threads"]);
greedyRuns([...shutWays, ...usersWays], ALL_KINDS);
