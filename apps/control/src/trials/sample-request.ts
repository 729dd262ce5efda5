import { Problem, type SourceSpec } from '@quittance/contracts';
import {
  InvalidVerifierSecretError,
  sampleBody,
  signSample,
  UnsignableSampleError,
} from '@quittance/webhooks';
import type { Simulation } from './trial-bodies.js';

/** A signed request, as the source's sender would make it. */
export interface SimulatedRequest {
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
  /** Header names whose values are the secret itself. */
  secretHeaders: readonly string[];
}

interface Occasion {
  nowMs: number;
  deliveryId: string;
}

const FORM = 'application/x-www-form-urlencoded';
const HEADER_VALUE = /^[\t\u0020-\u007e]*$/;
const BLOT = '[redacted]';

/**
 * @param secret the newest of the source's, in clear
 * @throws Problem `no_sample` when nobody here can sign for this source
 */
export function simulatedRequest(
  spec: SourceSpec,
  secret: string | undefined,
  given: Simulation['body'],
  occasion: Occasion,
): SimulatedRequest {
  const typical = sampleBody(spec.verify, occasion);
  const content = given === undefined ? typicalContent(spec, typical) : contentOf(spec, given);
  try {
    const signed = signSample(spec.verify, secret, { ...content, ...occasion });
    const headers = { ...typical.headers, ...signed.headers };
    if (!Object.values(headers).every((value) => HEADER_VALUE.test(value))) {
      throw new Problem('no_sample', 'The source’s secret has characters that no header can carry.');
    }
    return { headers, body: signed.body, secretHeaders: secretHeadersOf(spec) };
  } catch (error) {
    if (!(error instanceof UnsignableSampleError) && !(error instanceof InvalidVerifierSecretError))
      throw error;
    throw new Problem('no_sample', `A sample cannot be signed: ${error.message}`);
  }
}

/** Headers as they may be shown. */
export function shownHeaders({ headers, secretHeaders }: SimulatedRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, secretHeaders.includes(name) ? BLOT : value]),
  );
}

/** A signature proves that one knows the secret; these send it along. */
function secretHeadersOf({ verify }: SourceSpec): string[] {
  if (verify.type === 'api-key') return [verify.header.toLowerCase()];
  return verify.type === 'bearer' || verify.type === 'basic' ? ['authorization'] : [];
}

interface Content {
  body: Buffer;
  contentType: string;
}

function typicalContent(spec: SourceSpec, typical: Content): Content {
  return spec.body === 'form' ? formOf(spec, JSON.parse(typical.body.toString()) as object) : typical;
}

function contentOf(spec: SourceSpec, given: NonNullable<Simulation['body']>): Content {
  if (typeof given !== 'string') {
    if (spec.body === 'form') return formOf(spec, given);
    return { body: Buffer.from(JSON.stringify(given)), contentType: 'application/json' };
  }
  const types = { form: FORM, json: 'application/json', raw: undefined, auto: undefined };
  return { body: Buffer.from(given), contentType: types[spec.body] ?? 'text/plain; charset=utf-8' };
}

/** GitHub and Slack put their JSON into one field; others have a field for each member. */
function formOf({ verify }: SourceSpec, value: object): Content {
  const isPayload = verify.type === 'github' || verify.type === 'slack';
  const fields = isPayload ? [['payload', value]] : Object.entries(value);
  const texts = fields.map(([name, each]): [string, string] => [
    String(name),
    typeof each === 'string' ? each : JSON.stringify(each),
  ]);
  return { body: Buffer.from(new URLSearchParams(texts).toString()), contentType: FORM };
}
