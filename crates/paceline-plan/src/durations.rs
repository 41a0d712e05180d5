//! Typical durations of resource operations, by resource type.
