/**
 * The second click of a double click, on a button or by the form that it submits. It is for what the first was for: where
 * something else has come in that place meanwhile, or the button has got another meaning, it is for nobody.
 */

/** What can be pressed, and what it said then. */
interface Pressed {
  control: Element | null;
  words: string;
}

const CONTROLS = "a, button, summary, [role=button], [role=menuitem], [role=tab]";

let clicks = 0;
let first: Pressed = { control: null, words: "" };

/** Once, at the start. */
export function watchClicks(): void {
  document.addEventListener("click", onClick, { capture: true });
}

function onClick(event: MouseEvent): void {
  const pressed = pressedBy(event);
  if (event.detail > 1 && (pressed.control !== first.control || pressed.words !== first.words)) {
    event.stopImmediatePropagation();
    event.preventDefault();
    return;
  }
  first = pressed;
  clicks = event.detail;
  // A form is submitted, and a dialog confirmed, before any timer.
  setTimeout(() => {
    clicks = 0;
  });
}

function pressedBy({ target }: MouseEvent): Pressed {
  const control = target instanceof Element ? target.closest(CONTROLS) : null;
  return { control, words: control?.textContent ?? "" };
}

export function isSecondClick(): boolean {
  return clicks > 1;
}
