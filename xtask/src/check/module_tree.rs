//! The modules of a crate, and the uses between them.
//!
//! A path such as `crate::plan::Step` is followed through re-exports to the module that defines the item, since
//! a facade at the root of a crate would hide every use behind it. Modules that are only compiled for tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::parser::Parser;
use super::tokens::{Token, tokens};

/// The most re-exports that a path goes through.
const MOST_REEXPORTS: usize = 16;
/// The keywords before the name of an item that a module defines.
const DEFINES: [&str; 9] =
    ["const", "enum", "fn", "macro_rules", "static", "struct", "trait", "type", "union"];

/// The modules of a crate; the first is its root.
#[derive(Debug, Default)]
pub(super) struct ModuleTree {
    pub(super) modules: Vec<Module>,
}

/// A module: a file, or a block in one.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The names of the modules from the root of the crate to this one. Empty for the root.
    pub(super) path: Vec<String>,
    pub(super) file: PathBuf,
    /// Whether a folder has the files of its submodules.
    pub(super) is_folder: bool,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    imports: Vec<Import>,
    mentions: Vec<Mention>,
}

/// A name that a `use` brings into a module.
#[derive(Debug)]
struct Import {
    /// The name, or none for `*`.
    name: Option<String>,
    path: Vec<String>,
}

/// A path that a module mentions.
#[derive(Debug)]
struct Mention {
    path: Vec<String>,
    line: usize,
}

/// A use of one module by another, with its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) user: usize,
    pub(super) used: usize,
    pub(super) line: usize,
}

