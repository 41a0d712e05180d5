//! The content of a `manifest.json`, with its artifacts in the order of the file.

use std::collections::HashMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::{AssemblyError, MissingContext};
use crate::shape::{Shape, join, read_json};

/// The newest schema that this reader knows. Newer ones are read with a warning: most changes are additions.
const NEWEST_SCHEMA: u64 = 55;
const OLDEST_SCHEMA: u64 = 7;

#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) path: Utf8PathBuf,
    pub(crate) version: String,
    pub(crate) missing: Vec<MissingContext>,
    pub(crate) artifacts: Vec<(String, Value)>,
}

impl Manifest {
    pub(crate) fn read(path: &Utf8Path, named_by: Option<String>) -> Result<Self, AssemblyError> {
        let Text { fields, artifacts } = read_json(path, named_by)?;
        let fields = Value::Object(fields);
        let shape = Shape::new(&fields, path, "");
        let version = shape.required_string("version")?;
        if major(&version).is_none() {
            return Err(shape
                .require("version")?
                .error(format!("expected a version like `36.0.0`, found `{version}`")));
        }
        let missing = match shape.get("missing")? {
            Some(list) => list.items()?.map(|item| missing_context(&item)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self { path: path.to_owned(), version, missing, artifacts })
    }

    /// The warning about the schema version, if there is one.
    pub(crate) fn schema_warning(&self) -> Option<String> {
        let major = major(&self.version)?;
        let version = &self.version;
        if major > NEWEST_SCHEMA {
            Some(format!(
                "`{}` has schema {version}, newer than the newest known one, {NEWEST_SCHEMA}: what is new in it is ignored",
                self.path
            ))
        } else if major < OLDEST_SCHEMA {
            Some(format!(
                "`{}` has schema {version}, older than the oldest known one, {OLDEST_SCHEMA}: parts of it may be missed",
                self.path
            ))
        } else {
            None
        }
    }

    pub(crate) fn artifact<'a>(&'a self, id: &str, value: &'a Value) -> Shape<'a> {
        Shape::new(value, &self.path, join("artifacts", id))
    }
}

fn major(version: &str) -> Option<u64> {
    version.split('.').next()?.parse().ok()
}

fn missing_context(item: &Shape<'_>) -> Result<MissingContext, AssemblyError> {
    let provider = item.string("provider")?.unwrap_or_else(|| "unknown provider".to_owned());
    let stand_in = match item.get("props")? {
        Some(props) => props.get("dummyValue")?.map(|it| it.value.clone()),
        None => None,
    };
    let (key, stand_in) = (item.required_string("key")?, stand_in.unwrap_or_default());
    Ok(MissingContext { app: None, key, provider, stand_in })
}

struct Text {
    fields: Map<String, Value>,
    artifacts: Vec<(String, Value)>,
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest, which is a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Text, A::Error> {
        let mut text = Text { fields: Map::new(), artifacts: Vec::new() };
        while let Some(key) = entries.next_key::<String>()? {
            if key == "artifacts" {
                text.artifacts = entries.next_value::<Option<Ordered>>()?.map(|it| it.0).unwrap_or_default();
            } else {
                text.fields.insert(key, entries.next_value()?);
            }
        }
        Ok(text)
    }
}

/// A map in the order of the file. A repeated key replaces the earlier one, as it does in JavaScript.
struct Ordered(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`artifacts` to be a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Ordered, A::Error> {
        let mut list: Vec<(String, Value)> = Vec::new();
        let mut at: HashMap<String, usize> = HashMap::new();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            if let Some(&index) = at.get(&key) {
                list[index].1 = value;
            } else {
                at.insert(key.clone(), list.len());
                list.push((key, value));
            }
        }
        Ok(Ordered(list))
    }
}
