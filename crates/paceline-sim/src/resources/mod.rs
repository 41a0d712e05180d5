//! The behaviour of resource types: physical ids, attributes, and the answers of custom resources.

mod attributes;
mod custom;
mod names;

pub(crate) use attributes::{attribute, is_made_up, outputs_as_attributes};
pub(crate) use custom::{READER, SDK_CALL, STRING_READER, SdkCall, WRITER};
pub(crate) use names::{Unique, given_name, physical, uniqueness};
