/** What opens over any page: the palette, the list of keys, and the menu of a narrow window. Each is loaded when it is first wanted. */
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { useShortcuts } from "./use-shortcuts.ts";

type Overlay = "palette" | "shortcuts" | "menu";

const loaders = {
  palette: () => import("./palette.tsx"),
  shortcuts: () => import("./shortcuts-dialog.tsx"),
  menu: () => import("./pages-menu.tsx"),
};
const Palette = lazy(async () => ({ default: (await loaders.palette()).Palette }));
const ShortcutsDialog = lazy(async () => ({ default: (await loaders.shortcuts()).ShortcutsDialog }));
const PagesMenu = lazy(async () => ({ default: (await loaders.menu()).PagesMenu }));

export interface Overlays {
  /** For a button that opens it: loads it when the pointer or the focus comes near. */
  opens: (overlay: Overlay) => { onClick: () => void; onPointerEnter: () => void; onFocus: () => void };
}

export function useOverlays() {
  const [open, setOpen] = useState<Overlay | null>(null);
  const [wanted, setWanted] = useState<readonly Overlay[]>([]);
  const show = useCallback((overlay: Overlay) => {
    setWanted((before) => (before.includes(overlay) ? before : [...before, overlay]));
    setOpen(overlay);
  }, []);
  const close = useCallback(() => setOpen(null), []);
  useShortcuts(show);
  const overlays = useMemo<Overlays>(
    () => ({
      opens: (overlay) => {
        const preload = () => void loaders[overlay]().catch(() => {});
        return { onClick: () => show(overlay), onPointerEnter: preload, onFocus: preload };
      },
    }),
    [show],
  );
  const opening = (overlay: Overlay) => ({ isOpen: open === overlay, onClose: close });
  const views = (
    <Suspense>
      {wanted.includes("palette") && <Palette {...opening("palette")} onShortcuts={() => show("shortcuts")} />}
      {wanted.includes("shortcuts") && <ShortcutsDialog {...opening("shortcuts")} />}
      {wanted.includes("menu") && <PagesMenu {...opening("menu")} />}
    </Suspense>
  );
  return { overlays, views };
}
