/** The app's start: uses a sign-in code once if the address has one, then shows the page. */
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./query-client.ts";
import { router } from "./router.tsx";
import { watchClicks } from "./second-click.ts";
import { takeSignInCode, watchForSignInCode } from "./sign-in/sign-in-code.ts";
import { watchActs } from "./ui/first-act.ts";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

watchClicks();
watchActs();
watchForSignInCode();
await takeSignInCode();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
