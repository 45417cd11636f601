/** What is around every page: skip link, the way to the pages, and the place of the page or of the sign-in view. */
import { Outlet } from "@tanstack/react-router";
import { useAccess } from "../access.ts";
import { SignInAgain } from "../sign-in/sign-in-again.tsx";
import { SignInView } from "../sign-in/sign-in-view.tsx";
import { Header } from "./header.tsx";
import { useOverlays } from "./overlays.tsx";
import styles from "./shell.module.css";
import { Sidebar } from "./sidebar.tsx";

export function Shell() {
  const access = useAccess();
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place on this page, without writing it to the address */}
      <a className={styles.skip} href="#content" onClick={skipToContent}>
        Skip to content
      </a>
      {access === "signed-out" ? <SignedOut /> : <SignedIn />}
      {access === "lapsed" && <SignInAgain />}
    </>
  );
}

function SignedOut() {
  return (
    <>
      <Header overlays={null} />
      <div id="content" className={styles.content} tabIndex={-1}>
        <main className={styles.page}>
          <SignInView />
        </main>
      </div>
    </>
  );
}

function SignedIn() {
  const { overlays, views } = useOverlays();
  return (
    <div className={styles.frame}>
      <Header overlays={overlays} />
      <Sidebar overlays={overlays} />
      <div id="content" className={styles.content} tabIndex={-1}>
        <Outlet />
      </div>
      {views}
    </div>
  );
}

/** Without touching the address: its fragment is for sign-in codes. */
function skipToContent(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
