//! Keeps what another synthesis into the same folder would write over.

use std::collections::HashMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::assets::{FileSource, Packaging};
use crate::model::{Assembly, Stack};

/// What the CDK puts in front of the digest that names an asset it has copied into an assembly.
const NAMED_BY_CONTENT: &str = "asset.";

impl Assembly {
    /// Copies the files of some stacks that are named by their place and not by their content into `folder`, which is
    /// made for it, and has the stacks find them there: an app can then be synthesized again while they are deployed.
    pub fn keep(&mut self, folder: &Utf8Path, stacks: impl Fn(&Stack) -> bool) -> io::Result<()> {
        if folder.exists() {
            fs_err::remove_dir_all(folder)?;
        }
        fs_err::create_dir_all(folder)?;
        let mut kept = Kept { folder, at: HashMap::new() };
        for stack in self.stacks.iter_mut().filter(|stack| stacks(stack)) {
            kept.file(&mut stack.template_path)?;
            for nested in &mut stack.nested {
                kept.file(&mut nested.path)?;
            }
            for file in stack.assets.files.values_mut() {
                if let FileSource::Path { path, packaging: Packaging::File } = &mut file.source {
                    kept.file(path)?;
                }
            }
        }
        Ok(())
    }
}

struct Kept<'a> {
    folder: &'a Utf8Path,
    /// Where each file is kept.
    at: HashMap<Utf8PathBuf, Utf8PathBuf>,
}

impl Kept<'_> {
    fn file(&mut self, path: &mut Utf8PathBuf) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_owned();
        if name.starts_with(NAMED_BY_CONTENT) || !path.is_file() {
            return Ok(());
        }
        if let Some(kept) = self.at.get(path) {
            path.clone_from(kept);
            return Ok(());
        }
        // Files of several stages may have one name.
        let to = self.folder.join(format!("{}.{name}", self.at.len()));
        fs_err::copy(&*path, &to)?;
        self.at.insert(std::mem::replace(path, to.clone()), to);
        Ok(())
    }
}
