/** It has no types of its own; these are of what is used. */
declare module 'openapi-to-postmanv2' {
  export interface ConversionResult {
    result: boolean;
    reason?: string;
    output?: { type: string; data: { item: unknown[] } }[];
  }

  const converter: {
    convertV2(
      input: { type: 'json'; data: object },
      options: Record<string, unknown>,
      done: (error: Error | null, result: ConversionResult) => void,
    ): void;
  };
  export default converter;
}
