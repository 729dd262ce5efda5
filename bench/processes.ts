import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { runToEnd } from '../deploy/local/run.ts';
import { memoryOf, readStat, treeOf } from './proc.ts';

/** A process to measure, found by what it listens on, or by its id. */
export interface Measured {
  name: string;
  port?: number;
  pid?: number;
  /** Belongs to the tools, not to what is measured. */
  isOwn: boolean;
}

export interface ProcessUsage {
  name: string;
  isOwn: boolean;
  /** Processor time, user and system, of the process and all its children. NaN when it was restarted meanwhile. */
  cpuMs: number;
  /** The highest of the samples, one a second. Memory that children share is counted once. */
  peakRssMiB: number;
}

const SAMPLE_EVERY_MS = 1_000;

/** What the kernel counts in. */
interface Units {
  msPerTick: number;
  pageBytes: number;
}

interface Watched extends Measured {
  pid: number;
  startedAt: number;
  ticksBefore: number;
  peakPages: number;
}

/** Reads the processor time of processes between two moments from `/proc`. */
export class ProcessMeter {
  private readonly watched: Watched[] = [];
  private readonly units: Units;
  private readonly timer: NodeJS.Timeout;

  private constructor(measured: readonly Measured[], units: Units) {
    this.units = units;
    const byPort = processesByPort(measured.flatMap(({ port }) => (port === undefined ? [] : [port])));
    for (const each of measured) {
      const pid = each.pid ?? (each.port === undefined ? undefined : byPort.get(each.port));
      const stat = pid === undefined ? undefined : readStat(pid);
      if (pid === undefined || !stat) continue;
      this.watched.push({
        ...each,
        pid,
        startedAt: stat.startedAt,
        ticksBefore: ticksOf(pid),
        peakPages: memoryOf(treeOf(pid)),
      });
    }
    // A measurement that fails half-way leaves it running: it must not keep the process alive.
    this.timer = setInterval(() => this.sample(), SAMPLE_EVERY_MS).unref();
  }

  static async start(measured: readonly Measured[]): Promise<ProcessMeter> {
    const [ticks, page] = await Promise.all([configured('CLK_TCK'), configured('PAGESIZE')]);
    return new ProcessMeter(measured, { msPerTick: 1000 / (ticks ?? 100), pageBytes: page ?? 4096 });
  }

  /** @returns one per process that was found, in the order given */
  stop(): ProcessUsage[] {
    clearInterval(this.timer);
    this.sample();
    return this.watched.map(({ name, isOwn, pid, startedAt, ticksBefore, peakPages }) => {
      const isSame = readStat(pid)?.startedAt === startedAt;
      return {
        name,
        isOwn,
        cpuMs: isSame ? (ticksOf(pid) - ticksBefore) * this.units.msPerTick : Number.NaN,
        peakRssMiB: (peakPages * this.units.pageBytes) / 2 ** 20,
      };
    });
  }

  private sample(): void {
    for (const each of this.watched) each.peakPages = Math.max(each.peakPages, memoryOf(treeOf(each.pid)));
  }
}

/** Living children, and those that have ended and whose parent has noticed. */
function ticksOf(pid: number): number {
  let ticks = 0;
  for (const one of treeOf(pid)) ticks += readStat(one)?.ticks ?? 0;
  return ticks;
}

/** Which process listens on which of these TCP ports. Only those whose open files may be read are found. */
export function processesByPort(ports: readonly number[]): Map<number, number> {
  const portOfSocket = new Map<string, number>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of lines(table)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const port = Number.parseInt(local?.split(':')[1] ?? '', 16);
      if (state === '0A' && inode !== undefined && ports.includes(port)) portOfSocket.set(inode, port);
    }
  }
  const found = new Map<number, number>();
  for (const pid of numericEntries('/proc')) {
    for (const file of numericEntries(`/proc/${pid}/fd`)) {
      const port = portOfSocket.get(socketOf(`/proc/${pid}/fd/${file}`));
      if (port === undefined) continue;
      // Children inherit the socket: the oldest process is the one that opened it.
      const known = found.get(port);
      if (known === undefined || (readStat(pid)?.startedAt ?? 0) < (readStat(known)?.startedAt ?? 0)) {
        found.set(port, pid);
      }
    }
  }
  return found;
}

async function configured(name: string): Promise<number | undefined> {
  const { code, output } = await runToEnd('getconf', [name]);
  return code === 0 ? Number(output) : undefined;
}

function socketOf(link: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? '';
  } catch {
    return '';
  }
}

function numericEntries(directory: string): number[] {
  try {
    return readdirSync(directory).map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}
