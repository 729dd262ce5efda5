import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import type { OffsetBroker } from '../reading/cluster-access.js';
import { assignSticky } from './sticky-assignment.js';
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
  heartbeat(request: unknown): Promise<unknown>;
}

interface MemberCluster {
  findBroker(node: { nodeId: string }): Promise<GroupBroker>;
  findGroupCoordinator(group: { groupId: string }): Promise<GroupBroker>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

/** What the client takes for the coordinator's word that the group rebalances: it joins again. */
class RejoinError extends Error {
  readonly type = 'REBALANCE_IN_PROGRESS';
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
        const assignment = assignSticky(
          members.map(({ memberId, memberMetadata }) => ({ memberId, held: decodeHeld(memberMetadata) })),
          topics.map((topic) => [
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
    this.wantsRejoin = true;
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
      broker.joinGroup = (request) => join(this.joinRequest(request));
      const heartbeat = broker.heartbeat.bind(broker);
      broker.heartbeat = (request) => {
        if (this.wantsRejoin) return Promise.reject(new RejoinError('What is held has changed.'));
        return heartbeat(request);
      };
      return broker;
    };
  }

  private joinRequest(request: JoinRequest): JoinRequest {
    this.wantsRejoin = false;
    const metadata = encodeMember(this.topics, byTopic(this.held(request.memberId !== '')));
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

function decodeHeld(metadata: Buffer): TopicPartitions {
  const { userData } = AssignerProtocol.MemberMetadata.decode(metadata) ?? {};
  return userData && userData.length > 0 ? (JSON.parse(userData.toString()) as TopicPartitions) : [];
}
