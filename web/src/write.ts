/** What every button that changes something goes through: a double click changes it once. */
import { type UseMutationOptions, type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import { isSecondClick } from "./second-click.ts";

/**
 * A mutation that is not started while it is under way, and not by the second click of a double click: between the two
 * nothing may have been drawn anew yet, or all may be over already.
 */
export function useWrite<Answer = unknown, Given = void>(
  options: UseMutationOptions<Answer, Error, Given>,
): UseMutationResult<Answer, Error, Given> {
  const isUnderWay = useRef(false);
  const mutation = useMutation<Answer, Error, Given>({
    ...options,
    onSettled: (...told) => {
      isUnderWay.current = false;
      return options.onSettled?.(...told);
    },
  });
  const start = mutation.mutate;
  const mutate = useCallback<typeof start>(
    (...given) => {
      if (isUnderWay.current || isSecondClick()) return;
      isUnderWay.current = true;
      start(...given);
    },
    [start],
  );
  return { ...mutation, mutate };
}
