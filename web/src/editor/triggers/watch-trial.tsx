/** What a watch that is saved would see now, and beginning anew. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { previewWatch, resetWatch, type WatchPreview } from "../../client/generated.ts";
import { plural } from "../../format/amounts.ts";
import { routineQuery } from "../../queries.ts";
import { Plain } from "../../session/text/plain.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { List, ListRow } from "../../ui/card.tsx";
import { ConfirmDialog, preloadDialogs } from "../../ui/dialog.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { useWrite } from "../../write.ts";
import styles from "../editor.module.css";

export function WatchTrial({ id, triggerId }: { id: string; triggerId: string }) {
  const queryClient = useQueryClient();
  const [isSure, setSure] = useState(false);
  const looking = useWrite({ mutationFn: () => previewWatch(id, triggerId) });
  const resetting = useWrite({
    mutationFn: () => resetWatch(id, triggerId),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: routineQuery(id).queryKey }),
  });
  return (
    <>
      <div className={styles.buttons}>
        <Button size="sm" isBusy={looking.isPending} onClick={() => looking.mutate()}>
          Preview
        </Button>
        <Button
          size="sm"
          variant="ghost"
          onPointerEnter={preloadDialogs}
          onFocus={preloadDialogs}
          onClick={() => setSure(true)}
        >
          Reset
        </Button>
      </div>
      {looking.isError && <ErrorNotice title="It could not look." error={looking.error} />}
      <div role="status">
        {looking.data !== undefined && <Seen preview={looking.data} />}
        {resetting.isSuccess && <p className={styles.hint}>What was known is forgotten: the next look is the first.</p>}
      </div>
      <ConfirmDialog
        isOpen={isSure}
        onOpenChange={setSure}
        title="Forget what this watch knows?"
        description="Its next look begins anew and wakes nothing: what has changed since its last look is not told."
        keepLabel="Keep it"
        confirmLabel="Forget it"
        isBusy={resetting.isPending}
        error={resetting.error}
        onConfirm={() => resetting.mutate(undefined, { onSuccess: () => setSure(false) })}
      />
    </>
  );
}

const CHANGES = {
  new: { text: "New", tone: "success" },
  changed: { text: "Changed", tone: "success" },
  same: { text: "As it was", tone: "neutral" },
} as const;

function Seen({ preview }: { preview: WatchPreview }) {
  const { fault, has_baseline: hasBaseline, count, would_wake: waking, items } = preview;
  if (fault !== null) {
    return (
      <p className={styles.fault}>
        Nothing could be seen. <Plain text={fault} />
      </p>
    );
  }
  const outcome = hasBaseline
    ? `${waking === 0 ? "none" : waking} would wake it`
    : "none would wake it, as it has not looked before";
  return (
    <>
      <p className={styles.hint}>
        {plural(count, "item")}, of which {outcome}.{items.length < count && ` The first ${items.length} are shown.`}
      </p>
      {items.length > 0 && (
        <List label="Items">
          {items.map(({ key, change, item }) => (
            <ListRow key={key} className={styles.trial}>
              <p className={styles.trialHead}>
                {hasBaseline && <Badge tone={CHANGES[change].tone}>{CHANGES[change].text}</Badge>}
                <span>
                  <Plain text={key} />
                </span>
              </p>
              <p className={styles.item}>
                <Plain text={item} />
              </p>
            </ListRow>
          ))}
        </List>
      )}
    </>
  );
}
