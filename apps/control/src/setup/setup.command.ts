import { ConfigError, readConfig } from '@quittance/service';
import { setupConfig } from '../config.js';
import { reasonOf, setUp } from './setup.js';

/** EX_CONFIG of sysexits.h, as for the service itself. */
const EXIT_CONFIG = 78;

/** `main.js setup`: says what it does on standard output, and leaves 0, 1, or 78 for a wrong configuration. */
export async function runSetup(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await setUp(readConfig(setupConfig, env), (line) => process.stdout.write(`${line}\n`));
    process.stdout.write('Quittance is set up.\n');
  } catch (error) {
    const isConfig = error instanceof ConfigError;
    const message = error instanceof Error ? error.message : String(error);
    const reason = reasonOf(error);
    const detail = reason === message ? message : `${message} (${reason})`;
    process.stderr.write(`quittance setup: ${detail}\n`);
    process.exitCode = isConfig ? EXIT_CONFIG : 1;
  }
}
