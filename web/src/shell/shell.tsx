/** What is around every page: skip link, the way to the pages, and the place of the page or of the sign-in view. */
import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useAccess } from "../access.ts";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Header } from "./header.tsx";
import { Mark } from "./mark.tsx";
import { useOverlays } from "./overlays.tsx";
import styles from "./shell.module.css";
import { Sidebar } from "./sidebar.tsx";

// Most who open a page are signed in.
const SignInView = lazy(async () => ({ default: (await import("../sign-in/sign-in-view.tsx")).SignInView }));
const SignInAgain = lazy(async () => ({ default: (await import("../sign-in/sign-in-again.tsx")).SignInAgain }));

export function Shell() {
  const access = useAccess();
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place on this page, without writing it to the address */}
      <a className={styles.skip} href="#content" onClick={skipToContent}>
        Skip to content
      </a>
      {access === "signed-out" ? <SignedOut /> : <SignedIn />}
      <Suspense>{access === "lapsed" && <SignInAgain mark={<Mark size={40} />} />}</Suspense>
    </>
  );
}

function SignedOut() {
  return (
    <>
      <Header overlays={null} />
      <div id="content" className={styles.content} tabIndex={-1}>
        <main className={styles.page}>
          <Suspense fallback={<SkeletonRows label="Loading the sign-in" />}>
            <SignInView mark={<Mark size={40} />} />
          </Suspense>
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
