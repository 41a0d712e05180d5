//! Copies the files that another synthesis into the same folder would overwrite.

use std::collections::HashMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::assets::{FileSource, Packaging};
use crate::model::{Assembly, Stack};

/// The prefix of files that the CDK has copied into an assembly, and that are named after their content.
const NAMED_BY_CONTENT: &str = "asset.";

impl Assembly {
    /// Copies files of the chosen stacks into `folder`, which is created, and points the stacks to the
    /// copies. Only files that are not named after their content are copied. The app can then be synthesized
    /// again while these stacks are deployed.
    pub fn snapshot(&mut self, folder: &Utf8Path, stacks: impl Fn(&Stack) -> bool) -> io::Result<()> {
        if folder.exists() {
            fs_err::remove_dir_all(folder)?;
        }
        fs_err::create_dir_all(folder)?;
        let mut snapshot = Snapshot { folder, copies: HashMap::new() };
        for stack in self.stacks.iter_mut().filter(|stack| stacks(stack)) {
            snapshot.copy(&mut stack.template_path)?;
            for nested in &mut stack.nested {
                snapshot.copy(&mut nested.path)?;
            }
            for file in stack.assets.files.values_mut() {
                if let FileSource::Path { path, packaging: Packaging::File } = &mut file.source {
                    snapshot.copy(path)?;
                }
            }
        }
        Ok(())
    }
}

struct Snapshot<'a> {
    folder: &'a Utf8Path,
    /// The copy of each file.
    copies: HashMap<Utf8PathBuf, Utf8PathBuf>,
}

impl Snapshot<'_> {
    fn copy(&mut self, path: &mut Utf8PathBuf) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_owned();
        if name.starts_with(NAMED_BY_CONTENT) || !path.is_file() {
            return Ok(());
        }
        if let Some(copy) = self.copies.get(path) {
            path.clone_from(copy);
            return Ok(());
        }
        // Files of several stages may have the same name.
        let to = self.folder.join(format!("{}.{name}", self.copies.len()));
        fs_err::copy(&*path, &to)?;
        self.copies.insert(std::mem::replace(path, to.clone()), to);
        Ok(())
    }
}
