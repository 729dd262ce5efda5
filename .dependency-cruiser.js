/** Who may import whom. The text of a rule's comment is what a person sees who breaks it. */
const LIBS = 'contracts|kafka|webhooks|catalog|persistence|telemetry|service|testing';

/** What each library may import of ours, beside itself. */
const LAYERS = {
  contracts: '',
  webhooks: 'contracts',
  telemetry: 'contracts',
  kafka: 'contracts',
  catalog: 'contracts',
  persistence: 'contracts',
  service: 'contracts|kafka|catalog|telemetry',
};

const layers = Object.entries(LAYERS).map(([lib, allowed]) => ({
  name: `${lib}-layer`,
  severity: 'error',
  comment: allowed
    ? `libs/${lib} may import ${allowed.replaceAll('|', ', ')}, and no other library of ours.`
    : `libs/${lib} imports nothing of ours.`,
  from: { path: `^libs/${lib}/`, pathNot: '\\.spec\\.ts$|\\.fixture\\.ts$' },
  to: {
    path: '^(libs|apps|deploy|bench|test)/',
    pathNot: `^libs/(${[lib, allowed].filter(Boolean).join('|')})/`,
  },
}));

const only = (name, pkg, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { pathNot: `^(${allowed})/|\\.spec\\.ts$` },
  to: { path: `node_modules/(${pkg})/` },
});

export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A circle of imports has no beginning: move what both need into a file of its own.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'apps-apart',
      severity: 'error',
      comment: 'Apps never import each other; what they share is a library, or a topic.',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-below-apps',
      severity: 'error',
      comment: 'Libraries know nothing of the apps that use them.',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'through-the-index',
      severity: 'error',
      comment: 'A library is entered through its index.ts.',
      from: { path: `^(apps|bench|test|libs)/`, pathNot: `^libs/(${LIBS})/` },
      to: { path: `^libs/(${LIBS})/src/.+`, pathNot: `^libs/(${LIBS})/src/index\\.ts$` },
    },
    ...Object.keys(LAYERS).map((lib) => ({
      name: `through-the-index-of-${lib}`,
      severity: 'error',
      comment: 'A library is entered through its index.ts, also by other libraries.',
      from: { path: '^libs/', pathNot: `^libs/${lib}/` },
      to: { path: `^libs/${lib}/src/.+`, pathNot: `^libs/${lib}/src/index\\.ts$` },
    })),
    {
      name: 'testing-in-tests-only',
      severity: 'error',
      comment: 'libs/testing is for specs and test/.',
      from: { path: '^(apps|libs|deploy|bench)/', pathNot: '^libs/testing/|\\.spec\\.ts$|\\.fixture\\.ts$' },
      to: { path: '^libs/testing/' },
    },
    ...layers,
    only('kafkajs-in-kafka', 'kafkajs', 'libs/kafka', 'Only libs/kafka sees kafkajs.'),
    only(
      'undici-in-webhooks',
      'undici',
      'libs/webhooks|bench|deploy|libs/testing',
      'Sockets to subscribers are opened by libs/webhooks only, where addresses are checked.',
    ),
    only(
      'typeorm-in-persistence',
      'typeorm|pg|@nestjs/typeorm',
      'libs/persistence|apps|deploy|libs/testing|test',
      'The database is seen by libs/persistence and by apps.',
    ),
    {
      name: 'no-nest-in-pure-libs',
      severity: 'error',
      comment: 'contracts, webhooks, catalog and telemetry work without Nest.',
      from: { path: '^libs/(contracts|webhooks|catalog|telemetry)/', pathNot: '\\.spec\\.ts$' },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'no-dev-dependency-in-production',
      severity: 'error',
      comment: 'What services run with belongs in "dependencies".',
      from: { path: '^(apps|libs)/', pathNot: '^libs/testing/|\\.spec\\.ts$|\\.fixture\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The import leads nowhere.',
      from: {},
      // Entry points that exist for other conditions than the resolver's.
      to: {
        couldNotResolve: true,
        pathNot: '^((vitest|@marcbachmann/cel-js)/|(@octokit/webhooks-methods|vite)$)',
      },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
