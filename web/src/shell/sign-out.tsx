/** Ends this browser's sign-in. */
import { useQueryClient } from "@tanstack/react-query";
import { setAccess } from "../access.ts";
import { signOut } from "../client/generated.ts";
import { Button } from "../ui/button.tsx";
import { useWrite } from "../write.ts";
import { SignOutIcon } from "./navigation-icons.tsx";

export function useSignOut() {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: () => signOut(),
    onSuccess: () => {
      setAccess("signed-out");
      queryClient.clear();
    },
  });
}

export function SignOut() {
  const leaving = useSignOut();
  return (
    <Button
      variant="ghost"
      aria-label="Sign out"
      title="Sign out"
      icon={<SignOutIcon />}
      isBusy={leaving.isPending}
      onClick={() => leaving.mutate()}
    />
  );
}
