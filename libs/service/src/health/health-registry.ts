/** What one check says. */
export interface HealthState {
  /** Whether the service can do its work as far as this check goes. */
  ready: boolean;
  /** `false`: only a restart helps. Left out: alive. */
  alive?: boolean;
  /** For a person. */
  detail?: string;
}

export interface HealthReport {
  ready: boolean;
  alive: boolean;
  checks: Record<string, HealthState>;
}

/** The checks behind `/livez` and `/readyz`. */
export class HealthRegistry {
  private readonly checks = new Map<string, () => HealthState>();

  /**
   * @param check synchronous and cheap: it reports what is known, and asks nobody
   * @returns takes the check away again
   */
  register(name: string, check: () => HealthState): () => void {
    this.checks.set(name, check);
    return () => {
      if (this.checks.get(name) === check) this.checks.delete(name);
    };
  }

  report(): HealthReport {
    const checks: Record<string, HealthState> = {};
    let ready = true;
    let alive = true;
    for (const [name, check] of this.checks) {
      const state = ask(check);
      checks[name] = state;
      ready &&= state.ready;
      alive &&= state.alive ?? true;
    }
    return { ready: ready && alive, alive, checks };
  }
}

function ask(check: () => HealthState): HealthState {
  try {
    return check();
  } catch (error) {
    return {
      ready: false,
      detail: `The check failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
