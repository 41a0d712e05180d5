//! Performs the steps of a plan on AWS.
