import { ConfigError, readConfig } from '@quittance/service';
import { parseCommandLine, type Invocation } from './command-line/parse.js';
import { cliConfig } from './config.js';
import { CliError, EXIT } from './errors.js';
import { reasonOf } from './kafka/cluster.js';
import type { CliSurroundings } from './surroundings.js';
import { growTopic } from './topics/grow.command.js';
import { listTopics } from './topics/list.command.js';

/** Runs one command. It never throws. @returns the exit code, one of {@link EXIT} */
export async function runCli(args: readonly string[], surroundings: CliSurroundings): Promise<number> {
  try {
    const invocation = parseCommandLine(args);
    if (invocation.command === 'help') {
      surroundings.print(invocation.text);
      return EXIT.done;
    }
    await runCommand(invocation, surroundings);
    return EXIT.done;
  } catch (error) {
    if (error instanceof ConfigError) {
      surroundings.complain(`quittance: ${error.message}`);
      return EXIT.wrongConfiguration;
    }
    const isOurs = error instanceof CliError;
    surroundings.complain(`quittance: ${isOurs ? error.message : reasonOf(error)}`);
    return isOurs ? error.exitCode : EXIT.notDone;
  }
}

async function runCommand(
  invocation: Exclude<Invocation, { command: 'help' }>,
  surroundings: CliSurroundings,
): Promise<void> {
  const config = readConfig(cliConfig, surroundings.env);
  switch (invocation.command) {
    case 'topics list':
      return listTopics(invocation, config, surroundings);
    case 'topics grow':
      return growTopic(invocation, config, surroundings);
  }
}
