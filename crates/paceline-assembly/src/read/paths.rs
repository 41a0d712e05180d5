//! The paths of files that manifests name.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::error::AssemblyError;
use crate::files::LARGEST_TEMPLATE;
use crate::shape::{Shape, read_bytes, without_bom};
use crate::template::{Template, TemplateError};

/// The path, relative to the root, of the file or folder that `named` names in an assembly at `base`.
pub(super) fn named_file(named: &Shape<'_>, base: &Utf8Path) -> Result<Utf8PathBuf, AssemblyError> {
    let text = named.text()?;
    if text.is_empty() {
        return Err(named.error("the name is empty"));
    }
    contained(base, text).ok_or_else(|| named.outside(text))
}

/// The path of `named`, relative to the root, where `named` is relative to the folder `base`. `None` if the
/// path leaves the root. Only the text is checked: symbolic links inside an assembly are the user's
/// responsibility.
pub(super) fn contained(base: &Utf8Path, named: &str) -> Option<Utf8PathBuf> {
    let mut path = base.to_owned();
    for component in Utf8Path::new(named).components() {
        match component {
            Utf8Component::Normal(part) => path.push(part),
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

pub(super) fn read_template(path: &Utf8Path, named_by: String) -> Result<Template, AssemblyError> {
    let bytes = read_bytes(path, LARGEST_TEMPLATE, Some(named_by.clone()))?;
    let bytes = without_bom(&bytes);
    str::from_utf8(bytes)
        .map_err(|error| TemplateError::not_text(bytes, error.valid_up_to()))
        .and_then(Template::keeping_text)
        .map_err(|source| AssemblyError::Template { path: path.to_owned(), named_by, source })
}
