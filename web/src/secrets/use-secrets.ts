/** What can be done with secrets. */
import { useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { useWrite } from "../write.ts";

interface Setting {
  name: string;
  value: string;
  /** Undefined for that of a secret that there is, and for all runs with a new one. */
  scope: api.SecretScope | undefined;
}

export function useSetSecret() {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: ({ name, value, scope }: Setting) =>
      api.setSecret(name, scope === undefined ? { value } : { value, scope: narrowed(scope) }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["secrets"] }),
  });
}

export function useDeleteSecret() {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: (name: string) => api.deleteSecret(name),
    onSuccess: (_, name) => {
      queryClient.removeQueries({ queryKey: ["secrets", "one", name] });
      return queryClient.invalidateQueries({ queryKey: ["secrets"] });
    },
  });
}

/** A list with nothing in it would be refused: it stands for all, which is said by leaving it out. */
function narrowed({ routines = [], environments = [] }: api.SecretScope): api.SecretScope {
  return {
    ...(routines.length === 0 ? {} : { routines }),
    ...(environments.length === 0 ? {} : { environments }),
  };
}
