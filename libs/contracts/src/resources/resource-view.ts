import type { ResourceKind } from './config-record.js';
import type { Metadata } from './metadata.js';

/** What is currently true of a resource, in Kubernetes' form. */
export interface ResourceCondition {
  /** `Published`: Kafka has the resource as it stands here, so every service sees it. */
  type: 'Published';
  status: 'True' | 'False';
  /** For a person; only where `status` is `False`. */
  message?: string;
}

/** A resource as the control API shows it: without secrets. */
export interface ResourceView {
  apiVersion: string;
  kind: ResourceKind;
  metadata: Metadata;
  spec: object;
  /** What the platform decided, such as a subscription's `state` and `partition`, and what is true of it now. */
  status: { conditions: ResourceCondition[] } & Record<string, unknown>;
  /** An API key itself: only in the answer that created it, never again. */
  key?: string;
}

/** One page of `GET /control/v1/namespaces/{ns}/{kind}`, ordered by name. */
export interface ResourcePage {
  items: ResourceView[];
  /** Give it back as `cursor` for the next page; missing on the last one. */
  nextCursor?: string;
}
