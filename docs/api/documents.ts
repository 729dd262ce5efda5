import { openApiDocument, type OpenApiDocument } from '@quittance/service';
import { auditApi } from '../../apps/audit/src/api-document/audit-api.js';
import { controlApi } from '../../apps/control/src/api-document/control-api.js';
import { ingestApi } from '../../apps/ingest/src/api-document/ingest-api.js';

/** What each service serves at `GET /openapi.json`, by the name of the service. */
export const documents: Record<'ingest' | 'control' | 'audit', OpenApiDocument> = {
  ingest: openApiDocument(ingestApi),
  control: openApiDocument(controlApi),
  audit: openApiDocument(auditApi),
};
