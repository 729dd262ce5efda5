#!/usr/bin/env node
// Runs on the Node that happens to be installed, before anything else is: no dependencies, no types.
// It sees to it that the rest can run, and hands over to the Node that the project brings with it.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const OLDEST_JAVA = 17;
const PARENT_CHECK_MS = 500;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const localDirectory = resolve(root, process.env.QUITTANCE_LOCAL_DIR || '.local');

/** @param {string[]} missing */
function giveUp(missing) {
  console.error('Quittance cannot start on this machine:\n');
  for (const line of missing) console.error(`  - ${line}`);
  console.error(
    '\nInstall what is missing, or run everything in containers instead: docker compose up --build',
  );
  process.exit(1);
}

/** @returns {string | undefined} what is wrong with Java, in a sentence */
function javaProblem() {
  const inHome = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : '';
  const java = inHome && existsSync(inHome) ? inHome : 'java';
  const { error, status, stderr, stdout } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  if (error || status !== 0) {
    return `Java ${OLDEST_JAVA} or newer is missing (Kafka runs on it): "${java} -version" does not work.`;
  }
  // `openjdk version "17.0.15"`; up to Java 8 `java version "1.8.0"`.
  const version = /version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1];
  if (version !== undefined && Number(version) < OLDEST_JAVA) {
    return `Java ${version} is too old (Kafka needs ${OLDEST_JAVA} or newer): "${java}".`;
  }
  return undefined;
}

/** @returns {string | undefined} what is wrong with Maven, in a sentence */
function mavenProblem() {
  // Once Kafka's jars are here, Maven is not needed any more.
  if (existsSync(join(localDirectory, 'kafka-libs', 'pom.sha256'))) return undefined;
  const { error, status } = spawnSync('mvn', ['--version'], { stdio: 'ignore' });
  if (!error && status === 0) return undefined;
  return 'Maven is missing (it fetches Kafka): "mvn --version" does not work.';
}

function installPackages() {
  const lockfile = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs) return;
  console.log('Installing packages (npm ci) …');
  // Errors only: on an older Node npm warns about each package that wants the Node which is being installed here.
  const ci = ['ci', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm, ...ci]] : ['npm', ci];
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error || status !== 0) giveUp([`The packages could not be installed: "npm ci" failed (see above).`]);
}

const nodeMajor = Number(process.versions.node.split('.')[0]);
const problems = [
  nodeMajor < OLDEST_NODE
    ? `Node ${process.versions.node} is too old: ${OLDEST_NODE} or newer is needed.`
    : undefined,
  javaProblem(),
  mavenProblem(),
].filter((problem) => problem !== undefined);
if (problems.length > 0) giveUp(problems);
installPackages();

const node = join(root, 'node_modules', '.bin', 'node');
if (!existsSync(node)) {
  giveUp(['node_modules/.bin/node is missing: run "npm ci" again, and let it run install scripts.']);
}
const child = spawn(node, [join(root, 'deploy', 'local', 'main.ts'), ...process.argv.slice(2)], {
  cwd: root,
  // The fourth is a channel whose end tells the child that this process is gone, however it went.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
if (process.env.npm_lifecycle_event !== undefined) {
  // npm's shell passes no signal on: when npm is told to end, all that shows here is that the parent has changed.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, PARENT_CHECK_MS);
}
child.on('error', (error) => giveUp([`Node 24 of node_modules does not start: ${error.message}`]));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
