/** The browser of this machine, driven by Playwright. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Pages are our own and on loopback: without a sandbox the browser also starts where it is root, and it calls nobody. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the browser that CHROMIUM names, else the one that is installed. */
export async function launchChromium(): Promise<Outcome<Browser>> {
  const given = process.env["CHROMIUM"];
  const executablePath = given || PLACES.find((place) => existsSync(place));
  if (executablePath === undefined || !existsSync(executablePath)) {
    const what = given ? `There is no ${given}, which CHROMIUM names` : "There is no Chromium";
    return failed(`${what}: install one (Debian: apt-get install chromium), or set CHROMIUM to the path of yours.`);
  }
  try {
    return succeeded(await chromium.launch({ executablePath, args: ARGUMENTS }));
  } catch (error) {
    return failed(`${executablePath} does not start: ${messageOf(error)}`);
  }
}
