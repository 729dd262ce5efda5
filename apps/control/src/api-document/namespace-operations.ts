import { pageOf } from '@quittance/contracts';
import type { ApiOperation } from '@quittance/service';
import * as z from 'zod';
import { kindNamed } from '../resources/kinds.js';
import { resourceListQuery } from '../resources/resource-query.js';
import { json, namespaceParameter, NAMESPACES, oneResource } from './resource-operations.js';
import { resourceView } from './resource-views.js';

const kind = kindNamed('Namespace');
export const NAMESPACE_TAG = 'namespaces';

/** Namespaces stand in themselves, and are the admin's. */
export const namespaceOperations: ApiOperation[] = [
  {
    method: 'get',
    path: NAMESPACES,
    id: 'listNamespaces',
    tag: NAMESPACE_TAG,
    summary: 'All namespaces that somebody has described, by name.',
    access: 'admin',
    query: resourceListQuery,
    answers: { 200: { description: 'A page of namespaces.', content: json(pageOf(resourceView(kind))) } },
    problems: ['invalid_cursor', 'store_unavailable'],
  },
  ...oneResource(kind, {
    tag: NAMESPACE_TAG,
    path: `${NAMESPACES}/{namespace}`,
    parameters: z.object({ namespace: namespaceParameter }),
    write: 'admin',
    onDelete: ['namespace_not_empty'],
  }),
];
