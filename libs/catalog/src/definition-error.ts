/** An expression or a schema that cannot be used. The message tells its author what to do. */
export class DefinitionError extends Error {
  readonly code = 'invalid_definition';
  readonly retryable = false;
}
