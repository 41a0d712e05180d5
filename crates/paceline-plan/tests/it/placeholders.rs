//! What a lookup did not find is baked into a template: it is said before anything is deployed.

use serde_json::json;

use crate::build::{App, holds, warnings, writes};

#[test]
fn a_placeholder_is_a_warning_that_names_who_makes_the_parameter() {
    let app = App::pair(writes(json!("/shop/url")), holds(json!("https://dummy-value-for-/shop/url?x=1")));
    assert_eq!(
        warnings(&app.plan()),
        [
            "`Consumer` was synthesized without the parameter /shop/url, and would be deployed with a placeholder for it (R.Properties.Value): `Producer` makes it, so synthesize again when that is deployed (with `synth` in paceline.yaml the run does so)"
        ]
    );
    let alone =
        App::default().stack("A", "us-east-1", holds(json!(["dummy-value-for-x", "dummy-value-for-x"])));
    assert_eq!(
        warnings(&alone.plan()),
        [
            "`A` was synthesized without the parameter x, and would be deployed with a placeholder for it (R.Properties.Value[0]): synthesize again when it is there"
        ]
    );
}

#[test]
fn what_was_found_is_no_placeholder() {
    let app = App::pair(writes(json!("/shop/url")), holds(json!("https://shop.example.com")));
    assert_eq!(warnings(&app.plan()), [""; 0]);
}
