/** What the palette offers: pages, actions, routines, and the newest runs. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { listRoutines, listRuns } from "../client/generated.ts";
import { runHeadline, runLabel } from "../format/status.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { KeyboardIcon, RoutinesIcon, RunsIcon, SignOutIcon } from "./navigation-icons.tsx";
import { PAGES } from "./pages.ts";
import type { Entry } from "./palette-match.ts";
import { useSignOut } from "./sign-out.tsx";
import { chooseTheme, themes } from "./theme.ts";
import { THEME_LOOKS } from "./theme-looks.ts";

export interface Command extends Entry {
  id: string;
  group: "Go to" | "Routines" | "Recent runs" | "Do";
  detail?: string;
  Icon: (props: { size?: number }) => React.ReactNode;
  /** Whether it leads to another page. */
  leads: boolean;
  run: () => void;
}

/** As many as one page of the API's has. */
const ROUTINES = 200;
const RUNS = 20;
const FRESH_MS = 30_000;

const paletteRoutinesQuery = queryOptions({
  queryKey: ["palette", "routines"],
  queryFn: ({ signal }) => listRoutines({ limit: ROUTINES }, { signal }),
  staleTime: FRESH_MS,
});
const paletteRunsQuery = queryOptions({
  queryKey: ["palette", "runs"],
  queryFn: ({ signal }) => listRuns({ limit: RUNS }, { signal }),
  staleTime: FRESH_MS,
});

export function usePaletteCommands(onShortcuts: () => void): { commands: Command[]; isLoading: boolean } {
  const navigate = useNavigate();
  const { mutate: signOut } = useSignOut();
  const routines = useQuery(paletteRoutinesQuery);
  const runs = useQuery(paletteRunsQuery);
  const commands = useMemo(() => {
    const pages = PAGES.map(
      ({ to, title, Icon }): Command => ({
        id: `page-${title}`,
        group: "Go to",
        title,
        Icon,
        leads: true,
        run: () => void navigate({ to }),
      }),
    );
    const toRoutines = (routines.data?.data ?? []).map(
      ({ id, name, status, tags }): Command => ({
        id,
        group: "Routines",
        title: name,
        words: `routine ${Object.values(tags).join(" ")}`,
        ...(status === "paused" ? { detail: "Paused" } : {}),
        Icon: RoutinesIcon,
        leads: true,
        run: () => void navigate({ to: "/routines/$id", params: { id } }),
      }),
    );
    const toRuns = (runs.data?.data ?? []).map((run): Command => {
      const status = runLabel(run).text;
      return {
        id: run.id,
        group: "Recent runs",
        title: `${run.routine.name}: ${visibleLine(runHeadline(run))}`,
        words: `run ${status}`,
        detail: status,
        Icon: RunsIcon,
        leads: true,
        run: () => void navigate({ to: "/sessions/$id", params: { id: run.session_id } }),
      };
    });
    const inPlace: Pick<Command, "group" | "leads"> = { group: "Do", leads: false };
    const actions: Command[] = [
      ...themes.map((theme) => ({
        ...inPlace,
        id: `theme-${theme}`,
        title: `Theme: ${THEME_LOOKS[theme].text}`,
        Icon: THEME_LOOKS[theme].Icon,
        run: () => chooseTheme(theme),
      })),
      {
        group: "Do",
        leads: true,
        id: "new-routine",
        title: "New routine",
        words: "create make template",
        Icon: RoutinesIcon,
        run: () => void navigate({ to: "/routines/new" }),
      },
      { ...inPlace, id: "shortcuts", title: "Keyboard shortcuts", Icon: KeyboardIcon, run: onShortcuts },
      { ...inPlace, id: "sign-out", title: "Sign out", words: "log out", Icon: SignOutIcon, run: () => signOut() },
    ];
    return [...pages, ...toRoutines, ...toRuns, ...actions];
  }, [navigate, onShortcuts, routines.data, runs.data, signOut]);
  return { commands, isLoading: routines.isPending || runs.isPending };
}
