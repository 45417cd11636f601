/** Chooses the theme: the system's, light or dark. */
import { Menu } from "@base-ui/react/menu";
import { useState } from "react";
import { Button } from "../ui/button.tsx";
import { CheckIcon, MoonIcon, SunIcon, SystemIcon } from "../ui/icons.tsx";
import styles from "../ui/menu.module.css";
import { chooseTheme, readTheme, type Theme, themes } from "./theme.ts";

const LOOKS = {
  system: { text: "System", Icon: SystemIcon },
  light: { text: "Light", Icon: SunIcon },
  dark: { text: "Dark", Icon: MoonIcon },
} satisfies Record<Theme, unknown>;

export function ThemeControl() {
  const [theme, setTheme] = useState(readTheme);
  const { text, Icon } = LOOKS[theme];
  function choose(next: Theme) {
    chooseTheme(next);
    setTheme(next);
  }
  return (
    <Menu.Root>
      <Menu.Trigger render={<Button variant="ghost" aria-label={`Theme: ${text}`} title="Theme" icon={<Icon />} />} />
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="end">
          <Menu.Popup className={styles.popup}>
            <Menu.RadioGroup value={theme} onValueChange={choose}>
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
  const { text, Icon } = LOOKS[theme];
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
