// Nest's rspack defaults compile down to ES2021, which turns private fields and
// class fields into helper calls on the hot path. We run on Node 24 only.
export default (options) => {
  for (const rule of options.module.rules) {
    for (const { loader, options: loaderOptions } of rule.use ?? []) {
      if (loader === 'builtin:swc-loader') loaderOptions.jsc.target = 'es2024';
    }
  }
  return { ...options, devtool: 'source-map' };
};
