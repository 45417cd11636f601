/** The menu of the theme control. */
import { Menu } from "@base-ui/react/menu";
import type { RefObject } from "react";
import { CheckIcon } from "../ui/icons.tsx";
import styles from "../ui/menu.module.css";
import { type Theme, themes } from "./theme.ts";
import { THEME_LOOKS } from "./theme-looks.ts";

interface ThemeMenuProps {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  /** The button that it belongs to, and to which the focus returns. */
  anchor: RefObject<HTMLButtonElement | null>;
  side: "bottom" | "right";
  theme: Theme;
  onChoose: (theme: Theme) => void;
}

export function ThemeMenu({ isOpen, onOpenChange, anchor, side, theme, onChoose }: ThemeMenuProps) {
  return (
    <Menu.Root open={isOpen} onOpenChange={(next) => onOpenChange(next)}>
      <Menu.Portal container={anchor.current?.closest("header")}>
        <Menu.Positioner anchor={anchor} side={side} sideOffset={6} align="end">
          <Menu.Popup className={styles.popup} aria-label="Theme" finalFocus={anchor}>
            <Menu.RadioGroup value={theme} onValueChange={onChoose}>
              {themes.map((each) => (
                <ThemeItem key={each} theme={each} />
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function ThemeItem({ theme }: { theme: Theme }) {
  const { text, Icon } = THEME_LOOKS[theme];
  return (
    <Menu.RadioItem value={theme} className={styles.item} closeOnClick>
      <Icon />
      {text}
      <Menu.RadioItemIndicator className={styles.indicator}>
        <CheckIcon />
      </Menu.RadioItemIndicator>
    </Menu.RadioItem>
  );
}
