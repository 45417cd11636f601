/** Sets how many containers wait ready for runs, and for how many hours of a month they may. */
import { type FormEvent, useId, useState } from "react";
import { changePool, type PoolWarm } from "../client/generated.ts";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import styles from "../ui/form.module.css";
import { usePoolCall } from "./pool-queries.ts";

interface WarmProps {
  pool: string;
  warm: PoolWarm;
}

export function Warm({ pool, warm }: WarmProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        size="sm"
        aria-label={`Containers kept ready for ${pool}`}
        onPointerEnter={preloadDialogs}
        onFocus={preloadDialogs}
        onClick={() => setOpen(true)}
      >
        Keep ready…
      </Button>
      {isOpen && <WarmDialog pool={pool} warm={warm} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Made anew each time it opens, so it begins with what is set. */
function WarmDialog({ pool, warm, onClose }: WarmProps & { onClose: () => void }) {
  const formId = useId();
  const [containers, setContainers] = useState(String(warm.containers));
  const [hours, setHours] = useState(String(warm.hours_per_month));
  const setting = usePoolCall(() =>
    changePool(pool, { warm: { containers: numberOf(containers), hours_per_month: numberOf(hours) } }),
  );
  const issues = setting.isError ? asProblem(setting.error).issues : [];
  const faultOf = (path: string) => issues.find(({ field }) => field === path)?.message;

  function submit(event: FormEvent) {
    event.preventDefault();
    setting.mutate(undefined, { onSuccess: onClose });
  }

  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={`Containers kept ready for ${pool}`}
      description="They are started before there is a run for them, so that one begins sooner. They are paid for while they wait."
      closeLabel="Cancel"
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={setting.isPending}>
          Save
        </Button>
      }
    >
      <form id={formId} className={styles.stack} onSubmit={submit} noValidate>
        <Field
          label="Containers"
          hint={`How many wait at once; 0 for none. ${warm.ready} wait now.`}
          fault={faultOf("warm.containers")}
        >
          <input type="number" value={containers} onChange={({ target }) => setContainers(target.value)} />
        </Field>
        <Field
          label="Hours of waiting in a month"
          hint={`Of all of them together, in a month of UTC; none is kept ready after that. This month until now: ${warm.hours_used}.`}
          fault={faultOf("warm.hours_per_month")}
        >
          <input type="number" step="any" value={hours} onChange={({ target }) => setHours(target.value)} />
        </Field>
      </form>
      {setting.isError && <ErrorNotice title="It was not saved." error={setting.error} />}
    </Dialog>
  );
}

/** An empty field is no number: the instance says so beside it. */
function numberOf(text: string): number {
  return text === "" ? Number.NaN : Number(text);
}
