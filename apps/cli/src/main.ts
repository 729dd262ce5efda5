import { runCli } from './cli.js';

// Whoever reads the output may have read enough: `quittance topics list | head -3`.
process.stdout.on('error', () => process.exit(0));

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  print: (text) => process.stdout.write(`${text}\n`),
  complain: (text) => process.stderr.write(`${text}\n`),
});
// Not left to the event loop: a broker that does not answer would keep its connection, and the process, open.
process.exit(exitCode);
