/** What is done on the way into a sandbox, before the command takes the process over. */

/** A shell without start-up files: its input is a socket, which bash takes for a login from afar. */
export const BASH = ["/bin/bash", "--noprofile", "--norc", "-c"] as const;

/**
 * For `BASH`, with the arguments `name`, length of the longest file in KiB, and the command. Node passes on descriptors that it
 * inherited itself; none but the three pipes may go further. When the machine's memory ends, the kernel takes the run
 * before anything else. No core files.
 */
export const ENTER = `
echo 1000 >/proc/self/oom_score_adj
ulimit -c 0
ulimit -f "$1" 2>/dev/null
shift
for n in $(ls /proc/self/fd 2>/dev/null); do [ "$n" -gt 2 ] && eval "exec $n>&-" 2>/dev/null; done
exec "$@"
`;
