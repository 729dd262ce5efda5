import type { Deprecation } from '@quittance/contracts';
import {
  orderedMessages,
  type AsyncApiDocument,
  type AsyncApiMessage,
  type DocumentContext,
} from '../asyncapi-document.js';
import { html, Html, NOTHING } from './html.js';
import { PAGE_STYLE } from './page-style.js';
import { payloadFields, type PayloadField } from './payload-fields.js';
import { PUBLISH_ANSWERS } from './publish-answers.js';

export { PAGE_POLICY } from './page-style.js';

/** Exactly these bytes are what the policy allows. */
const STYLE = new Html(['<style>', PAGE_STYLE, '</style>'].join(''));

/** One event type for people: a whole page, without scripts and without anything from elsewhere. */
export function eventTypePage(document: AsyncApiDocument, name: string, context: DocumentContext): string {
  const channel = document.channels[name];
  const messages = orderedMessages(document, name);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${name} – events of ${context.namespace}</title>
        ${STYLE}
      </head>
      <body>
        <header>
          <p>Event type of the namespace <strong>${context.namespace}</strong></p>
          <h1>${name}</h1>
          ${paragraphs(channel?.description ?? '')}
        </header>
        <nav aria-label="On this page">
          <ul>
            ${messages.map((message, index) => html`<li><a href="#message-${index}">${message.title}</a></li>`)}
            <li><a href="#publish">How to publish</a></li>
            <li><a href="#answers">Answers</a></li>
          </ul>
        </nav>
        <main>
          ${messages.map((message, index) => messageSection(document, message, index))}
          ${publishing(messages, name, context)} ${answers()}
        </main>
      </body>
    </html>`;
  return page.text;
}

function messageSection(document: AsyncApiDocument, message: AsyncApiMessage, index: number): Html {
  const fields = payloadFields(document, message.payload);
  return html`<section aria-labelledby="message-${index}">
    <h2 id="message-${index}">${message.title}</h2>
    ${deprecationNote(message['x-deprecation'])}
    ${message.summary ? html`<p>${message.summary}</p>` : NOTHING}
    <div class="scroll" tabindex="0" role="region" aria-label="Fields of ${message.title}">
      <table>
        <caption>
          Fields of the data
        </caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Type</th>
            <th scope="col">Required</th>
            <th scope="col">Description</th>
            <th scope="col">Constraints</th>
          </tr>
        </thead>
        <tbody>
          ${fields.map(fieldRow)}
        </tbody>
      </table>
    </div>
    ${(message.examples ?? []).map(
      ({ payload }, position) =>
        html`<h3>Example ${position + 1}</h3>
          <pre tabindex="0"><code>${JSON.stringify(payload, null, 2)}</code></pre>`,
    )}
  </section>`;
}

function fieldRow({ path, type, isRequired, description, constraints }: PayloadField): Html {
  return html`<tr>
    <th scope="row">${path === '' ? html`<em>the data</em>` : html`<code>${path}</code>`}</th>
    <td>${type}</td>
    <td>${isRequired ? 'yes' : 'no'}</td>
    <td>${description}</td>
    <td>
      ${
        constraints.length === 0
          ? NOTHING
          : html`<ul>
              ${constraints.map((text) => html`<li>${text}</li>`)}
            </ul>`
      }
    </td>
  </tr>`;
}

function deprecationNote(deprecation: Deprecation | undefined): Html {
  if (!deprecation) return NOTHING;
  const { since, sunset, message } = deprecation;
  return html`<p class="note">
    <strong>Deprecated</strong> since
    ${since}${sunset === undefined ? '' : `, and may be gone from ${sunset} on`}. ${message}
  </p>`;
}

function publishing(messages: readonly AsyncApiMessage[], name: string, context: DocumentContext): Html {
  const latest = messages.at(-1);
  const version = latest?.['x-schemaversion'];
  const event = {
    type: name,
    ...(version !== undefined && { schemaversion: version }),
    data: latest?.examples?.[0]?.payload ?? {},
  };
  const command = [
    `curl --request POST '${context.ingestUrl}/v1/events' \\`,
    `  --header "Authorization: Bearer $QUITTANCE_KEY" \\`,
    `  --header 'Content-Type: application/json' \\`,
    `  --data ${shellQuoted(JSON.stringify(event))}`,
  ].join('\n');
  return html`<section aria-labelledby="publish">
    <h2 id="publish">How to publish</h2>
    <p>
      With an API key of this namespace that has the scope “publish”. Without “schemaversion” the last version
      counts. Give the event an “id” of your own, or an Idempotency-Key, and repeat the request until it is
      answered: an event is delivered once per id.
    </p>
    <pre tabindex="0"><code>${command}</code></pre>
  </section>`;
}

function answers(): Html {
  return html`<section aria-labelledby="answers">
    <h2 id="answers">Answers</h2>
    <p>Errors are problem documents (RFC 9457). Programs go by “code”.</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Answers">
      <table>
        <caption>
          What a published event is answered with
        </caption>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Code</th>
            <th scope="col">Meaning</th>
            <th scope="col">What to do</th>
          </tr>
        </thead>
        <tbody>
          ${PUBLISH_ANSWERS.map(
            ({ status, code, meaning, action }) =>
              html`<tr>
                <th scope="row">${status}</th>
                <td>${code === undefined ? NOTHING : html`<code>${code}</code>`}</td>
                <td>${meaning}</td>
                <td>${action}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function paragraphs(text: string): Html[] {
  return text
    .split(/\n{2,}/)
    .filter((each) => each.trim() !== '')
    .map((each) => html`<p>${each}</p>`);
}

/** For a POSIX shell. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
