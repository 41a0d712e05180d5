'use strict';

const { optionalDependencies, version } = require('./package.json');

/** The path of the program of this platform. */
function binary() {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@paceline/${platform}`;
  if (!Object.hasOwn(optionalDependencies, name)) {
    const offered = Object.keys(optionalDependencies).map((it) => it.replace('@paceline/', ''));
    throw new Error(
      `error: paceline ${version} has no program for ${platform}, only for ${offered.join(' and ')}\n` +
        ' hint: run it in a Linux container, or build it from its sources with cargo',
    );
  }
  try {
    return require.resolve(`${name}/paceline`);
  } catch {
    throw new Error(
      `error: the package ${name} is not installed: it has the program of paceline for this platform\n` +
        ` hint: npm install --include=optional paceline@${version}; if the lock file does not list ${name}, remove ` +
        'node_modules and the lock file first',
    );
  }
}

module.exports = { binary };
