/** How each theme is called and drawn. */
import { MoonIcon, SunIcon, SystemIcon } from "../ui/icons.tsx";
import type { Theme } from "./theme.ts";

export const THEME_LOOKS = {
  system: { text: "System", Icon: SystemIcon },
  light: { text: "Light", Icon: SunIcon },
  dark: { text: "Dark", Icon: MoonIcon },
} satisfies Record<Theme, unknown>;
