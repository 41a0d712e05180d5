//! The JSON Schemas that `paceline schema` prints, their files in `docs/schema`, and their types in the npm package.

/// A published JSON Schema.
pub(crate) struct Schema {
    /// What `paceline schema` calls it.
    pub(crate) of: &'static str,
    /// The name of its TypeScript type.
    pub(crate) ty: &'static str,
}

/// Every published JSON Schema.
pub(crate) const SCHEMAS: [Schema; 20] = [
    Schema { of: "config", ty: "Configuration" },
    Schema { of: "buildspec", ty: "Buildspec" },
    Schema { of: "events", ty: "Event" },
    Schema { of: "report", ty: "Report" },
    Schema { of: "bootstrap", ty: "Bootstrapping" },
    Schema { of: "destroy", ty: "Destruction" },
    Schema { of: "diff", ty: "Difference" },
    Schema { of: "doctor", ty: "Diagnosis" },
    Schema { of: "explain", ty: "Explanation" },
    Schema { of: "history", ty: "History" },
    Schema { of: "history-compare", ty: "RunComparison" },
    Schema { of: "lint", ty: "LintReport" },
    Schema { of: "ls", ty: "StackList" },
    Schema { of: "plan", ty: "Plan" },
    Schema { of: "project-apply", ty: "AppliedProject" },
    Schema { of: "project-diff", ty: "ProjectDifference" },
    Schema { of: "project-start", ty: "BuildLine" },
    Schema { of: "publish", ty: "Publishing" },
    Schema { of: "rollback", ty: "Rollback" },
    Schema { of: "why-waiting", ty: "LimitWaits" },
];

impl Schema {
    /// The path of its file.
    pub(crate) fn path(&self) -> String {
        format!("docs/schema/{}", self.file())
    }

    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        // Editors know the configuration by the name of its file.
        let name = if self.of == "config" { "paceline" } else { self.of };
        format!("{name}.schema.json")
    }
}
