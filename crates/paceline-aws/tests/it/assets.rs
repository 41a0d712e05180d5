//! Files and images.

use std::time::Duration;

use paceline_aws::{Images, MissingFiles};
use paceline_engine::Outcome;
use paceline_sim::{Bootstrap, Images as SimImages, SimOptions};
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, BUCKET, REGION, topic};
use crate::world::{How, World};

fn destination(key: &str) -> Value {
    let role = format!(
        "arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-file-publishing-role-{ACCOUNT}-{REGION}"
    );
    json!({"here": {"bucketName": BUCKET, "objectKey": key, "region": REGION, "assumeRoleArn": role}})
}

fn with_files() -> App {
    let mut app = App::new();
    app.write("asset.code/index.js", "exports.handler = () => {}");
    app.write("asset.code/lib/more.js", "1");
    app.write("config.json", "{}");
    let manifest = json!({"version": "36.0.0", "files": {
        "code": {"source": {"path": "asset.code", "packaging": "zip"}, "destinations": destination("code.zip")},
        "config": {"source": {"path": "config.json", "packaging": "file"}, "destinations": destination("config.json")},
    }});
    app.stack("S", &topic("t"), &[]).assets("S", &manifest)
}

async fn object(world: &World, bucket: &str, key: &str) -> Vec<u8> {
    let client = aws_sdk_s3::Client::new(&world.config().await);
    let answer = client.get_object().bucket(bucket).key(key).send().await.unwrap();
    answer.body.collect().await.unwrap().to_vec()
}

#[tokio::test(start_paused = true)]
async fn files_are_uploaded_once() {
    let (world, app) = (World::slow(), with_files());
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.count("PutObject"), 2);
    assert_eq!(object(&world, BUCKET, "config.json").await, b"{}");
    let archive = object(&world, BUCKET, "code.zip").await;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let names: Vec<_> = archive.file_names().map(Result::unwrap).collect();
    assert_eq!(names, ["index.js", "lib/more.js"]);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut archive.by_name("lib/more.js").unwrap(), &mut text).unwrap();
    assert_eq!(text, "1");

    let again = world.deploy(&app).await;
    assert_eq!(world.count("PutObject"), 2);
    let publishing = format!("publish:s3://{BUCKET}/code.zip");
    assert_eq!(again.finished(&publishing).outcome, Outcome::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn many_files_that_are_there_are_found_by_one_listing() {
    let mut app = App::new();
    let mut files = json!({});
    for number in 0..30 {
        let name = format!("{number}.json");
        app.write(&name, "{}");
        files[&name] =
            json!({"source": {"path": name, "packaging": "file"}, "destinations": destination(&name)});
    }
    let manifest = json!({"version": "36.0.0", "files": files});
    let app = app.stack("S", &topic("t"), &[]).assets("S", &manifest);
    let world = World::slow();
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.count("PutObject"), 30);
    let before = world.count("ListObjectsV2");
    world.deploy(&app).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!((world.count("PutObject"), world.count("ListObjectsV2") - before), (30, 1));

    // A file that somebody has deleted is uploaded again.
    let client = aws_sdk_s3::Client::new(&world.config().await);
    client.delete_object().bucket(BUCKET).key("7.json").send().await.unwrap();
    world.deploy(&app).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(world.count("PutObject"), 31);
}

#[tokio::test(start_paused = true)]
async fn a_missing_source_is_reported() {
    let (world, app) = (World::slow(), with_files());
    fs_err::remove_dir_all(app.path().join("asset.code")).unwrap();
    let errors = world.refused(&app).await.0;
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert!(error.message.starts_with("the source of an asset is not there: "), "{error:?}");
    assert!(error.message.ends_with("asset.code, for S"), "{error:?}");
    assert!(error.what_to_do().unwrap().contains("cdk synth"), "{error:?}");
    assert_eq!(world.mutations(), [] as [String; 0]);
}

