//! Structs of a JSON document, declared together with their JSON Schema, so that the schema is never out of date.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A type with a JSON Schema.
pub trait Documented {
    /// Whether a field of this type may be missing.
    const OPTIONAL: bool = false;

    /// The JSON Schema of the type.
    fn schema() -> Value;

    /// Whether the field is left out of the document.
    fn is_absent(&self) -> bool {
        false
    }
}

/// A value that a document has as `null` if it is `None`, and does not leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Nullable<T>(pub Option<T>);

/// A whole document as text, with a line break at its end.
pub fn json_document(document: &impl Serialize) -> String {
    // A document has only texts, numbers and lists, so it can always be written.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

/// The JSON Schema of a whole document. Its field `schema`, if it has one, is the version of the format.
pub fn document_schema<T: Documented>(title: &str, version: u32) -> Value {
    let mut schema = T::schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    if let Some(field) = schema.pointer_mut("/properties/schema") {
        field["const"] = json!(version);
    }
    schema
}

/// Declares structs. The documentation of a struct and of its fields becomes the descriptions in the schema. A field that
/// is `None` is left out of the document; one that is [`Nullable`] is `null`.
///
/// The crate that uses it needs serde and `serde_json`.
///
/// ```
/// paceline_text::documented! {
///     /// A thing.
///     struct Thing {
///         /// What it is called.
///         name: String,
///         /// How large it is, if that is known.
///         size: Option<u32>,
///         /// Who has it.
///         owner: Nullable<String>,
///     }
/// }
/// use paceline_text::{Documented as _, Nullable};
/// assert_eq!(Thing::schema()["required"], serde_json::json!(["name", "owner"]));
/// let thing = Thing { name: "a".to_owned(), size: None, owner: Nullable(None) };
/// assert_eq!(serde_json::to_string(&thing).unwrap(), r#"{"name":"a","owner":null}"#);
/// ```
#[macro_export]
macro_rules! documented {
    ($(
        $(#[doc = $about:literal])+
        struct $name:ident $(<$life:lifetime>)? { $( $(#[doc = $doc:literal])+ $field:ident: $type:ty ),+ $(,)? }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Debug, serde::Serialize)]
        pub(crate) struct $name $(<$life>)? {
            $( $(#[doc = $doc])+
            #[serde(skip_serializing_if = "paceline_text::Documented::is_absent")]
            pub(crate) $field: $type ),+
        }

        impl $(<$life>)? $crate::Documented for $name $(<$life>)? {
            fn schema() -> serde_json::Value {
                $crate::object_schema(&[$($about),+], [$(
                    $crate::property_schema::<$type>(stringify!($field), &[$($doc),+])
                ),+])
            }
        }
    )+};
}

/// A property: its name, whether it is required, and its schema with a description.
pub fn property_schema<T: Documented>(name: &'static str, doc: &[&str]) -> (&'static str, bool, Value) {
    let mut schema = T::schema();
    schema["description"] = json!(joined(doc));
    // A field may have the name of a keyword.
    (name.trim_start_matches("r#"), !T::OPTIONAL, schema)
}

/// The schema of an object. Readers must accept fields that they do not know.
pub fn object_schema(
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
        str::schema()
    }
}

impl Documented for str {
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

impl Documented for u64 {
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

/// Any JSON.
impl Documented for Value {
    fn schema() -> Value {
        json!({})
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

impl<T: Documented> Documented for Nullable<T> {
    fn schema() -> Value {
        let mut schema = T::schema();
        schema["type"] = json!([schema["type"], "null"]);
        schema
    }
}

impl<T: Documented + ?Sized> Documented for &T {
    const OPTIONAL: bool = T::OPTIONAL;

    fn schema() -> Value {
        T::schema()
    }

    fn is_absent(&self) -> bool {
        T::is_absent(self)
    }
}

impl<T: Documented> Documented for [T] {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

impl<T: Documented> Documented for Vec<T> {
    fn schema() -> Value {
        <[T]>::schema()
    }
}

impl<T: Documented> Documented for BTreeMap<String, T> {
    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": T::schema() })
    }
}
