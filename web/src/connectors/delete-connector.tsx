/** Deletes a connector; while a routine names it that is refused, and says which. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { connectorName } from "../format/connectors.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { listed } from "../secrets/secret-words.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog, preloadDialogs } from "../ui/dialog.tsx";
import { useDeleteConnector } from "./connector-queries.ts";
import { withNames } from "./users-in-words.ts";

export function DeleteConnector({ id, name }: { id: string; name: string }) {
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const deleting = useDeleteConnector(id);
  const routines = useQuery(everyRoutineQuery).data ?? [];
  const names = routines
    .filter((routine) => routine.connectors.some((one) => connectorName(one) === name))
    .map((routine) => routine.name);
  return (
    <>
      <Button variant="ghost" onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setOpen(true)}>
        Delete…
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        onOpenChange={(next) => {
          setOpen(next);
          deleting.reset();
        }}
        title={`Delete ${name}?`}
        description={
          names.length === 0
            ? "No routine names it. Its settings and its login can’t be brought back."
            : `${listed(names)} ${names.length === 1 ? "names" : "name"} it: until that is changed, it can’t be deleted.`
        }
        keepLabel="Keep it"
        confirmLabel="Delete connector"
        isBusy={deleting.isPending}
        error={deleting.error === null ? null : withNames(deleting.error, routines)}
        onConfirm={() => deleting.mutate(undefined, { onSuccess: () => void navigate({ to: "/connectors" }) })}
      />
    </>
  );
}
