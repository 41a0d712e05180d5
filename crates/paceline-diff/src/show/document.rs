//! The shape of the JSON document.

use paceline_text::documented;
use serde_json::Value;

documented! {
    /// What a deployment would change, over all stacks of an app. A newer version may add fields.
    struct DiffDocument {
        /// The version of this format.
        schema: u32,
        /// What the app was compared with.
        base: String,
        /// Whether anything differs.
        different: bool,
        /// The stacks in the order of the app, then those that only the base has.
        stacks: Vec<StackDocument>,
        /// Names that two resources would have at the same time, so that the deployment fails.
        collisions: Vec<CollisionDocument>,
        /// The edges of the plan that are new or gone, if the two plans were compared.
        edges: Option<EdgesDocument>,
        /// How long a run of the whole plan takes, if the two plans were compared.
        time: Option<TimeDocument>,
    }

    /// A stack.
    struct StackDocument {
        /// The hierarchical id.
        id: String,
        /// The name of the CloudFormation stack.
        name: String,
        /// The account, if the app names one.
        account: Option<String>,
        /// The region, if the app names one.
        region: Option<String>,
        /// added, changed, unchanged, equivalent (it differs only in spelling, or in what the CDK writes for itself) or
        /// gone (only the base has it; a deployment does not delete it).
        change: String,
        /// The resources that change, those of nested stacks too.
        resources: Vec<ResourceDocument>,
        /// Changes in the other sections of the template.
        elements: Vec<ElementDocument>,
        /// Changes of tags, values of parameters and termination protection.
        settings: Vec<ChangeDocument>,
        /// What policies and security groups newly allow.
        widenings: Vec<WideningDocument>,
    }

    /// A resource that changes.
    struct ResourceDocument {
        /// The logical ids of the nested stacks that lead to its template, outermost first.
        nested: Vec<String>,
        /// The logical id.
        logical_id: String,
        /// The path of the construct, if it is known.
        construct: Option<String>,
        /// The type.
        resource_type: String,
        /// The type in the base, if it was another one.
        type_before: Option<String>,
        /// add, remove, replace, may-replace, update or template-only (the template changes, and the resource does not).
        effect: String,
        /// Why it may be replaced, if a resource that it refers to is replaced.
        because: Option<String>,
        /// The changes. Empty for a resource that is created or deleted.
        changes: Vec<ChangeDocument>,
        /// What happens to the old resource, if it holds data: deleted, deleted-if-empty, snapshot or retained.
        data: Option<String>,
        /// Whether that is certain, and not only if the resource is replaced.
        data_certain: Option<bool>,
    }

    /// A change at one place.
    struct ChangeDocument {
        /// The place, such as Properties.KeySchema[0].AttributeName. An item that is removed has its old index.
        path: String,
        /// The value in the base, if there is one.
        before: Option<Value>,
        /// The value in the app, if there is one.
        after: Option<Value>,
        /// replace, may-replace, update or template-only: the effect of this change alone.
        effect: String,
    }

    /// A change outside of the resources.
    struct ElementDocument {
        /// The logical ids of the nested stacks that lead to its template, outermost first.
        nested: Vec<String>,
        /// The section of the template, such as Outputs.
        section: String,
        /// The id in that section, if the section has ids.
        id: Option<String>,
        /// add, remove or update.
        effect: String,
        /// The changes inside of it.
        changes: Vec<ChangeDocument>,
    }

    /// A policy or a security group that allows more than before.
    struct WideningDocument {
        /// The logical ids of the nested stacks that lead to its template, outermost first.
        nested: Vec<String>,
        /// The logical id.
        logical_id: String,
        /// The path of the construct, if it is known.
        construct: Option<String>,
        /// The type.
        resource_type: String,
        /// allows, assumed-by, managed-policy, no-longer-denies, no-boundary or ingress.
        kind: String,
        /// Whether it is open to everyone, or allows every action of a service or every resource.
        broad: bool,
        /// What is newly allowed, in one sentence.
        sentence: String,
    }

    /// A name that two resources would have at the same time.
    struct CollisionDocument {
        /// The id of the stack that makes the resource.
        stack: String,
        /// The logical id, after those of the nested stacks around it.
        place: String,
        /// The resource type, or export.
        kind: String,
        /// The name.
        name: String,
        /// twice, still-there or replaced.
        conflict: String,
        /// What collides, in one sentence.
        sentence: String,
    }

    /// The edges of the plan that are new or gone. Several edges between two stacks count as one.
    struct EdgesDocument {
        /// The new ones.
        gained: Vec<EdgeDocument>,
        /// Those that are gone.
        lost: Vec<EdgeDocument>,
    }

    /// A stack that waits for another one.
    struct EdgeDocument {
        /// The id of the stack that waits.
        stack: String,
        /// The id of the stack that it waits for.
        on: String,
        /// The kinds of the edges, such as ssm.
        reasons: Vec<String>,
        /// What ties the two, and where.
        detail: String,
    }

    /// How long a run of the whole plan takes, in seconds.
    struct TimeDocument {
        /// In the base.
        before_s: f64,
        /// In the app.
        after_s: f64,
    }
}
