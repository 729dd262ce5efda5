import type { ASTNode } from '@marcbachmann/cel-js';
import { REPLACED } from './cel-environment.js';
import { DefinitionError } from './definition-error.js';
import { linearRegExp } from './linear-regexp.js';

/** What is known of an expression's cost before it runs. */
export interface ExpressionShape {
  nodes: number;
  /** Its cost may grow with the square of the data: a comprehension whose body may itself walk the data. */
  quadratic: boolean;
}

/** Comprehensions, by their method's name. */
const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const MAX_LOOPS = 4;
/** Each `+` can add another copy of 1 MiB of data to a text or a list. */
const MAX_SUMS = 64;

interface Walk extends ExpressionShape {
  loops: number;
  sums: number;
}

/**
 * Walks a parsed expression before it is checked: refuses what can explode, checks literal patterns, and points calls
 * of replaced functions at ours (in place).
 * @throws DefinitionError
 */
export function guardExpression(ast: ASTNode): ExpressionShape {
  const walk: Walk = { nodes: 0, quadratic: false, loops: 0, sums: 0 };
  visit(ast, false, walk);
  return { nodes: walk.nodes, quadratic: walk.quadratic };
}

function visit(node: ASTNode, inLoop: boolean, walk: Walk): void {
  walk.nodes++;
  if (node.op === 'rcall') {
    visitMethod(node, inLoop, walk);
    return;
  }
  if (node.op === '+' && ++walk.sums > MAX_SUMS) {
    throw new DefinitionError(`The expression has more than ${MAX_SUMS} uses of "+": use fewer.`);
  }
  if (node.op === 'call') node.args[0] = REPLACED.get(node.args[0]) ?? node.args[0];
  for (const child of childrenOf(node)) visit(child, inLoop, walk);
}

function visitMethod(node: ASTNode & { op: 'rcall' }, inLoop: boolean, walk: Walk): void {
  const [name, receiver, args] = node.args;
  visit(receiver, inLoop, walk);
  if (LOOPS.has(name) && args.length >= 2) {
    if (inLoop) {
      throw new DefinitionError(
        `"${name}" stands inside another comprehension, which multiplies their costs: chain them instead, as in list.filter(…).map(…).`,
      );
    }
    if (++walk.loops > MAX_LOOPS) {
      throw new DefinitionError(`The expression has more than ${MAX_LOOPS} comprehensions: use fewer.`);
    }
    for (const arg of args) {
      visit(arg, true, walk);
      if (!isFlat(arg)) walk.quadratic = true;
    }
    return;
  }
  if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel') {
    // Bindings inside one another multiply: ten times "twice of it" is a thousand times the data.
    throw new DefinitionError('cel.bind is not supported: write the value where it is used.');
  }
  const pattern = args[0];
  if (name === 'matches' && pattern?.op === 'value' && typeof pattern.args === 'string') {
    linearRegExp(pattern.args);
  }
  node.args[0] = REPLACED.get(name) ?? name;
  for (const arg of args) visit(arg, inLoop, walk);
}

function childrenOf(node: ASTNode): ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'list':
      return node.args;
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

const isLiteral = (node: ASTNode | undefined): boolean =>
  node !== undefined && (node.op === 'value' || (node.op === 'list' && node.args.every(isLiteral)));

/** True when one evaluation costs the same however large the data is. */
function isFlat(node: ASTNode): boolean {
  switch (node.op) {
    case 'value':
    case 'id':
    case '.':
    case '[]':
    case '&&':
    case '||':
    case '!_':
    case '-_':
    case '?:':
    case '-':
    case '*':
    case '/':
    case '%':
    case 'map':
      return childrenOf(node).every(isFlat);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '+':
      return node.args.some(isLiteral) && node.args.every(isFlat) && !isText(node);
    case 'in':
      return isLiteral(node.args[1]) && isFlat(node.args[0]);
    case 'list':
      return node.args.every(isFlat);
    case 'call':
      return node.args[0] === 'has';
    case 'rcall':
      return (
        (node.args[0] === 'startsWith' || node.args[0] === 'endsWith') &&
        isFlat(node.args[1]) &&
        node.args[2].every(isLiteral)
      );
    default:
      return false;
  }
}

/** `list + [1]` copies the list, and `text + "x"` is copied when it is read. */
function isText(node: ASTNode): boolean {
  return (
    node.op === '+' &&
    !node.args.some(
      (side) => side.op === 'value' && (typeof side.args === 'bigint' || typeof side.args === 'number'),
    )
  );
}
