/** One line for each check, and the count at the end. */
export interface Report {
  /** Runs the check; what it throws is why it failed. What it returns is said beside its name. */
  check(name: string, work: () => unknown): Promise<boolean>;
  readonly failed: number;
  end(began: number): void;
}

export function createReport(): Report {
  let passed = 0;
  let failed = 0;
  return {
    get failed() {
      return failed;
    },
    async check(name, work) {
      try {
        const said = await work();
        passed += 1;
        console.log(`PASS  ${name}${typeof said === 'string' ? `: ${said}` : ''}`);
        return true;
      } catch (error) {
        failed += 1;
        console.log(
          `FAIL  ${name}\n${String(error instanceof Error ? error.message : error).replace(/^/gm, '        ')}`,
        );
        return false;
      }
    },
    end(began) {
      console.log(`${passed} passed, ${failed} failed, ${Math.round((performance.now() - began) / 1000)} s`);
      process.exitCode = failed === 0 ? 0 : 1;
    },
  };
}

/** Throws with these words unless it is so. */
export function hold(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise);
}