fn with_image() -> App {
    let mut app = App::new();
    app.write("asset.image/Dockerfile", "FROM scratch");
    let repository = format!("cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}");
    let manifest = json!({"version": "36.0.0", "dockerImages": {"image": {
        "source": {"directory": "asset.image"},
        "destinations": {"here": {"repositoryName": repository, "imageTag": "tag", "region": REGION}}}}});
    app.stack("S", &topic("t"), &[]).assets("S", &manifest)
}

fn image_step() -> String {
    format!("publish:ecr:{ACCOUNT}/{REGION}/cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}:tag")
}

fn pretended(build: u64, push: u64) -> Images {
    Images::Pretended { build: Duration::from_secs(build), push: Duration::from_secs(push) }
}

/// Two images. One has three repositories, the other one has one.
fn with_one_image_for_several_places() -> App {
    let mut app = App::new();
    for id in ["shared", "single"] {
        app.write(&format!("asset.{id}/Dockerfile"), "FROM scratch");
    }
    let repository = format!("cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}");
    let to = |tag: &str| json!({"repositoryName": repository, "imageTag": tag, "region": REGION});
    let manifest = json!({"version": "36.0.0", "dockerImages": {
        "shared": {"source": {"directory": "asset.shared"}, "destinations": {"a": to("a"), "b": to("b"), "c": to("c")}},
        "single": {"source": {"directory": "asset.single"}, "destinations": {"d": to("d")}},
    }});
    app.stack("S", &topic("t"), &[]).assets("S", &manifest)
}

