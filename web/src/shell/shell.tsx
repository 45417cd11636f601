/** What is around every page: skip link, header, and the place of the page or of the sign-in view. */
import { Outlet } from "@tanstack/react-router";
import { useAccess } from "../access.ts";
import { SignInView } from "../sign-in/sign-in-view.tsx";
import { Header } from "./header.tsx";
import styles from "./shell.module.css";

export function Shell() {
  const access = useAccess();
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place on this page, without writing it to the address */}
      <a className={styles.skip} href="#content" onClick={skipToContent}>
        Skip to content
      </a>
      <Header showsSignOut={access !== "signed-out"} />
      <div id="content" className={styles.content} tabIndex={-1}>
        {access === "signed-out" ? (
          <main className={styles.page}>
            <SignInView />
          </main>
        ) : (
          <Outlet />
        )}
      </div>
    </>
  );
}

/** Without touching the address: its fragment is for sign-in codes. */
function skipToContent(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
