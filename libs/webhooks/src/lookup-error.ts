/** No address for the name: it does not exist, or the resolver did not answer. */
export class LookupFailedError extends Error {}