#[tokio::test(start_paused = true)]
async fn an_image_for_several_places_is_built_once_and_waiting_steps_free_their_places() {
    let world = World::new(SimOptions { images: SimImages::Absent, ..SimOptions::default() });
    let config = "version: 1\nconcurrency: { images: 2 }\n";
    let how = How { images: pretended(80, 20), config, ..How::default() };
    let ran = world.run(&with_one_image_for_several_places(), how).await;
    ran.check(&[("S", Outcome::Deployed)]);
    let took = |tag: &str| ran.finished(&image_step().replace(":tag", &format!(":{tag}"))).duration_s;
    let ended = ["a", "b", "c", "d"].map(took);
    // The two builds run at the same time, and every push follows at once.
    assert!(ended.iter().all(|took| (99.0..105.0).contains(took)), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn an_image_that_exists_is_left_alone() {
    let (world, app) = (World::slow(), with_image());
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.finished(&image_step()).outcome, Outcome::Unchanged);
    assert_eq!(world.count("PutImage"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_image_can_be_pretended() {
    let world = World::new(SimOptions { images: SimImages::Absent, ..SimOptions::default() });
    let (app, images) = (with_image(), pretended(80, 20));
    let ran = world.run(&app, How { images, ..How::default() }).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert!(ran.finished(&image_step()).duration_s >= 100.0);
    let again = world.run(&app, How { images, ..How::default() }).await;
    assert_eq!(again.finished(&image_step()).outcome, Outcome::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_file_without_a_source_is_refused_unless_it_may_be_pretended() {
    let manifest = json!({"version": "36.0.0", "dockerImages": {}, "files": {"f": {
        "source": {"path": "/no/such/folder", "packaging": "zip"},
        "destinations": {"d": {"bucketName": BUCKET, "objectKey": "f.zip", "region": REGION}},
    }}});
    let app = App::of("S", &topic("x")).assets("S", &manifest);
    let world = World::slow();
    let step = format!("publish:s3://{BUCKET}/f.zip");
    assert_eq!(world.refused(&app).await.0.len(), 1);
    assert_eq!(world.count("PutObject"), 0);

    let missing_files = MissingFiles::Pretended;
    let ran = world.run(&app, How { missing_files, ..How::default() }).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.finished(&step).outcome, Outcome::Deployed);
    let again = world.run(&app, How { missing_files, ..How::default() }).await;
    assert_eq!(again.finished(&step).outcome, Outcome::Unchanged);
    assert_eq!(world.count("PutObject"), 1);
}

/// The part of a manifest for a stack that is deployed with the base credentials.
fn without_roles() -> Value {
    json!({"properties": {"assumeRoleArn": null, "cloudFormationExecutionRoleArn": null,
        "requiresBootstrapStackVersion": null, "bootstrapStackVersionSsmParameter": null}})
}

fn without_bootstrap() -> SimOptions {
    SimOptions { bootstrap: Bootstrap::Missing, ..SimOptions::default() }
}

/// Creates the part of the bootstrap stack that apps of CDK v1 need.
async fn toolkit(world: &World) {
    let template = json!({
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "toolkit-bucket"}}},
        "Outputs": {"BucketName": {"Value": {"Ref": "Bucket"}}},
    });
    world.create("CDKToolkit", &template).await;
}

fn v1(packaging: &str) -> App {
    let mut app = App::new();
    app.write("asset.h/index.js", "1");
    let mut template = topic("t");
    for name in ["Bucket", "Key", "Hash"] {
        template["Parameters"][name] = json!({"Type": "String"});
        template["Outputs"][name] = json!({"Value": {"Ref": name}});
    }
    let asset = json!({"path": "asset.h", "id": "id", "packaging": packaging, "sourceHash": "h",
        "s3BucketParameter": "Bucket", "s3KeyParameter": "Key", "artifactHashParameter": "Hash"});
    let mut more = without_roles();
    more["metadata"] = json!({"/S/Code": [{"type": "aws:cdk:asset", "data": asset}]});
    app.stack_with("S", &template, &more)
}

#[tokio::test(start_paused = true)]
async fn assets_of_cdk_v1_go_to_the_bucket_of_the_bootstrap_stack() {
    let (world, app) = (World::slow(), v1("zip"));
    toolkit(&world).await;
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::Deployed)]);
    let outputs = &ran.stack("S").outputs;
    assert_eq!(
        (outputs["Bucket"].as_str(), outputs["Key"].as_str()),
        ("toolkit-bucket", "assets/id/||h.zip")
    );
    assert_eq!(outputs["Hash"], "h");
    assert!(!object(&world, "toolkit-bucket", "assets/id/h.zip").await.is_empty());
    world.deploy(&app).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(world.count("PutObject"), 1);
}

#[tokio::test(start_paused = true)]
async fn assets_of_cdk_v1_that_cannot_be_published_are_reported() {
    let world = World::new(without_bootstrap());
    let refused = world.refused(&v1("zip")).await.0;
    assert!(refused[0].message.contains("no stack CDKToolkit"), "{refused:?}");
    assert!(refused[0].what_to_do().unwrap().contains("cdk bootstrap aws://"));
    let refused = world.refused(&v1("container-image")).await.0;
    assert!(refused[0].message.contains("not supported"), "{refused:?}");
    assert_eq!(world.mutations(), [] as [String; 0]);
}

/// A template that is too long for a call.
fn long() -> Value {
    let mut template = topic("long");
    template["Metadata"] = json!({"filler": "x".repeat(60_000)});
    template
}

#[tokio::test(start_paused = true)]
async fn a_long_template_is_uploaded_to_the_bucket_of_the_bootstrap_stack() {
    let (world, app) = (World::slow(), App::of("S", &long()));
    toolkit(&world).await;
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.stack("S").outputs["Name"], "long");
    world.deploy(&app).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(world.count("PutObject"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_template_without_a_bucket_is_reported() {
    let world = World::new(without_bootstrap());
    let ran = world.deploy(&App::new().stack_with("S", &long(), &without_roles())).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains("CloudFormation takes 51200 in a call"), "{:?}", ran.cause("S"));
    assert!(ran.cause("S").hint.as_deref().unwrap().contains("cdk bootstrap"));
}
