//! An AWS on virtual time, in process or over HTTP.
