/** Buttons: one primary action at most per view, the rest secondary or ghost. */
import type { ComponentProps, ReactNode } from "react";
import styles from "./button.module.css";
import { classNames } from "./class-names.ts";
import { Spinner } from "./spinner.tsx";

export interface ButtonProps extends ComponentProps<"button"> {
  /** `link` looks like text: for what leads somewhere, where no address is known yet. */
  variant?: "primary" | "secondary" | "ghost" | "danger" | "link";
  size?: "md" | "sm";
  icon?: ReactNode;
  /** While what it started goes on: it keeps the focus, and does nothing. */
  isBusy?: boolean;
}

/** For a link that looks like a button: one that leads somewhere, and does nothing. */
export function buttonClass(variant: NonNullable<ButtonProps["variant"]>, size: "md" | "sm" = "md"): string {
  return classNames(styles.button, styles[variant], styles[size]);
}

export function Button({
  variant = "secondary",
  size = "md",
  icon,
  isBusy = false,
  className,
  children,
  onClick,
  type = "button",
  ...rest
}: ButtonProps) {
  const hasText = children !== undefined && children !== null;
  return (
    <button
      {...rest}
      type={type}
      className={classNames(styles.button, styles[variant], styles[size], !hasText && styles.square, className)}
      aria-disabled={isBusy || undefined}
      aria-busy={isBusy || undefined}
      onClick={isBusy ? (event) => event.preventDefault() : onClick}
    >
      {isBusy ? <Spinner /> : icon}
      {children}
    </button>
  );
}
