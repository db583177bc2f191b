/** The command was typed wrongly in a way that the table of commands cannot tell: exit code 2. The message is for people. */
export class UsageError extends Error {}
