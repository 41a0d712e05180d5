//! Templates that a macro completes: only CloudFormation knows the result.

use paceline_aws::Method;
use paceline_engine::Outcome;
use serde_json::{Value, json};

use crate::app::{App, topic};
use crate::world::{How, World};

/// A template with a macro for all of it, and one with an included file in a resource.
fn templates(label: &str) -> [Value; 2] {
    let (mut whole, mut part) = (topic(label), topic(label));
    whole["Transform"] = json!(["MyMacro"]);
    let include = json!({"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/more.json"}});
    part["Resources"]["Topic"]["Properties"]["Fn::Transform"] = include;
    [whole, part]
}

#[tokio::test(start_paused = true)]
async fn a_template_with_a_macro_is_deployed_by_both_methods() {
    for method in [Method::Direct, Method::ChangeSet] {
        let how = || How { method, ..How::default() };
        for (one, two) in templates("one").iter().zip(&templates("two")) {
            let world = World::slow();
            // CloudFormation refuses such a template without CAPABILITY_AUTO_EXPAND.
            world.run(&App::of("S", one), how()).await.check(&[("S", Outcome::Deployed)]);
            let ran = world.run(&App::of("S", two), how()).await;
            ran.check(&[("S", Outcome::Deployed)]);
            assert_eq!(ran.stack("S").outputs["Name"], "two");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cloudformation_decides_whether_a_macro_has_changed_something() {
    for (method, operation) in [(Method::Direct, "UpdateStack"), (Method::ChangeSet, "CreateChangeSet")] {
        for template in templates("one") {
            let (world, app) = (World::slow(), App::of("S", &template));
            let how = || How { method, records: true, ..How::default() };
            world.run(&app, how()).await.check(&[("S", Outcome::Deployed)]);
            let asked = || world.sim.calls().iter().filter(|call| call.operation == operation).count();
            let before = asked();
            world.run(&app, how()).await.check(&[("S", Outcome::Unchanged)]);
            assert_eq!(asked() - before, 1, "{method:?}");
        }
    }
}
