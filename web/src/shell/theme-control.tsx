/** Chooses the theme: the system's, light or dark. The menu is loaded when it is first wanted. */
import { lazy, Suspense, useRef, useState } from "react";
import { Button } from "../ui/button.tsx";
import { chooseTheme, readTheme, type Theme } from "./theme.ts";
import { THEME_LOOKS } from "./theme-looks.ts";

const loadMenu = () => import("./theme-menu.tsx");
const ThemeMenu = lazy(async () => ({ default: (await loadMenu()).ThemeMenu }));

function preload(): void {
  // Opening it tries again, and tells of a failure.
  loadMenu().catch(() => {});
}

/** @param props.side where its menu opens. */
export function ThemeControl({ side }: { side: "bottom" | "right" }) {
  const button = useRef<HTMLButtonElement>(null);
  const [theme, setTheme] = useState(readTheme);
  const [isOpen, setOpen] = useState(false);
  const [isWanted, setWanted] = useState(false);
  const { text, Icon } = THEME_LOOKS[theme];

  function toggle() {
    setWanted(true);
    setOpen(!isOpen);
  }
  function choose(next: Theme) {
    chooseTheme(next);
    setTheme(next);
  }

  return (
    <>
      <Button
        ref={button}
        variant="ghost"
        aria-label={`Theme: ${text}`}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        title="Theme"
        icon={<Icon />}
        onClick={toggle}
        onPointerEnter={preload}
        onFocus={preload}
      />
      <Suspense>
        {isWanted && (
          <ThemeMenu
            isOpen={isOpen}
            onOpenChange={setOpen}
            anchor={button}
            side={side}
            theme={theme}
            onChoose={choose}
          />
        )}
      </Suspense>
    </>
  );
}
