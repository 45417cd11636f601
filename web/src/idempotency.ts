/** Keys against repeats: an instance that gets one twice does once what it was asked. */
import { useRef } from "react";

/** @returns headers for a request; the same ones as long as the same is asked, so that it can be asked again after a lost answer. */
export function useIdempotencyHeaders(): (asked: unknown) => { "idempotency-key": string } {
  const last = useRef({ asked: "", key: "" });
  return (asked) => {
    const text = JSON.stringify(asked);
    if (last.current.key === "" || last.current.asked !== text) {
      last.current = { asked: text, key: crypto.randomUUID() };
    }
    return { "idempotency-key": last.current.key };
  };
}
