/** Deletes a session, after saying what is lost with it. */
import type { Session } from "#protocol/session.ts";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { useDeleteSession } from "./session-changes.ts";

interface DeleteDialogProps {
  session: Session;
  isOpen: boolean;
  onClose: () => void;
}

export function DeleteDialog({ session, isOpen, onClose }: DeleteDialogProps) {
  const deleting = useDeleteSession(session);
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onOpenChange={onClose}
      title="Delete this session?"
      description="Its transcript, the agent’s conversation, its workspace and the files that it has shown are gone, and its runs can’t be started again. Its runs stay in lists and counts, without what they were given and what they reported. What it has pushed stays. This can’t be undone."
      keepLabel="Keep it"
      confirmLabel="Delete"
      onConfirm={() => deleting.mutate()}
      isBusy={deleting.isPending}
      error={deleting.error}
    />
  );
}
