const WIDTH = 10;

/** Writes a line with who says it in front. A terminal that has gone away is no reason to fail. */
export function say(who: string, text: string): void {
  const name =
    process.stdout.isTTY && !process.env['NO_COLOR']
      ? `\u001B[2m${who.padEnd(WIDTH)}\u001B[0m`
      : who.padEnd(WIDTH);
  for (const line of text.split('\n')) process.stdout.write(`${name} ${line}\n`);
}

/** To be called once: a closed terminal or pipe must not end the process before everything is stopped. */
export function tolerateClosedTerminal(): void {
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
}
