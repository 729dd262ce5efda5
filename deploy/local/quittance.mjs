#!/usr/bin/env node
// `npm run quittance`: the command-line program of a working copy. It may be started by an older Node than the program
// needs, and hands over to the one that the project brings with it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const node = join(root, 'node_modules', '.bin', 'node');
if (!existsSync(node)) {
  console.error('quittance: the packages are not installed. Run "npm ci" first.');
  process.exit(1);
}
const program = join(root, 'deploy', 'local', 'quittance.ts');
const { status, error } = spawnSync(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
if (error) console.error(`quittance: Node 24 of node_modules does not start: ${error.message}`);
process.exit(status ?? 1);
