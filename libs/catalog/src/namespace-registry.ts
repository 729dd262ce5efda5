import { DEFAULT_NAMESPACE, type NamespaceResource, type NamespaceSpec } from '@quittance/contracts';

/** Which namespaces there are, and what holds in them. */
export class NamespaceRegistry {
  private readonly resources = new Map<string, NamespaceResource>();
  /** Those whose last description could not be read: a later release may have written it. */
  private readonly unread = new Set<string>();
  /** Of each namespace, the `Kind/name` of everything in it; none are empty. */
  private readonly members = new Map<string, Set<string>>();

  spec(namespace: string): NamespaceSpec {
    return this.resources.get(namespace)?.spec ?? DEFAULT_NAMESPACE;
  }

  /** False when something stands there that this release cannot read: what holds by it is not known. */
  isReadable(namespace: string): boolean {
    return !this.unread.has(namespace);
  }

  markUnread(namespace: string): void {
    this.unread.add(namespace);
  }

  /** True while a resource of any kind is there. */
  has(namespace: string): boolean {
    return this.members.has(namespace);
  }

  put(resource: NamespaceResource): void {
    this.unread.delete(resource.metadata.name);
    this.resources.set(resource.metadata.name, resource);
  }

  remove(name: string): void {
    this.unread.delete(name);
    this.resources.delete(name);
  }

  enter(kind: string, namespace: string, name: string): void {
    const members = this.members.get(namespace) ?? new Set<string>();
    members.add(`${kind}/${name}`);
    this.members.set(namespace, members);
  }

  leave(kind: string, namespace: string, name: string): void {
    const members = this.members.get(namespace);
    if (members?.delete(`${kind}/${name}`) && members.size === 0) this.members.delete(namespace);
  }
}
