/** A usage error that the table of commands cannot detect: exit code 2. The message is for people. */
export class UsageError extends Error {}
