/** What can be done with secrets. */
import { useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { useWrite } from "../write.ts";
import { narrowed } from "./secret-words.ts";

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
