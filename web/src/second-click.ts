/** Whether what happens now comes of the second click of a double click, on a button or by the form that it submits. */
let clicks = 0;

/** Once, at the start. */
export function watchClicks(): void {
  document.addEventListener(
    "click",
    ({ detail }) => {
      clicks = detail;
      // A form is submitted, and a dialog confirmed, before any timer.
      setTimeout(() => {
        clicks = 0;
      });
    },
    { capture: true },
  );
}

export function isSecondClick(): boolean {
  return clicks > 1;
}
