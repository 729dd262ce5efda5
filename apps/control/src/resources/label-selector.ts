import { Problem } from '@quittance/contracts';

/** One requirement on a resource's labels. `notIn` also holds where the label is missing, as in Kubernetes. */
export type LabelRequirement =
  | { operator: 'exists' | 'missing'; label: string }
  | { operator: 'in' | 'notIn'; label: string; values: string[] };

const MAX_LENGTH = 4096;
const LABEL = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?`;
const VALUE = String.raw`(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?`;
const EXISTENCE = new RegExp(`^(!?)\\s*(${LABEL})$`);
const EQUALITY = new RegExp(`^(${LABEL})\\s*(==|=|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${LABEL})\\s+(in|notin)\\s*\\(\\s*(${VALUE}(?:\\s*,\\s*${VALUE})*)\\s*\\)$`);

/**
 * Reads Kubernetes' selector syntax: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. All requirements have to hold.
 * @throws Problem `malformed_request`
 */
export function parseLabelSelector(text: string): LabelRequirement[] {
  if (text.length > MAX_LENGTH) {
    throw refused(`The label selector is longer than ${MAX_LENGTH} characters.`);
  }
  if (text.trim() === '') return [];
  // Commas inside parentheses separate values, not requirements.
  return text.split(/,(?![^(]*\))/).map((part) => parseRequirement(part.trim()));
}

function parseRequirement(text: string): LabelRequirement {
  const existence = EXISTENCE.exec(text);
  if (existence) {
    return { operator: existence[1] === '!' ? 'missing' : 'exists', label: existence[2]! };
  }
  const equality = EQUALITY.exec(text);
  if (equality) {
    return {
      operator: equality[2] === '!=' ? 'notIn' : 'in',
      label: equality[1]!,
      values: [equality[3]!],
    };
  }
  const set = SET.exec(text);
  if (set) {
    return {
      operator: set[2] === 'notin' ? 'notIn' : 'in',
      label: set[1]!,
      values: set[3]!.split(',').map((value) => value.trim()),
    };
  }
  throw refused(
    `The label selector cannot be read at "${text.slice(0, 80)}". Write for example "a=b,c!=d,e in (x,y),f,!g".`,
  );
}

function refused(message: string): Problem {
  return new Problem('malformed_request', message, { errors: [{ path: 'labelSelector', message }] });
}
