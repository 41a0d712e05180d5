//! Executes a deployment plan.
