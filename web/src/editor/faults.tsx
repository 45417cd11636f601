/** What is wrong with a draft, or may not be meant, for whichever field it belongs to. */
import { createContext, useContext } from "react";
import type { FieldFault } from "../problem.ts";
import styles from "./editor.module.css";

interface Told {
  faults: readonly FieldFault[];
  warnings: readonly FieldFault[];
}

const ToldContext = createContext<Told>({ faults: [], warnings: [] });
export const ToldProvider = ToldContext.Provider;

/** Of the field at a path such as `triggers[0].cron`, as the props of a `Field`. */
export function useTold(path: string): { fault?: string; warning?: string } {
  const { faults, warnings } = useContext(ToldContext);
  const fault = faults.find(({ field }) => field === path)?.message;
  const warning = warnings.find(({ field }) => field === path)?.message;
  return { ...(fault === undefined ? {} : { fault }), ...(warning === undefined ? {} : { warning }) };
}

/** Whether anything is told of one of these paths, or of what is in it. */
export function useIsTold(paths: readonly string[]): boolean {
  const { faults, warnings } = useContext(ToldContext);
  return [...faults, ...warnings].some(({ field }) => paths.some((path) => isIn(field, path)));
}

/** What is told of a whole group, and not of a field in it. */
export function ToldHere({ path }: { path: string }) {
  const { faults, warnings } = useContext(ToldContext);
  const lines = [
    ...faults.map((one) => ({ ...one, className: styles.fault })),
    ...warnings.map((one) => ({ ...one, className: styles.warning })),
  ].filter(({ field }) => field === path);
  return lines.map(({ message, className }) => (
    <p key={message} className={className}>
      {message}
    </p>
  ));
}

/** The first thing that is told of anything in a field of many parts, with its place. */
export function useToldIn(path: string): string | undefined {
  const { faults, warnings } = useContext(ToldContext);
  const first = [...faults, ...warnings].find(({ field }) => isIn(field, path));
  if (first === undefined) return undefined;
  const place = first.field.slice(path.length).replace(/^\./, "");
  return place === "" ? first.message : `${place}: ${first.message}`;
}

function isIn(field: string, path: string): boolean {
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);
}
