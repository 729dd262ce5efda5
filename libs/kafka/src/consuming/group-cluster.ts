import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import type { OffsetBroker } from '../reading/cluster-access.js';
import { assignSticky, type GroupMember } from './sticky-assignment.js';
import { byTopic, partitionKey, type TopicPartition, type TopicPartitions } from './topic-partitions.js';

export interface Committed {
  offset: bigint;
  metadata: string | null;
}

const VERSION = 1;

interface JoinRequest {
  /** Empty for who is no member. */
  memberId: string;
  groupProtocols: { name: string; metadata: Buffer }[];
}

/** The part of kafkajs 2.2.4's broker that a member of a group talks to. */
interface GroupBroker extends OffsetBroker {
  joinGroup(request: JoinRequest): Promise<unknown>;
  syncGroup(request: unknown): Promise<unknown>;
  heartbeat(request: unknown): Promise<unknown>;
}

interface MemberCluster {
  findBroker(node: { nodeId: string }): Promise<GroupBroker>;
  findGroupCoordinator(group: { groupId: string }): Promise<GroupBroker>;
  addMultipleTargetTopics(topics: string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
  refreshMetadataIfNecessary(): Promise<void>;
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

/** What the client takes for the coordinator's word that the group rebalances: it joins again. */
class RejoinError extends Error {
  readonly type = 'REBALANCE_IN_PROGRESS';

  constructor() {
    super('The group has to be joined again.');
  }
}

/** The client forgets its member id then, and sends no heartbeats until it has joined as somebody new. */
function isForgotten(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'UNKNOWN_MEMBER_ID';
}

function isRetriable(error: unknown): boolean {
  return error instanceof Error && 'retriable' in error && error.retriable === true;
}

/**
 * What kafkajs has no call for: telling the group at a join what this member holds, joining again of our own accord,
 * and asking about just the partitions that were assigned. It hands the consumer's own cluster to the partition
 * assigner, and that is where we stand.
 */
export class GroupCluster {
  private cluster: MemberCluster | undefined;
  private readonly tapped = new WeakSet<GroupBroker>();
  private wantsRejoin = false;
  private joining = false;
  private isMember = false;

  /**
   * @param held asked at each join: what this member goes on with whatever comes of it. `isMember` is false when it is
   *   none (any more): what it had is others' already, and it must hold nothing
   */
  constructor(
    private readonly groupId: string,
    private readonly topics: readonly string[],
    private readonly held: (isMember: boolean) => Iterable<TopicPartition>,
  ) {}

  /** For the consumer's `partitionAssigners`. */
  readonly assigner: PartitionAssigner = (config) => {
    const cluster = config.cluster as unknown as MemberCluster;
    this.tap(cluster);
    const name = 'quittance-sticky';
    return {
      name,
      version: VERSION,
      protocol: ({ topics }) => ({ name, metadata: encodeMember(topics, []) }),
      assign: async ({ members, topics }) => {
        const readers = members.map(({ memberId, memberMetadata }) => decodeMember(memberId, memberMetadata));
        // While a release that reads other topics is rolled out, members differ in what they read, whoever leads.
        const all = [...new Set([...topics, ...readers.flatMap((reader) => reader.topics)])].sort();
        await cluster.addMultipleTargetTopics(all).catch((error: unknown) => {
          // What passes fails this join, and is tried again with the next. A topic that this member may not see must not
          // keep the others from being assigned.
          if (isRetriable(error)) throw error;
        });
        const assignment = assignSticky(
          readers,
          all.map((topic) => [
            topic,
            cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
          ]),
        );
        return Array.from(assignment, ([memberId, partitions]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: VERSION,
            assignment: Object.fromEntries(partitions),
            userData: Buffer.alloc(0),
          }),
        }));
      },
    };
  };

  /** Joins the group again with the next heartbeat, so that what is held no more is given to others. */
  rejoin(): void {
    // Who is no member is about to join anyway.
    if (this.isMember) this.wantsRejoin = true;
  }

  /** Whether a join has begun, saying what was held then, and it is not known yet what comes of it. */
  get isJoining(): boolean {
    return this.joining;
  }

  /** The client has its assignment, and commits and heartbeats under it. */
  joined(): void {
    this.joining = false;
  }

  /** The membership is over: the next join is a stranger's. */
  left(): void {
    this.wantsRejoin = false;
    this.joining = false;
    this.isMember = false;
  }

  /** What the group has committed, as of now; partitions without are left out. */
  async committed(partitions: Iterable<TopicPartition>): Promise<Map<string, Committed>> {
    const coordinator = await this.access.findGroupCoordinator({ groupId: this.groupId });
    const { responses } = await coordinator.offsetFetch({
      groupId: this.groupId,
      topics: requestOf(byTopic(partitions)),
    });
    const committed = new Map<string, Committed>();
    for (const { topic, partitions: found } of responses) {
      for (const { partition, offset, metadata } of found) {
        if (BigInt(offset) < 0n) continue;
        committed.set(partitionKey(topic, partition), {
          offset: BigInt(offset),
          metadata: metadata ?? null,
        });
      }
    }
    return committed;
  }

  /** The first offset that still exists, of each partition. */
  async beginnings(partitions: Iterable<TopicPartition>): Promise<Map<string, bigint>> {
    const found = await this.access.fetchTopicsOffset(
      requestOf(byTopic(partitions)).map((request) => ({ ...request, fromBeginning: true })),
    );
    return new Map(
      found.flatMap(({ topic, partitions: offsets }) =>
        offsets.map(({ partition, offset }) => [partitionKey(topic, partition), BigInt(offset)] as const),
      ),
    );
  }

  private get access(): MemberCluster {
    if (!this.cluster) throw new Error('The consumer has not been made with this assigner.');
    return this.cluster;
  }

  private tap(cluster: MemberCluster): void {
    this.cluster = cluster;
    // Every broker that the client talks to comes from here; the coordinator too.
    const find = cluster.findBroker.bind(cluster);
    cluster.findBroker = async (node) => {
      const broker = await find(node);
      if (this.tapped.has(broker)) return broker;
      this.tapped.add(broker);
      const join = broker.joinGroup.bind(broker);
      broker.joinGroup = async (request) => {
        const answer = await this.watch(join(this.joinRequest(request)));
        this.isMember = true;
        return answer;
      };
      const sync = broker.syncGroup.bind(broker);
      broker.syncGroup = (request) => this.watch(sync(request));
      const heartbeat = broker.heartbeat.bind(broker);
      broker.heartbeat = async (request) => {
        if (this.hasToJoin) throw new RejoinError();
        return this.watch(heartbeat(request));
      };
      return broker;
    };
    // The first thing that the client does for a fetch. Who is no member sends no heartbeats.
    const refresh = cluster.refreshMetadataIfNecessary.bind(cluster);
    cluster.refreshMetadataIfNecessary = async () => {
      if (!this.isMember && this.hasToJoin) throw new RejoinError();
      return refresh();
    };
  }

  /**
   * A join that fails on its way, for want of a connection say, the client forgets: it goes on fetching under the
   * assignment from before, although the group may have moved on to a generation in which it can commit nothing, and has
   * not heard of what is free.
   */
  private get hasToJoin(): boolean {
    return this.wantsRejoin || this.joining;
  }

  private async watch<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (isForgotten(error)) {
        this.isMember = false;
        this.wantsRejoin = true;
      }
      throw error;
    }
  }

  private joinRequest(request: JoinRequest): JoinRequest {
    const held = this.held(request.memberId !== '');
    this.wantsRejoin = false;
    this.joining = true;
    const metadata = encodeMember(this.topics, byTopic(held));
    return {
      ...request,
      groupProtocols: request.groupProtocols.map((protocol) => ({ ...protocol, metadata })),
    };
  }
}

function requestOf(partitions: TopicPartitions): { topic: string; partitions: { partition: number }[] }[] {
  return partitions.map(([topic, numbers]) => ({
    topic,
    partitions: numbers.map((partition) => ({ partition })),
  }));
}

function encodeMember(topics: readonly string[], held: TopicPartitions): Buffer {
  const userData = Buffer.from(JSON.stringify(held));
  return AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics: [...topics], userData });
}

function decodeMember(memberId: string, metadata: Buffer): GroupMember & { topics: readonly string[] } {
  const { topics = [], userData } = AssignerProtocol.MemberMetadata.decode(metadata) ?? {};
  const held = userData && userData.length > 0 ? (JSON.parse(userData.toString()) as TopicPartitions) : [];
  return { memberId, topics, held };
}
