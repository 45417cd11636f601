/** Options of the runners' links: what a message or an order may say to those that know of it. */

/**
 * Options of the link, by name. A runner tells those it knows when it registers, and the answer tells which of them are in
 * force: a message that belongs to an option is said only while both sides know it, so an option needs no new version.
 */
export const RUNNER_FEATURES = ["environment", "steer", "tools", "park"] as const;
/**
 * `environment`: the runner gives a run what its environment sets: variables, a setup script, and a network of its own.
 *
 * `steer`: people's messages and interrupts reach a run that is on, and the run's object says when it is to end: the messages
 * `message`, `interrupt` and `close`, and the frames `took`, `waiting` and `idle`.
 *
 * `tools`: the runner keeps to the `tools` of its order, and asks people: `answer`, and what is asked in `waiting`.
 *
 * `park`: the runner gives up the sandbox of a run that waits when it is told to, and goes on with such a run in another one: the
 * message `park`, the outcome `parked`, and `continues` in its order. Its bound on an attempt's time does not run while it waits.
 */
export type RunnerFeature = (typeof RUNNER_FEATURES)[number];
