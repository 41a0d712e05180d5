//! Reads values of a JSON file by name, and tracks the place of each value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8Path;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::AssemblyError;
use crate::files::{LARGEST_MANIFEST, read_regular};
use crate::template::kind;

/// Reads a JSON file. `named_by` is the place that names the file.
pub(crate) fn read_json<T: DeserializeOwned>(
    path: &Utf8Path,
    named_by: Option<String>,
) -> Result<T, AssemblyError> {
    let bytes = read_bytes(path, LARGEST_MANIFEST, named_by)?;
    serde_json::from_slice(without_bom(&bytes)).map_err(|source| AssemblyError::Syntax {
        path: path.to_owned(),
        line: source.line(),
        column: source.column(),
        source,
    })
}

pub(crate) fn read_bytes(
    path: &Utf8Path,
    most: u64,
    named_by: Option<String>,
) -> Result<Vec<u8>, AssemblyError> {
    read_regular(path, most).map_err(|source| AssemblyError::Read { path: path.to_owned(), named_by, source })
}

pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A value in a file, with its place.
#[derive(Debug, Clone)]
pub(crate) struct Shape<'a> {
    pub(crate) value: &'a Value,
    pub(crate) file: &'a Utf8Path,
    pub(crate) place: String,
}

impl<'a> Shape<'a> {
    pub(crate) fn new(value: &'a Value, file: &'a Utf8Path, place: impl Into<String>) -> Self {
        Self { value, file, place: place.into() }
    }

    pub(crate) fn error(&self, problem: impl Into<String>) -> AssemblyError {
        AssemblyError::Shape {
            path: self.file.to_owned(),
            place: self.place.clone(),
            problem: problem.into(),
        }
    }

    pub(crate) fn outside(&self, named: &str) -> AssemblyError {
        AssemblyError::Outside {
            path: self.file.to_owned(),
            place: self.place.clone(),
            named: named.to_owned(),
        }
    }

    /// This place, for an error about the file that this value names.
    pub(crate) fn named_by(&self) -> String {
        format!("`{}` at `{}`", self.file, self.place)
    }

    fn expected(&self, what: &str) -> AssemblyError {
        self.error(format!("expected {what}, found {}", kind(self.value)))
    }

    /// A field, or `None` if it is absent or `null`. Fails if this value is no map.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Shape<'a>>, AssemblyError> {
        let fields = self.value.as_object().ok_or_else(|| self.expected("a map"))?;
        let value = fields.get(key).filter(|value| !value.is_null());
        Ok(value.map(|value| Shape::new(value, self.file, join(&self.place, key))))
    }

    pub(crate) fn require(&self, key: &str) -> Result<Shape<'a>, AssemblyError> {
        self.get(key)?.ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    pub(crate) fn entries(&self) -> Result<impl Iterator<Item = (&'a str, Shape<'a>)>, AssemblyError> {
        let fields = self.value.as_object().ok_or_else(|| self.expected("a map"))?;
        let (file, place) = (self.file, self.place.clone());
        Ok(fields.iter().map(move |(key, value)| (key.as_str(), Shape::new(value, file, join(&place, key)))))
    }

    pub(crate) fn items(&self) -> Result<impl Iterator<Item = Shape<'a>>, AssemblyError> {
        let items = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let (file, place) = (self.file, self.place.clone());
        Ok(items.iter().enumerate().map(move |(at, value)| Shape::new(value, file, format!("{place}[{at}]"))))
    }

    pub(crate) fn text(&self) -> Result<&'a str, AssemblyError> {
        self.value.as_str().ok_or_else(|| self.expected("a string"))
    }

    /// A string, number or boolean, as text.
    fn scalar(&self) -> Result<String, AssemblyError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(self.expected("a string")),
        }
    }

    pub(crate) fn string(&self, key: &str) -> Result<Option<String>, AssemblyError> {
        self.get(key)?.map(|field| field.text().map(str::to_owned)).transpose()
    }

    pub(crate) fn required_string(&self, key: &str) -> Result<String, AssemblyError> {
        self.require(key)?.text().map(str::to_owned)
    }

    pub(crate) fn boolean(&self, key: &str) -> Result<Option<bool>, AssemblyError> {
        let Some(field) = self.get(key)? else { return Ok(None) };
        field.value.as_bool().map(Some).ok_or_else(|| field.expected("true or false"))
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u32>, AssemblyError> {
        let Some(field) = self.get(key)? else { return Ok(None) };
        let number = field.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.map(Some).ok_or_else(|| field.expected("a version number"))
    }

    pub(crate) fn strings(&self, key: &str) -> Result<Option<Vec<String>>, AssemblyError> {
        let Some(field) = self.get(key)? else { return Ok(None) };
        field.items()?.map(|item| item.text().map(str::to_owned)).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn string_map(&self, key: &str) -> Result<Option<BTreeMap<String, String>>, AssemblyError> {
        let Some(field) = self.get(key)? else { return Ok(None) };
        field
            .entries()?
            .map(|(key, value)| Ok((key.to_owned(), value.scalar()?)))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// Appends a key in the notation of `jq`: an id with a dot, as in asset manifests, stays one step.
pub(crate) fn join(place: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-:/".contains(c));
    let mut joined = place.to_owned();
    if plain {
        if !joined.is_empty() {
            joined.push('.');
        }
        joined.push_str(key);
    } else {
        // Writing to a string only fails when memory runs out, and that is not returned as an error.
        let _ = write!(joined, "[{}]", Value::from(key));
    }
    joined
}
