/** Keeps a double click from doing something twice: between its two clicks nothing has been drawn anew yet. */
import type { UseMutationResult } from "@tanstack/react-query";
import { useRef } from "react";

type Startable<Variables> = Pick<UseMutationResult<unknown, Error, Variables>, "mutate">;

/** @returns a function that starts the change, and does nothing while one is under way. */
export function useOneAtATime<Variables>({ mutate }: Startable<Variables>): (variables: Variables) => void {
  const isUnderWay = useRef(false);
  return (variables) => {
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    mutate(variables, {
      onSettled: () => {
        isUnderWay.current = false;
      },
    });
  };
}
