/** While nothing has run: the way to the first run. */
import type { ListedRoutine } from "#protocol/routine.ts";
import { useRunNow } from "../routines/routine-changes.ts";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { PlayIcon } from "../ui/icons.tsx";
import styles from "./home.module.css";

export function FirstRun({ routines }: { routines: readonly ListedRoutine[] }) {
  // The oldest, which on a local instance is the demo.
  const routine = routines.at(-1);
  return routine === undefined ? null : <Offer routine={routine} />;
}

function Offer({ routine }: { routine: ListedRoutine }) {
  const starting = useRunNow(routine.id);
  return (
    <Card className={styles.first}>
      <div>
        <h2 className={styles.heading}>Nothing has run yet</h2>
        <p>
          Start “{routine.name}” and watch what the agent does. It works in a copy of the repositories that the routine
          names.
        </p>
      </div>
      <Button
        variant="primary"
        icon={<PlayIcon size={13} />}
        isBusy={starting.isPending}
        onClick={() => starting.run("")}
      >
        Run it now
      </Button>
      {starting.isError && <ErrorNotice title="The run was not started." error={starting.error} />}
    </Card>
  );
}
