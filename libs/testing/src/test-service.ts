import { readFileSync } from 'node:fs';
import { startService, type Installation, type ServiceHandle } from '../../../deploy/local/services.ts';
import type { ServiceName } from '../../../deploy/local/settings.ts';

/** One service of a test's installation; the same ports and logs over restarts. */
export class TestService {
  /** Of its public API; of its management port where it has none. */
  readonly url: string;
  readonly managementUrl: string;
  private handle: ServiceHandle | undefined;

  constructor(
    readonly name: ServiceName,
    private readonly installation: Installation,
    private readonly logFile: string,
  ) {
    const { host, services } = installation;
    const { port, managementPort } = services[name];
    this.managementUrl = `http://${host}:${managementPort}`;
    this.url = `http://${host}:${port ?? managementPort}`;
  }

  /** @throws Error while it does not run */
  get pid(): number {
    if (!this.handle) throw new Error(`${this.name} does not run.`);
    return this.handle.pid;
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    await this.launch();
    await this.ready();
  }

  /** Starts it, without waiting until it is ready. */
  async launch(): Promise<void> {
    if (this.handle) throw new Error(`${this.name} runs already.`);
    const handle = await startService(this.name, this.installation, { logFile: this.logFile });
    this.handle = handle;
    void handle.exited.then(() => {
      if (this.handle === handle) this.handle = undefined;
    });
  }

  /** Resolves once `/readyz` says yes. */
  async ready(timeoutMs?: number): Promise<void> {
    if (!this.handle) throw new Error(`${this.name} does not run.`);
    await this.handle.ready(timeoutMs);
  }

  /** As an operator would, with SIGTERM: it drains. */
  async stop(): Promise<void> {
    await this.handle?.stop();
    this.handle = undefined;
  }

  /** As a crash would, with SIGKILL, unless another signal is named. Resolves once it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.handle?.kill(signal);
    this.handle = undefined;
  }

  /** Stops it in good order and starts it again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Every line it has written so far, also before restarts. */
  logs(): string[] {
    return readFileSync(this.logFile, 'utf8').split('\n').filter(Boolean);
  }
}
