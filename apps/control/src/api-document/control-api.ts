import { documentOperation, type ApiDescription, type ApiOperation } from '@quittance/service';
import { KINDS } from '../resources/kinds.js';
import { actionOperations } from './action-operations.js';
import { catalogueOperations } from './catalogue-operations.js';
import { keyOperations } from './key-operations.js';
import { namespaceOperations, NAMESPACE_TAG } from './namespace-operations.js';
import { resourceOperations, WORDS } from './resource-operations.js';
import { scheduleOperations } from './schedule-operations.js';
import { secretOperations } from './secret-operations.js';
import { trialOperations } from './trial-operations.js';

const namespaced = KINDS.flatMap((kind) =>
  kind.segment === undefined ? [] : [{ kind, segment: kind.segment }],
);

const operations: ApiOperation[] = [
  ...namespaceOperations,
  ...namespaced.flatMap(({ kind, segment }) => resourceOperations(kind, segment)),
  ...actionOperations,
  ...secretOperations,
  ...scheduleOperations,
  ...catalogueOperations,
  ...keyOperations,
  ...trialOperations,
  documentOperation,
];

/** What control answers, of the schemas that it reads and answers with. */
export const controlApi: ApiDescription = {
  title: 'Quittance control',
  description: 'The configuration: event types, subscriptions, sources, API keys and namespaces.',
  localUrl: 'http://127.0.0.1:8081',
  tags: [
    { name: NAMESPACE_TAG, description: 'The frames of teams: limits, policy, retention, egress.' },
    ...namespaced.map(({ kind, segment }) => ({
      name: segment,
      description: `${capital(WORDS[kind.kind].many)} of a namespace.`,
    })),
    { name: 'about', description: 'This API.' },
  ],
  operations,
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
