//! Reads AWS CDK cloud assemblies.
