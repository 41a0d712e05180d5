//! Makes the deployment plan of a cloud assembly.
