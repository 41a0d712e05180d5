//! Structs of the JSON report, declared together with their JSON Schema, so that the schema is never out of date.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A type with a JSON Schema.
pub(super) trait Documented {
    /// Whether a field of this type may be missing.
    const OPTIONAL: bool = false;

    fn schema() -> Value;

    /// Whether the field is left out of the document.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Declares structs. The documentation of a struct and of its fields becomes the descriptions in the schema. A field that
/// is `None` is left out of the document.
macro_rules! documented {
    ($(
        $(#[doc = $about:literal])+
        struct $name:ident { $( $(#[doc = $doc:literal])+ $field:ident: $type:ty ),+ $(,)? }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Debug, serde::Serialize)]
        pub(super) struct $name {
            $( $(#[doc = $doc])+
            #[serde(skip_serializing_if = "super::documented::Documented::is_absent")]
            pub(super) $field: $type ),+
        }

        impl super::documented::Documented for $name {
            fn schema() -> serde_json::Value {
                super::documented::object(&[$($about),+], [$(
                    super::documented::property::<$type>(stringify!($field), &[$($doc),+])
                ),+])
            }
        }
    )+};
}
pub(super) use documented;

/// A property: its name, whether it is required, and its schema with a description.
pub(super) fn property<T: Documented>(name: &'static str, doc: &[&str]) -> (&'static str, bool, Value) {
    let mut schema = T::schema();
    schema["description"] = json!(joined(doc));
    (name, !T::OPTIONAL, schema)
}

/// The schema of an object. Readers must accept fields that they do not know.
pub(super) fn object(
    about: &[&str],
    properties: impl IntoIterator<Item = (&'static str, bool, Value)>,
) -> Value {
    let (mut fields, mut required) = (Map::new(), Vec::new());
    for (name, is_required, schema) in properties {
        fields.insert(name.to_owned(), schema);
        if is_required {
            required.push(name);
        }
    }
    json!({ "description": joined(about), "type": "object", "properties": fields, "required": required })
}

fn joined(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

impl Documented for String {
    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

impl Documented for bool {
    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl Documented for u32 {
    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl Documented for usize {
    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl Documented for f64 {
    fn schema() -> Value {
        json!({ "type": "number", "minimum": 0 })
    }
}

impl<T: Documented> Documented for Option<T> {
    const OPTIONAL: bool = true;

    fn schema() -> Value {
        T::schema()
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Documented> Documented for Vec<T> {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

impl<T: Documented> Documented for BTreeMap<String, T> {
    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": T::schema() })
    }
}
