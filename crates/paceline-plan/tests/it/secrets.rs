//! Secrets that one stack makes under a name and another reads by it.

use serde_json::{Value, json};

use crate::build::{ACCOUNT, App, holds, resources};

fn makes(name: Value) -> Value {
    resources(json!({ "S": { "Type": "AWS::SecretsManager::Secret", "Properties": { "Name": name } } }))
}

#[track_caller]
fn check(secret: Value, read: Value, shown: &str) {
    App::pair(makes(secret), holds(read)).check_edges(&[&format!(
        "Consumer -> Producer secret: reads the secret {shown} (Consumer: R.Properties.Value)"
    )]);
}

#[test]
fn a_secret_that_is_resolved_by_its_name() {
    for reference in [
        json!("{{resolve:secretsmanager:shop/db}}"),
        json!("mysql://{{resolve:secretsmanager:shop/db:SecretString:username::}}@db"),
        json!({ "Fn::Join": ["", ["x", "{{resolve:secretsmanager:", "shop/db", ":SecretString:a}}"]] }),
        json!({ "Fn::Sub": "{{resolve:secretsmanager:shop/db:SecretString:a:AWSCURRENT}}" }),
    ] {
        check(json!("shop/db"), reference, "shop/db");
    }
    check(
        json!({ "Fn::Sub": "${AWS::StackName}/db" }),
        json!("{{resolve:secretsmanager:Producer/db}}"),
        "Producer/db",
    );
}

#[test]
fn a_secret_that_is_resolved_by_its_arn() {
    let arn = format!("secretsmanager:us-east-1:{ACCOUNT}:secret:shop/db");
    check(
        json!("shop/db"),
        json!(format!("{{{{resolve:secretsmanager:arn:aws:{arn}:SecretString:a::}}}}")),
        "shop/db",
    );
    let joined = json!({ "Fn::Join": ["", ["{{resolve:secretsmanager:arn:", { "Ref": "AWS::Partition" }, format!(":{arn}}}}}")]] });
    check(json!("shop/db"), joined, "shop/db");
    check(
        json!("shop/db"),
        json!(format!("{{{{resolve:secretsmanager:arn:aws:{arn}-a1B2c3:SecretString:a::}}}}")),
        "shop/db-a1B2c3",
    );
    // What looks like the end of an ARN may be part of the name.
    check(json!("shop-secret"), json!("{{resolve:secretsmanager:shop-secret}}"), "shop-secret");
}

#[test]
fn a_secret_that_a_custom_resource_reads() {
    let call = json!({ "service": "SecretsManager", "action": "getSecretValue", "parameters": { "SecretId": "shop/db" } });
    let reader =
        json!({ "Type": "Custom::AWS", "Properties": { "ServiceToken": "arn", "Create": call.to_string() } });
    App::pair(makes(json!("shop/db")), resources(json!({ "R": reader }))).check_edges(&[
        "Consumer -> Producer secret: reads the secret shop/db (Consumer: R.Properties.Create)",
    ]);
}

#[test]
fn a_secret_that_no_stack_makes_is_listed() {
    let app = |read: &str| App::pair(makes(json!("shop/db")), holds(json!(read)));
    let elsewhere =
        format!("{{{{resolve:secretsmanager:arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:shop/db}}}}");
    for (read, name) in
        [("{{resolve:secretsmanager:shop/other:SecretString:a}}", "shop/other"), (&elsewhere, "shop/db")]
    {
        app(read).check_edges(&[]);
        app(read).check_external(&[&format!("Consumer secret: {name} (Consumer: R.Properties.Value)")]);
    }
}

#[test]
fn a_secret_whose_arn_is_known_at_deployment_is_none_of_ours() {
    let own = json!({ "Fn::Join": ["", ["{{resolve:secretsmanager:", { "Ref": "Own" }, ":SecretString:password::}}"]] });
    let mut consumer = holds(own);
    consumer["Resources"]["Own"] = json!({ "Type": "AWS::SecretsManager::Secret" });
    let app = App::pair(makes(json!("shop/db")), consumer);
    app.check_edges(&[]);
    app.check_external(&[]);
}

#[test]
fn a_secret_whose_name_is_known_in_part_is_guessed() {
    let read =
        json!({ "Fn::Join": ["", ["{{resolve:secretsmanager:shop/", { "Ref": "Stage" }, "/database}}"]] });
    let mut consumer = holds(read);
    consumer["Parameters"] = json!({ "Stage": { "Type": "String" } });
    App::pair(makes(json!("shop/prod/database")), consumer).check_edges(&[
        "Consumer -> Producer secret: reads the secret shop/…/database (Consumer: R.Properties.Value), as far as the \
         name is known before deployment",
    ]);
}
