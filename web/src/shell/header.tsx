/** The header of every page. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { setAccess } from "../access.ts";
import { signOut } from "../client/generated.ts";
import { Button } from "../ui/button.tsx";
import { Mark } from "./mark.tsx";
import styles from "./shell.module.css";
import { ThemeControl } from "./theme-control.tsx";

export function Header({ showsSignOut }: { showsSignOut: boolean }) {
  const queryClient = useQueryClient();
  const leaving = useMutation({
    mutationFn: () => signOut(),
    onSuccess: () => {
      setAccess("signed-out");
      queryClient.clear();
    },
  });
  return (
    <header className={styles.header}>
      <div className={styles.bar}>
        <Link to="/" className={styles.brand}>
          <Mark size={22} />
          Reveille
        </Link>
        <ThemeControl />
        {showsSignOut && (
          <Button variant="ghost" isBusy={leaving.isPending} onClick={() => leaving.mutate()}>
            Sign out
          </Button>
        )}
      </div>
    </header>
  );
}
