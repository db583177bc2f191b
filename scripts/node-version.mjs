// Loaded before anything else by the npm scripts: an older Node cannot even read the files it would have to complain about.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `Gatehouse needs Node 24 or later; this is ${process.version}. On Linux and Windows \`npm ci\` brings the right one; elsewhere install it.`,
  );
  process.exit(1);
}
