//! Assets whose addresses stand in one stack's template and that another stack registers.

use paceline_config::Config;
use paceline_plan::{Plan, Work};
use serde_json::{Value, json};

use crate::build::{App, empty, resources};

const DIGEST: &str = "0f6e0c0d9a1b4a0e8d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706";

fn code() -> Value {
    let destination = json!({ "bucketName": "assets-us-east-1", "objectKey": format!("{DIGEST}.zip"), "region": "us-east-1" });
    json!({ "source": { "path": "code", "packaging": "zip" }, "destinations": { "here": destination } })
}

/// An app in which `Maker` registers an image and a file, and `User` has these resources.
fn borrows(user: Value) -> App {
    borrows_in("us-east-1", &json!({ "repositoryName": "images", "imageTag": format!("web-{DIGEST}") }), user)
}

fn borrows_in(region: &str, image: &Value, user: Value) -> App {
    let mut image = image.clone();
    image["region"] = "us-east-1".into();
    let manifest = json!({
        "version": "36.0.0",
        "files": { "code": code() },
        "dockerImages": { "image": { "source": { "directory": "image" }, "destinations": { "here": image } } },
    });
    App::default().stack("User", region, resources(user)).asset_manifest("Maker.assets", manifest).artifact(
        "Maker",
        json!({ "dependencies": ["Maker.assets"] }),
        empty(),
    )
}

/// What `User` waits for.
#[track_caller]
fn check_waits(app: &App, expected: &[&str]) {
    let plan = app.plan();
    let step = plan.steps.iter().find(|step| step.id == "deploy:User").unwrap();
    let needs: Vec<&str> = step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect();
    assert_eq!(needs, expected);
    let borrowed: Vec<&str> = plan.borrowed.iter().map(|it| it.step.as_str()).collect();
    assert_eq!(borrowed, expected);
}

fn task(image: Value) -> Value {
    json!({ "Task": { "Type": "AWS::ECS::TaskDefinition", "Properties": { "Image": image } } })
}

fn image_step() -> String {
    format!("publish:ecr:111111111111/us-east-1/images:web-{DIGEST}")
}

fn file_step() -> String {
    format!("publish:s3://assets-us-east-1/{DIGEST}.zip")
}

#[test]
fn a_stack_waits_for_the_image_that_another_registers_and_not_for_that_stack() {
    let host = "111111111111.dkr.ecr.us-east-1.";
    let uri = format!("{host}amazonaws.com/images:web-{DIGEST}");
    for image in [
        json!(uri),
        json!({ "Fn::Join": ["", [host, { "Ref": "AWS::URLSuffix" }, format!("/images:web-{DIGEST}")]] }),
        json!({ "Fn::Sub": format!("${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/images:web-{DIGEST}") }),
        json!([{ "Name": "web", "Image": uri }]),
    ] {
        check_waits(&borrows(task(image)), &[&image_step()]);
    }
}

#[test]
fn an_address_that_is_the_default_of_a_parameter_counts() {
    let uri = format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/images:web-{DIGEST}");
    let app = borrows(json!({})).artifact(
        "User",
        json!({}),
        json!({
            "Parameters": { "Image": { "Type": "String", "Default": uri } },
            "Resources": task(json!({ "Ref": "Image" })),
        }),
    );
    check_waits(&app, &[&image_step()]);
}

