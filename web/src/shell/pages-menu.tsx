/** The menu of a narrow window: the pages, and what is about the browser. */

import { Button } from "../ui/button.tsx";
import { DialogView } from "../ui/dialog-views.tsx";
import { Navigation } from "./navigation.tsx";
import { useSignOut } from "./sign-out.tsx";

interface PagesMenuProps {
  isOpen: boolean;
  onClose: () => void;
}

export function PagesMenu({ isOpen, onClose }: PagesMenuProps) {
  const leaving = useSignOut();
  return (
    <DialogView
      isOpen={isOpen}
      onOpenChange={onClose}
      title="Menu"
      action={
        <Button isBusy={leaving.isPending} onClick={() => leaving.mutate()}>
          Sign out
        </Button>
      }
    >
      <Navigation onFollow={onClose} />
    </DialogView>
  );
}
