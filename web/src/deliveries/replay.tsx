/** Handles a delivery again, after one has been asked: it can start runs. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { replayDelivery } from "../client/generated.ts";
import { keepAnswer } from "../keep-answer.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { useWrite } from "../write.ts";
import { deliveryQuery } from "./delivery-queries.ts";

interface ReplayProps {
  id: string;
  label: string;
  /** In a row of a list. */
  isSmall?: boolean;
}

export function Replay({ id, label, isSmall = false }: ReplayProps) {
  const queryClient = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  // For each time that one is asked: whoever tries again after a lost answer replays once.
  const [key, setKey] = useState("");
  const replaying = useWrite({
    mutationFn: () => replayDelivery(id, { headers: { "idempotency-key": key } }),
    onSuccess: async (delivery) => {
      setAsking(false);
      await keepAnswer(queryClient, deliveryQuery(id).queryKey, delivery);
      for (const key of ["deliveries", "routine", "runs"]) void queryClient.invalidateQueries({ queryKey: [key] });
    },
  });
  function ask() {
    replaying.reset();
    setKey(crypto.randomUUID());
    setAsking(true);
  }
  return (
    <>
      <Button size={isSmall ? "sm" : "md"} onClick={ask} onPointerEnter={preloadDialogs} onFocus={preloadDialogs}>
        {label}
      </Button>
      <span className="visually-hidden" role="status">
        {replaying.isSuccess ? "Replayed" : ""}
      </span>
      <Dialog
        isOpen={isAsking}
        onOpenChange={setAsking}
        title="Replay this delivery?"
        description="Each trigger looks at it again, as if it had just come. Those that match now can start runs, also where they did before."
        action={
          <Button variant="primary" isBusy={replaying.isPending} onClick={() => replaying.mutate()}>
            Replay
          </Button>
        }
      >
        {replaying.isError && <ErrorNotice title="It was not replayed." error={replaying.error} />}
      </Dialog>
    </>
  );
}