#[test]
fn an_image_of_another_repository_region_or_account_is_another() {
    for address in [
        "111111111111.dkr.ecr.us-east-1.amazonaws.com/others",
        "111111111111.dkr.ecr.us-west-2.amazonaws.com/images",
        "222222222222.dkr.ecr.us-east-1.amazonaws.com/images",
    ] {
        check_waits(&borrows(task(json!(format!("{address}:web-{DIGEST}")))), &[]);
    }
    check_waits(
        &borrows(task(json!(format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/images:web-{DIGEST}-2")))),
        &[],
    );
}

#[test]
fn a_tag_that_is_a_word_counts_in_the_whole_address_alone() {
    let app = |image: &str| {
        borrows_in(
            "us-east-1",
            &json!({ "repositoryName": "images", "imageTag": "latest" }),
            task(json!(image)),
        )
    };
    check_waits(
        &app("111111111111.dkr.ecr.us-east-1.amazonaws.com/images:latest"),
        &["publish:ecr:111111111111/us-east-1/images:latest"],
    );
    for image in [
        "latest",
        "public.ecr.aws/nginx/nginx:latest",
        "111111111111.dkr.ecr.us-east-1.amazonaws.com/x:latest",
    ] {
        check_waits(&app(image), &[]);
    }
}

#[test]
fn a_stack_waits_for_the_file_that_another_registers() {
    let key = format!("{DIGEST}.zip");
    for code in [
        json!({ "S3Bucket": "assets-us-east-1", "S3Key": key }),
        json!({ "S3Bucket": { "Fn::Sub": "assets-${AWS::Region}" }, "S3Key": key }),
        json!({ "S3Bucket": { "Ref": "Bucket" }, "S3Key": key }),
        json!(format!("s3://assets-us-east-1/{key}")),
        json!({ "Fn::Sub": format!("https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/assets-us-east-1/{key}") }),
        json!({ "Location": format!("aws s3 cp s3://assets-us-east-1/{key} . && unzip {key}") }),
    ] {
        let function = json!({ "F": { "Type": "AWS::Lambda::Function", "Properties": { "Code": code } } });
        check_waits(&borrows(function), &[&file_step()]);
    }
}

#[test]
fn a_file_of_another_bucket_or_name_is_another() {
    let function = |code| json!({ "F": { "Type": "AWS::Lambda::Function", "Properties": { "Code": code } } });
    let elsewhere = json!({ "S3Bucket": { "Ref": "Bucket" }, "S3Key": format!("{DIGEST}.zip") });
    let image = json!({ "repositoryName": "images", "imageTag": "t" });
    check_waits(&borrows_in("us-west-2", &image, function(elsewhere)), &[]);
    for key in [format!("{DIGEST}.zip.sha"), format!("old-{DIGEST}.zip")] {
        check_waits(&borrows(function(json!({ "S3Bucket": "assets-us-east-1", "S3Key": key }))), &[]);
    }
}

#[test]
fn what_a_stack_registers_itself_is_not_borrowed() {
    let object = json!({ "S3Bucket": "assets-us-east-1", "S3Key": format!("{DIGEST}.zip") });
    let function = json!({ "F": { "Type": "AWS::Lambda::Function", "Properties": { "Code": object } } });
    let manifest = json!({ "version": "36.0.0", "files": { "code": code() } });
    let app = borrows(json!({})).asset_manifest("User.assets", manifest).artifact(
        "User",
        json!({ "dependencies": ["User.assets"] }),
        resources(function),
    );
    assert_eq!(app.plan().borrowed, []);
}

#[test]
fn a_stack_of_any_environment_that_registers_an_asset_itself_borrows_it_from_none() {
    let destination = json!({ "repositoryName": "images-${AWS::Region}", "imageTag": DIGEST });
    let manifest = |destination: &Value| {
        let image = json!({ "source": { "directory": "i" }, "destinations": { "here": destination } });
        json!({ "version": "36.0.0", "dockerImages": { "image": image } })
    };
    let uri = format!(
        "${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/images-${{AWS::Region}}:{DIGEST}"
    );
    let agnostic =
        json!({ "environment": "aws://unknown-account/unknown-region", "dependencies": ["User.assets"] });
    let there = json!({ "repositoryName": "images-us-east-1", "imageTag": DIGEST, "region": "us-east-1" });
    let app = App::default()
        .asset_manifest("User.assets", manifest(&destination))
        .artifact("User", agnostic, resources(task(json!({ "Fn::Sub": uri }))))
        .asset_manifest("Maker.assets", manifest(&there))
        .artifact("Maker", json!({ "dependencies": ["Maker.assets"] }), empty());
    assert_eq!(app.plan().borrowed, []);
}

#[test]
fn an_asset_of_a_stack_that_is_left_out_is_published_all_the_same() {
    let image = format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/images:web-{DIGEST}");
    let app = borrows(task(json!(image))).options(|options| options.only = vec!["User".to_owned()]);
    check_waits(&app, &[&image_step()]);
    let plan = app.plan();
    let Work::Publish(publish) = &plan.steps[0].work else { panic!("{:?}", plan.steps[0]) };
    assert_eq!((publish.stack, publish.manifest.as_str(), publish.asset.as_str()), (0, "Maker", "image"));
}

#[test]
fn whoever_borrows_an_asset_waits_for_the_stack_that_makes_its_place() {
    let image = format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/images:web-{DIGEST}");
    let app = borrows(task(json!(image))).stack("Staging", "us-east-1", empty());
    let mut assembly = app.assembly();
    let maker = assembly.stacks.iter_mut().find(|stack| stack.id == "Maker").unwrap();
    maker.assets.depends_on = vec!["Staging".into()];
    let plan = Plan::make(&assembly, &Config::default(), &app.options).unwrap();
    let needs = |id: &str| -> Vec<&str> {
        let step = plan.steps.iter().find(|step| step.id == id).unwrap();
        step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect()
    };
    assert_eq!(needs(&image_step()), ["deploy:Staging"]);
    assert_eq!(needs("deploy:User"), ["deploy:Staging", &image_step()]);
}
