import type { Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.js';
import { TlsCertificate } from './tls-certificate.js';

export interface TlsReloadOptions {
  certFile: string;
  keyFile: string;
  everyMs: number;
  /** What is served now. */
  certificate: TlsCertificate;
  server: Pick<TlsServer, 'setSecureContext'>;
  logger: Logger;
  metrics: Metrics;
}

/**
 * Serves a changed certificate to new connections; open ones go on. The files are read every so often and compared,
 * because a change that comes as a swapped symlink, as in Kubernetes, is easily missed by watching.
 */
export class TlsReload {
  private readonly timer: NodeJS.Timeout;
  private certificate: TlsCertificate;
  private failure: string | undefined;
  private reported = false;
  private looking = false;

  constructor(private readonly options: TlsReloadOptions) {
    this.certificate = options.certificate;
    const { metrics } = options;
    metrics.gauge(
      'quittance_tls_certificate_expiry_timestamp_seconds',
      'When the certificate that is served ends.',
      [],
      (gauge) => gauge.set(this.certificate.expiresAt / 1000),
    );
    metrics.gauge(
      'quittance_tls_reload_failed',
      '1 while the files hold no pair that can be used, and the one before is served.',
      [],
      (gauge) => gauge.set(this.reported ? 1 : 0),
    );
    this.timer = setInterval(() => void this.look(), options.everyMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const found = await TlsCertificate.read(this.options.certFile, this.options.keyFile);
      if (!found.isSameAs(this.certificate)) this.serve(found);
      this.failure = undefined;
      this.reported = false;
    } catch (error) {
      this.noteFailure(error instanceof Error ? error.message : String(error));
    } finally {
      this.looking = false;
    }
  }

  private serve(certificate: TlsCertificate): void {
    this.options.server.setSecureContext(certificate.secureContext);
    this.certificate = certificate;
    const expiresAt = new Date(certificate.expiresAt).toISOString();
    this.options.logger.info({ expiresAt }, 'A new TLS certificate is served.');
  }

  /** Said once, and only of what is found twice: files that are written one after the other do not match for a moment. */
  private noteFailure(failure: string): void {
    if (failure !== this.failure) {
      this.failure = failure;
      return;
    }
    if (this.reported) return;
    this.reported = true;
    this.options.logger.error(
      { failure },
      'The new TLS certificate cannot be used: the one before is still served.',
    );
  }
}