impl ModuleTree {
    /// Reads a crate from its root file, such as `src/lib.rs`. `read` gives the text of a file, if the file exists.
    pub(super) fn read(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Result<Self> {
        let mut tree = Self::default();
        let folder = root.parent().unwrap_or(root);
        tree.file(Module { file: root.to_owned(), ..Module::default() }, folder, read)?;
        Ok(tree)
    }

    /// The uses between modules. A use between a module and a module that contains it does not count.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        for (user, module) in self.modules.iter().enumerate() {
            for mention in &module.mentions {
                let Some((used, _)) = self.resolve(user, &mention.path, 0) else { continue };
                let (a, b) = (&module.path, &self.modules[used].path);
                if !a.starts_with(b) && !b.starts_with(a) {
                    uses.push(Use { user, used, line: mention.line });
                }
            }
        }
        uses
    }

    /// The module that a path leads to, and whether the path names the module itself rather than an item in it.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<(usize, bool)> {
        if depth > MOST_REEXPORTS {
            return None;
        }
        let mut at = from;
        for (index, name) in path.iter().enumerate() {
            let rest = &path[index + 1..];
            match name.as_str() {
                "crate" => at = 0,
                "self" => {}
                "super" => at = self.modules[at].parent?,
                name => {
                    if let Some(child) = self.modules[at].children.get(name) {
                        at = *child;
                    } else if self.modules[at].items.contains(name) {
                        return Some((at, false));
                    } else {
                        return self.through_import(at, name, rest, depth).or(Some((at, false)));
                    }
                }
            }
        }
        Some((at, true))
    }

    fn through_import(&self, at: usize, name: &str, rest: &[String], depth: usize) -> Option<(usize, bool)> {
        let imports = &self.modules[at].imports;
        if let Some(import) = imports.iter().find(|import| import.name.as_deref() == Some(name)) {
            let (to, is_module) = self.resolve(at, &import.path, depth + 1)?;
            return if is_module { self.resolve(to, rest, depth + 1) } else { Some((to, false)) };
        }
        let everything = imports.iter().filter(|import| import.name.is_none());
        everything.into_iter().find_map(|import| {
            let (to, _) = self.resolve(at, &import.path, depth + 1).filter(|(to, _)| *to != at)?;
            let module = &self.modules[to];
            let has = module.items.contains(name)
                || module.children.contains_key(name)
                || module.imports.iter().any(|it| it.name.as_deref() == Some(name));
            let whole: Vec<String> = std::iter::once(name.to_owned()).chain(rest.iter().cloned()).collect();
            has.then(|| self.resolve(to, &whole, depth + 1)).flatten()
        })
    }

    /// Adds the module of a file. `folder` has the files of its submodules.
    fn file(
        &mut self,
        module: Module,
        folder: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<usize> {
        let Some(text) = read(&module.file) else { bail!("cannot read {}", module.file.display()) };
        let tokens = tokens(&text).with_context(|| module.file.display().to_string())?;
        let index = self.add(module);
        let mut parser = Parser { tokens: &tokens, at: 0 };
        while parser.at < tokens.len() {
            self.block(&mut parser, index, folder, read)?;
        }
        Ok(index)
    }

    fn add(&mut self, module: Module) -> usize {
        let index = self.modules.len();
        if let (Some(parent), Some(name)) = (module.parent, module.path.last()) {
            self.modules[parent].children.insert(name.clone(), index);
        }
        self.modules.push(module);
        index
    }

    /// Reads a module up to its closing `}`, or up to the end of its file.
    fn block(
        &mut self,
        parser: &mut Parser<'_>,
        module: usize,
        folder: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<()> {
        let mut depth = 0_usize;
        let mut is_test = false;
        while let Some(token) = parser.next() {
            if token.is('#') {
                is_test |= parser.attribute_is_for_tests();
                continue;
            }
            if std::mem::take(&mut is_test) {
                parser.skip_item();
                continue;
            }
            match token.word() {
                Some("mod") => self.declared(parser, module, folder, read)?,
                Some("use") => {
                    let line = token.line;
                    self.import(parser, module, &mut Vec::new(), line);
                }
                Some(first @ ("crate" | "self" | "super")) if parser.separator_follows() => {
                    let mut path = vec![first.to_owned()];
                    let line = token.line;
                    while let Some(name) = parser.next_of_path() {
                        path.push(name);
                    }
                    self.modules[module].mentions.push(Mention { path, line });
                }
                Some(word) if DEFINES.contains(&word) => {
                    parser.eat('!');
                    if let Some(name) = parser.peek().and_then(Token::word) {
                        self.modules[module].items.insert(name.to_owned());
                    }
                }
                Some(_) => {}
                None if token.is('{') => depth += 1,
                None if token.is('}') && depth == 0 => return Ok(()),
                None if token.is('}') => depth -= 1,
                None => {}
            }
        }
        Ok(())
    }

    /// Reads the declaration of a module: `mod name;` with a file, or `mod name { … }`.
    fn declared(
        &mut self,
        parser: &mut Parser<'_>,
        parent: usize,
        folder: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<()> {
        let Some(name) = parser.next().and_then(Token::word) else { return Ok(()) };
        let mut path = self.modules[parent].path.clone();
        path.push(name.to_owned());
        let own_folder = folder.join(name);
        if parser.eat('{') {
            let file = self.modules[parent].file.clone();
            let index = self.add(Module { path, file, parent: Some(parent), ..Module::default() });
            return self.block(parser, index, &own_folder, read);
        }
        let candidates = [folder.join(format!("{name}.rs")), own_folder.join("mod.rs")];
        let Some(file) = candidates.iter().find(|file| read(file).is_some()) else {
            bail!("{}: no file for the module `{name}`", self.modules[parent].file.display());
        };
        self.modules[parent].is_folder = true;
        self.file(
            Module { path, file: file.clone(), parent: Some(parent), ..Module::default() },
            &own_folder,
            read,
        )?;
        Ok(())
    }

    /// The paths that a `use` names, one for each name in its braces.
    fn import(&mut self, parser: &mut Parser<'_>, module: usize, path: &mut Vec<String>, line: usize) {
        let length = path.len();
        let mut line = line;
        while let Some(token) = parser.peek() {
            if token.is('{') {
                parser.next();
                loop {
                    let line = parser.peek().map_or(line, |token| token.line);
                    self.import(parser, module, path, line);
                    if !parser.eat(',') {
                        break;
                    }
                }
                parser.eat('}');
                path.truncate(length);
                return;
            }
            if token.is('*') {
                parser.next();
                self.imported(module, None, path.clone(), line);
                path.truncate(length);
                return;
            }
            if token.is_separator() {
                parser.next();
                continue;
            }
            let Some(word) = token.word() else { break };
            line = token.line;
            parser.next();
            path.push(word.to_owned());
            if !parser.separator_follows() {
                break;
            }
        }
        if path.len() > length {
            let mut path = path.clone();
            // `use a::{self}` names `a`.
            if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let mut name = path.last().cloned();
            if parser.peek().and_then(Token::word) == Some("as") {
                parser.next();
                name = parser.next().and_then(Token::word).map(str::to_owned);
            }
            self.imported(module, name, path, line);
        }
        path.truncate(length);
    }

    /// Records an imported name, unless it comes from another crate.
    fn imported(&mut self, module: usize, name: Option<String>, path: Vec<String>, line: usize) {
        let Some(first) = path.first() else { return };
        let is_of_crate = matches!(first.as_str(), "crate" | "self" | "super");
        // A child may be declared after it is used.
        let path = if is_of_crate { path } else { std::iter::once("self".to_owned()).chain(path).collect() };
        let this = &mut self.modules[module];
        this.mentions.push(Mention { path: path.clone(), line });
        this.imports.push(Import { name, path });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A crate from the texts of its files.
    pub(in crate::check) fn tree(files: &[(&str, &str)]) -> ModuleTree {
        let read = |path: &Path| {
            let text = files.iter().find(|(name, _)| Path::new(name) == path);
            text.map(|(_, text)| (*text).to_owned())
        };
        ModuleTree::read(Path::new("lib.rs"), &read).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let tree = tree(files);
        let name = |index: usize| tree.modules[index].path.join("::");
        let found: Vec<String> =
            tree.uses().iter().map(|it| format!("{} -> {}", name(it.user), name(it.used))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_lead_to_the_module_that_defines_the_item() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use b::Thing; pub use b::c::Other as Renamed;"),
            ("a.rs", "use crate::{Thing, Renamed}; fn f() { crate::b::c::go(); }"),
            ("b/mod.rs", "pub mod c; pub struct Thing;"),
            ("b/c.rs", "pub struct Other; pub fn go() { super::Thing; }"),
        ];
        check(&files, &["a -> b", "a -> b::c", "a -> b::c"]);
    }

    #[test]
    fn everything_that_a_module_re_exports_is_found() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use b::*;"),
            ("a.rs", "use crate::Inner;"),
            ("b.rs", "mod c; pub use self::c::Inner;"),
            ("b/c.rs", "pub struct Inner;"),
        ];
        check(&files, &["a -> b::c"]);
    }

    #[test]
    fn what_is_for_tests_alone_is_left_out() {
        let files = [
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod nowhere;"),
            ("a.rs", "#[cfg(test)]\nmod tests { use crate::b::X; }\n#[cfg(all(test, unix))] use crate::b;"),
            ("b.rs", "#[cfg(not(test))] use crate::a::Y; pub struct X;"),
        ];
        check(&files, &["b -> a"]);
    }

    #[test]
    fn blocks_and_comments_do_not_mislead() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "mod inner { use super::super::b; /* crate::c */ }\nfn f() { \"crate::d\"; if x { y } }",
            ),
            ("b.rs", "pub(crate) fn f() {}"),
        ];
        check(&files, &["a::inner -> b"]);
    }
}
