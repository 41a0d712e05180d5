//! The assemblies of several apps as one.

use crate::model::{Assembly, Stack};

impl Assembly {
    /// The stacks of several apps, each with a name, in the order given. A stack's id is then `app/stack`, so that
    /// apps may use the same ids.
    ///
    /// Nothing else changes: what ties stacks of different apps stands in their templates.
    #[must_use]
    pub fn of_apps(apps: Vec<(String, Assembly)>) -> Assembly {
        let dirs: Vec<&str> = apps.iter().map(|(_, assembly)| assembly.dir.as_str()).collect();
        let schemas: Vec<&str> = apps.iter().map(|(_, assembly)| assembly.schema.as_str()).collect();
        let (dir, schema) = (dirs.join(", ").into(), schemas.join(", "));
        let mut all = Assembly { dir, schema, stacks: Vec::new(), warnings: Vec::new() };
        for (app, assembly) in apps {
            all.warnings
                .extend(assembly.warnings.into_iter().map(|warning| format!("app `{app}`: {warning}")));
            all.stacks.extend(assembly.stacks.into_iter().map(|stack| stack.of_app(&app)));
        }
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
