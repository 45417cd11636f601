/** A value once it has stopped changing: what is asked of the instance while somebody types waits for that. */
import { useEffect, useState } from "react";

const QUIET_MS = 400;

export function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), QUIET_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
