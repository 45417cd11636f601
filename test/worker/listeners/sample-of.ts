/** A sample of a case, for the five forms that each source is asked of. */
import type { CitedSample, ListenerSample } from "./listener-case.ts";

/** @param title how it begins. @param page of the source's documentation. @throws where there is no such sample, or several. */
export function sampleOf(samples: readonly ListenerSample[], title: string, page: string): CitedSample {
  const [found, ...others] = samples.filter((sample) => sample.title.startsWith(title));
  if (found === undefined || others.length > 0) throw new Error(`there is not one sample “${title}…”`);
  return { ...found, page };
}
