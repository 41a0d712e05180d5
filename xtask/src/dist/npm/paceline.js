#!/usr/bin/env node
'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const { binary } = require('../index.js');

/** The exit code for a wrong installation, as `paceline` has it for wrong usage. */
const USAGE = 2;

let program;
try {
  program = binary();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(USAGE);
}

const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
child.on('error', (error) => {
  process.stderr.write(`error: ${program} cannot be started: ${error.message}\n`);
  process.exit(USAGE);
});

// The keys of a terminal reach the child, too: a second signal would end it at once.
const fromTerminal = process.stdin.isTTY ? ['SIGINT', 'SIGHUP', 'SIGQUIT'] : [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    if (!fromTerminal.includes(signal)) {
      child.kill(signal);
    }
  });
}

child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + constants.signals[signal]);
});
