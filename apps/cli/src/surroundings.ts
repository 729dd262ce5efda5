/** What a command may touch. */
export interface CliSurroundings {
  env: NodeJS.ProcessEnv;
  /** A result, for standard output. */
  print: (text: string) => void;
  /** What went wrong, or is worth a look, for standard error. */
  complain: (text: string) => void;
}
