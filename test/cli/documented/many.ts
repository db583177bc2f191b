/**
 * Runs many calls of the command line in one process, each over a data folder of its own, as JSON on standard input
 * asks: a process for each would cost a minute. Answers into the file that its argument names.
 */
import { writeFileSync } from 'node:fs';
import { run } from '../../../src/cli/run.ts';

export interface Asked {
  readonly args: readonly string[];
  /** Where its database is, and the files that it names. */
  readonly folder: string;
}

export interface Answered {
  readonly code: number;
  /** The end of what it printed to standard error. */
  readonly problem: string;
}

if (import.meta.main) {
  const input: Buffer[] = [];
  for await (const chunk of process.stdin) input.push(chunk as Buffer);
  const asked = JSON.parse(Buffer.concat(input).toString()) as Asked[];
  const answers: Answered[] = [];
  let printed = '';
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text: string | Uint8Array) => {
    printed += text.toString();
    return write(text);
  };
  process.stdout.setMaxListeners(0);
  for (const { args, folder } of asked) {
    process.chdir(folder);
    process.env.DATA_DIR = `${folder}/data`;
    process.exitCode = 0;
    printed = '';
    await run(args);
    answers.push({ code: Number(process.exitCode), problem: printed.slice(-2000) });
  }
  process.exitCode = 0;
  writeFileSync(process.argv[2] ?? '', JSON.stringify(answers));
}
