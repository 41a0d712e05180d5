//! Deploys AWS CDK apps of many stacks in parallel.
