import converter, { type ConversionResult } from 'openapi-to-postmanv2';
import type { OpenApiDocument } from '../../libs/service/src/index.ts';

interface Folder {
  name: string;
  description?: string;
  item: Item[];
}
type Item = Folder | { name: string; request: PostmanRequest };

interface Text {
  content?: string;
}
interface Parameter {
  key: string;
  value: unknown;
  description?: Text | string;
  disabled?: boolean;
}
interface PostmanRequest {
  method: string;
  description?: Text | string;
  header: Parameter[];
  url: {
    raw?: string;
    host: string[];
    path: string[];
    query: Parameter[];
    variable: Parameter[];
  };
  body?: { mode?: string; raw?: string };
  /** `null`: none; left out: the collection's. */
  auth?: { type: string } | null;
}

interface DocumentParameter {
  name: string;
  schema: { examples?: unknown[] };
}

/** What is asked for; everything else that the converter makes up differs from run to run. */
const OPTIONS = { folderStrategy: 'Tags', parametersResolution: 'Example', requestNameSource: 'Fallback' };

/**
 * One collection of all services: a folder for each, in it one for each tag. Addresses, namespace and key are variables
 * of the collection.
 */
export async function postmanCollection(documents: Record<string, OpenApiDocument>): Promise<object> {
  const item: Folder[] = [];
  const variable = [
    { key: 'key', value: '', description: 'An API key, or the admin key. Set its current value only.' },
    { key: 'namespace', value: 'shop' },
  ];
  for (const [service, document] of Object.entries(documents)) {
    const url = `${service}Url`;
    variable.push({ key: url, value: document.servers.at(-1)?.url ?? '' });
    item.push({
      name: service,
      item: (await convert(document)).map((each) => itemOf(each, `{{${url}}}`, document)),
    });
  }
  return {
    info: {
      name: 'Quittance',
      description: 'Generated from the OpenAPI documents beside it.',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{key}}', type: 'string' }] },
    variable,
    item,
  };
}

/** @throws Error with what the converter says */
function convert(document: OpenApiDocument): Promise<Item[]> {
  return new Promise((resolve, reject) => {
    // It writes into what it is given.
    const input = { type: 'json', data: structuredClone(document) } as const;
    converter.convertV2(input, OPTIONS, (error, { result, reason, output }: ConversionResult) => {
      if (error ?? !result) reject(error ?? new Error(reason));
      else resolve((output?.[0]?.data.item ?? []) as Item[]);
    });
  });
}

function itemOf(item: Item, host: string, document: OpenApiDocument): Item {
  if (!('request' in item)) {
    const { name, description, item: items } = item;
    return {
      name,
      ...(description && { description }),
      item: items.map((each) => itemOf(each, host, document)),
    };
  }
  const { method, description, header, url, body, auth } = item.request;
  const path = url.path.join('/');
  return {
    name: item.name,
    request: {
      method,
      ...(description !== undefined && { description: textOf(description) }),
      ...(auth === null && { auth: { type: 'noauth' } }),
      header: header.map(headerOf),
      ...(body?.raw !== undefined && { body }),
      url: {
        raw: `${host}/${path}`,
        host: [host],
        path: url.path,
        query: url.query.map(optional),
        variable: url.variable.map((each) => ({
          ...plain(each),
          value: exampleOf(document, path, each.key),
        })),
      },
    },
  };
}

/** What the document names as an example; never what the converter made up. */
function exampleOf(document: OpenApiDocument, path: string, name: string): string {
  if (name === 'namespace') return '{{namespace}}';
  const template = `/${path.replaceAll(/:([\w-]+)/g, '{$1}')}`;
  const operations = Object.values(document.paths[template] ?? {});
  const parameters = operations.flatMap(
    (operation) => (operation['parameters'] ?? []) as DocumentParameter[],
  );
  const example = parameters.find((each) => each.name === name)?.schema.examples?.[0];
  return typeof example === 'string' ? example : '';
}

/** Headers that requests have without being parameters. */
const MADE_BY_US = new Set(['accept', 'content-type']);

function headerOf(header: Parameter): Parameter {
  const name = header.key.toLowerCase();
  if (name === 'quittance-namespace') return { ...plain(header), value: '{{namespace}}' };
  return MADE_BY_US.has(name) ? plain(header) : optional(header);
}

function plain({ key, value, description }: Parameter): Parameter {
  const text = description === undefined ? '' : textOf(description);
  return { key, value, ...(text !== '' && { description: text }) };
}

/** There to be switched on; without the value that the converter made up. */
function optional(parameter: Parameter): Parameter {
  return { ...plain(parameter), value: '', disabled: true };
}

function textOf(description: Text | string): string {
  const text = typeof description === 'string' ? description : (description.content ?? '');
  return text.replace(/^\(Required\) ?/, '').trim();
}
