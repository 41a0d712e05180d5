//! Turns a request into the desired state of a stack.

use std::collections::BTreeMap;
use std::sync::Arc;

use paceline_assembly::RollbackTriggers;

use crate::template::{
    Given, Scope, bind, capabilities, check, check_rules, conditions, has_transform, parse, transform,
};
use crate::wire::{Fault, percent_decode};
use crate::world::{AccountRegion, BoundParameter, Desired, StackKey, World};

/// The largest template in S3, in bytes. CloudFormation User Guide, "Understand CloudFormation quotas".
const MOST_IN_S3: usize = 1_000_000;

/// A stack as the caller wants it, before its references are looked up.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) body: Arc<str>,
    pub(crate) given: BTreeMap<String, Given>,
    pub(crate) previous: Vec<BoundParameter>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) triggers: RollbackTriggers,
    pub(crate) capabilities: Vec<String>,
}

/// The key of a new stack. Its ARN ends with an id that no earlier stack of that name had.
pub(crate) fn new_key(world: &World, place: &AccountRegion, name: &str) -> StackKey {
    let before = world
        .region(place)
        .map_or(0, |region| region.stacks.values().filter(|stack| stack.name == name).count());
    let id = world.draws(&["stack", &place.account, &place.region, name, &before.to_string()]).uuid();
    StackKey { place: place.clone(), arn: place.arn("cloudformation", &format!("stack/{name}/{id}")).into() }
}

/// Reads a template from S3.
pub(crate) fn fetch(world: &mut World, place: &AccountRegion, url: &str) -> Result<Arc<str>, Fault> {
    let unsupported = || Fault::validation("TemplateURL must be a supported URL.");
    let (_, rest) = url
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "https" | "http"))
        .ok_or_else(unsupported)?;
    let (host, path) = rest.split_once('/').ok_or_else(unsupported)?;
    let path = percent_decode(path.split(['?', '#']).next().unwrap_or_default(), false);
    let name = host.split(':').next().unwrap_or(host);
    let amazon = paceline_assembly::is_host_of_aws(name);
    let (bucket, key) = match name.split_once(".s3.").or_else(|| name.split_once(".s3-")) {
        Some((bucket, _)) if amazon => (bucket.to_owned(), path),
        // Path style: the host is S3 itself, or the address on which the simulator listens.
        _ if !amazon || name.starts_with("s3") => {
            let (bucket, key) = path.split_once('/').ok_or_else(unsupported)?;
            (bucket.to_owned(), key.to_owned())
        }
        _ => return Err(unsupported()),
    };
    let more =
        "For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html";
    let owner = world.bucket_owner(&bucket);
    if owner.as_ref().is_none_or(|owner| owner.account != place.account) {
        return Err(Fault::validation(format!("S3 error: Access Denied\n{more}")));
    }
    let object = world
        .object(&bucket, &key)
        .ok_or_else(|| Fault::validation(format!("S3 error: The specified key does not exist.\n{more}")))?;
    if object.len() > MOST_IN_S3 {
        return Err(Fault::validation(format!("Template may not exceed {MOST_IN_S3} bytes in size.")));
    }
    Ok(String::from_utf8_lossy(&object).into())
}

/// Checks the wanted state, and looks up the values that it refers to.
pub(crate) fn desired(world: &World, key: &StackKey, name: &str, wanted: Wanted) -> Result<Desired, Fault> {
    let written = parse(&wanted.body)?;
    let parameters = bind(world, &key.place, &written, &wanted.given, &wanted.previous)?;
    let (resources, none) = (BTreeMap::new(), BTreeMap::new());
    let scope = Scope {
        world,
        place: &key.place,
        stack_name: name,
        stack_id: &key.arn,
        notification_arns: &wanted.notification_arns,
        template: &written,
        parameters: &parameters,
        conditions: &none,
        resources: &resources,
        lenient: false,
    };
    let template = if written.has_loops() {
        let template = transform(&scope)?;
        check(&template)?;
        template
    } else {
        written.clone()
    };
    let scope = Scope { template: &template, ..scope };
    let conditions = conditions(&scope).map_err(Fault::validation)?;
    check_rules(&Scope { conditions: &conditions, ..scope })?;
    capabilities(&template, has_transform(&written), &wanted.capabilities)?;
    Ok(Desired {
        body: wanted.body,
        template,
        parameters,
        conditions,
        tags: wanted.tags,
        notification_arns: wanted.notification_arns,
        role_arn: wanted.role_arn,
        triggers: wanted.triggers,
        capabilities: wanted.capabilities,
    })
}
