// A jest reporter: one line per failed suite in the file PLANTED_REPORT. With `--bail`, jest writes no report.
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';

export default class Reporter {
  onTestResult(_test, { testFilePath, testExecError, testResults }) {
    const failed = testResults.filter(({ status }) => status === 'failed');
    if (failed.length === 0 && !testExecError) return;
    // If suites run together, the outermost title is the path of the suite.
    const [path = ''] = failed[0]?.ancestorTitles ?? [];
    const suite = path.endsWith('.test.ts') ? path : relative(process.cwd(), testFilePath);
    const report = { suite, title: failed[0]?.fullName, notLoaded: testExecError && String(testExecError.message) };
    appendFileSync(process.env.PLANTED_REPORT, `${JSON.stringify(report)}\n`);
  }
}
