// Reads the imports of these files, for the import rules and the counts.
import { cruise } from 'dependency-cruiser';
import ruleSet from '../../.dependency-cruiser.mjs';

export async function cruiseOf(files) {
  const { output } = await cruise(files, {
    ruleSet,
    validate: true,
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // A package within this project may use the dependencies of the project.
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  });
  const dependencies = new Map(
    output.modules.map(({ source, dependencies: all }) => [source, all.map(({ resolved }) => resolved)]),
  );
  return { violations: output.summary.violations, dependencies };
}

/** File -> the files and packages that it imports, types included. */
export const dependenciesOf = async (files) => (await cruiseOf(files)).dependencies;
