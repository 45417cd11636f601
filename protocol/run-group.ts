/**
 * The group of whoever enters the sandboxes of a runner that is root: the folders above the folders of runs let it through,
 * and nobody else. A number without an account, which systemd's and Debian's registers leave unused.
 */
export const RUN_GROUP = 61_183;
