//! Combines the assemblies of several apps.

use crate::error::MissingContext;
use crate::model::{Assembly, Stack};

impl Assembly {
    /// One assembly with the stacks of several named apps, in the order given. Every stack's id becomes
    /// `app/stack`, so that apps may use the same ids.
    ///
    /// Nothing else changes: dependencies between stacks of different apps follow from their templates.
    #[must_use]
    pub fn of_apps(apps: Vec<(String, Assembly)>) -> Assembly {
        let dirs: Vec<&str> = apps.iter().map(|(_, assembly)| assembly.dir.as_str()).collect();
        let schemas: Vec<&str> = apps.iter().map(|(_, assembly)| assembly.schema.as_str()).collect();
        let (dir, schema) = (dirs.join(", ").into(), schemas.join(", "));
        let mut all = Assembly { dir, schema, stacks: Vec::new(), warnings: Vec::new(), missing: Vec::new() };
        for (app, assembly) in apps {
            all.warnings
                .extend(assembly.warnings.into_iter().map(|warning| format!("app `{app}`: {warning}")));
            let missing = assembly.missing.into_iter();
            all.missing.extend(missing.map(|it| MissingContext { app: Some(app.clone()), ..it }));
            all.stacks.extend(assembly.stacks.into_iter().map(|stack| stack.of_app(&app)));
        }
        all
    }

    /// A copy in which a new synthesis of one app replaces the stacks of that app. `None` names the app of an
    /// assembly that has only one.
    #[must_use]
    pub fn with_app(&self, app: Option<&str>, again: Assembly) -> Assembly {
        let is_of_app = |of: &Option<String>| of.as_deref() == app;
        let again = match app {
            Some(app) => Assembly::of_apps(vec![(app.to_owned(), again)]),
            None => again,
        };
        let mut all = self.clone();
        let at = all.stacks.iter().position(|stack| is_of_app(&stack.app)).unwrap_or(all.stacks.len());
        all.stacks.retain(|stack| !is_of_app(&stack.app));
        all.stacks.splice(at..at, again.stacks);
        all.missing.retain(|missing| !is_of_app(&missing.app));
        all.missing.extend(again.missing);
        all
    }
}

impl Stack {
    fn of_app(mut self, app: &str) -> Self {
        let before = self.depends_on.iter_mut().chain(&mut self.assets.depends_on);
        for id in before.chain([&mut self.id]) {
            *id = format!("{app}/{id}");
        }
        self.app = Some(app.to_owned());
        self
    }
}
