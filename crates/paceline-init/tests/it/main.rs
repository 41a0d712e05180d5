//! A written configuration can be read, and plans the app that it was written from.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]
#![expect(clippy::needless_pass_by_value, reason = "templates are written where they are used")]

mod build;

use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_buildspec::understand::{App, Deployment, ExistingPipeline, Line, Script, Setup, Signal, When};
use paceline_config::Config;
use paceline_init::{AppFolder, NewConfig, NewConfigText};
use paceline_plan::{Plan, PlanOptions};
use serde_json::json;

use crate::build::{Stacks, edges, empty, example, holds, writes};

/// Plans an assembly with what was written, with and without its secondary regions.
#[track_caller]
fn plans(assembly: &Assembly, written: &NewConfigText) -> Plan {
    let config = Config::parse(&written.text, Utf8Path::new("paceline.yaml"));
    let config = config.unwrap_or_else(|error| panic!("{error}\n{}", written.text));
    let plan = |value: Option<&str>| {
        let options = PlanOptions { multi_region: value.map(str::to_owned), ..PlanOptions::default() };
        Plan::make(assembly, &config, &options).unwrap_or_else(|error| panic!("{error}\n{}", written.text))
    };
    plan(None);
    plan(Some("true"))
}

fn from_assembly(assembly: &Assembly) -> NewConfigText {
    let app = AppFolder {
        has_npm: false,
        assembly: "cdk.out".into(),
        install: Some("npm ci".into()),
        synth: Some("npx cdk synth".into()),
        is_committed: false,
    };
    NewConfig { build: None, assembly: Some(assembly), app: Some(&app) }.write().unwrap()
}

#[test]
fn the_example_has_the_phases_of_its_graph() {
    let assembly = Assembly::read(example().join("cdk.out")).unwrap();
    let written = from_assembly(&assembly);
    let plan = plans(&assembly, &written);
    assert_eq!(plan.stacks.len(), assembly.stacks.len());
    assert!(plan.stacks.iter().all(|stack| stack.phase.is_some()));
    insta::assert_snapshot!("configuration_of_the_example", written.text);
}

#[test]
fn every_real_assembly_plans_with_what_is_written_for_it() {
    let Ok(folder) = std::env::var("PACELINE_ASSEMBLIES") else {
        let why = "PACELINE_ASSEMBLIES names no folder of real assemblies";
        let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("\nSKIPPED: {why}\n"));
        return;
    };
    let folder = camino::Utf8PathBuf::from(folder);
    let (mut folders, mut seen) = (vec![folder], 0);
    while let Some(folder) = folders.pop() {
        let app = folder.join("cdk.out");
        if app.join("manifest.json").is_file() {
            let assembly = Assembly::read(&app).unwrap();
            let plan = plans(&assembly, &from_assembly(&assembly));
            assert_eq!(plan.stacks.len(), assembly.stacks.len(), "{app}");
            seen += 1;
        } else {
            let entries = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
            folders.extend(entries.filter(|path| path.is_dir()));
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_stack_that_hands_out_a_role_gets_a_gate() {
    let role = json!({ "Type": "AWS::IAM::Role", "Properties": {} });
    let parameter = |value: serde_json::Value| json!({ "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String", "Name": "/role", "Value": value } });
    let reader = holds(json!("{{resolve:ssm:/role}}"));
    let with = |value: serde_json::Value| {
        let producer = json!({ "Resources": { "Role": role, "P": parameter(value) } });
        from_assembly(&Stacks::pair(producer, reader.clone()).assembly()).text
    };
    let gated = with(json!({ "Fn::GetAtt": ["Role", "Arn"] }));
    assert!(
        gated.contains("gates:\n  - after: Producer # used by Consumer\n    iam-roles: all\n"),
        "{gated}"
    );
    assert!(!with(json!("a name")).contains("gates:"));
}

#[test]
fn regions_of_which_one_has_second_forms_are_switched() {
    let with = |ids: [(&str, &str); 4]| {
        let app = ids.iter().fold(Stacks::default(), |app, (id, region)| app.stack(id, region, empty()));
        let (assembly, prefix) = (app.assembly(), "\nmulti-region: ");
        let written = from_assembly(&assembly);
        plans(&assembly, &written);
        written.text.lines().find_map(|line| format!("\n{line}").strip_prefix(prefix).map(str::to_owned))
    };
    let switched = Some("{ when: ENABLE_MULTI_REGION, primary: eu-west-1 }".to_owned());
    let (a, b) = ("eu-west-1", "eu-central-1");
    assert_eq!(with([("Api", a), ("Data", a), ("ApiSecondary", b), ("DataSecondary", b)]), switched);
    assert_eq!(with([("Api", a), ("Data", a), ("Api-eu-central-1", b), ("DataDr", b)]), switched);
    assert_eq!(with([("Api", a), ("Data", a), ("Certificate", b), ("Edge", b)]), None);
    assert_eq!(with([("Api", a), ("Data", a), ("ApiSecondary", a), ("DataSecondary", a)]), None);
}

fn deploy(line: usize, stack: &str) -> Deployment {
    Deployment { line, stacks: vec![stack.to_owned()], ..Deployment::default() }
}

fn existing_pipeline(deployments: Vec<Deployment>) -> ExistingPipeline {
    let app = App {
        name: "app".into(),
        file: "buildspec.yml".into(),
        line: 5,
        assembly: "cdk.out".into(),
        cli: "cdk".into(),
        is_synthesized: true,
        ..App::default()
    };
    ExistingPipeline {
        files: vec!["buildspec.yml".into()],
        apps: vec![app],
        deployments,
        ..ExistingPipeline::default()
    }
}

#[test]
fn where_the_graph_is_known_only_what_it_does_not_order_keeps_an_edge() {
    let app = Stacks::default()
        .stack("Base", "us-east-1", writes(json!("/x")))
        .stack("Reader", "us-east-1", holds(json!("{{resolve:ssm:/x}}")))
        .stack("Late", "us-east-1", empty())
        .stack("Last", "us-east-1", empty());
    let assembly = app.assembly();
    let mut build = existing_pipeline(vec![
        deploy(7, "Base"),
        deploy(8, "Reader"),
        deploy(9, "Late"),
        deploy(11, "Last"),
    ]);
    let script = Script { line: 10, text: "./x.sh".into(), after: 3, ..Script::default() };
    build.scripts.push(script);
    let written = NewConfig { build: Some(&build), assembly: Some(&assembly), app: None }.write().unwrap();
    let plan = plans(&assembly, &written);
    let edges = edges(&plan);
    let why = |line: usize| format!("buildspec.yml:{line} deploys it after that, and no template shows why");
    assert!(edges.contains(&format!("Late -> Reader config: {}", why(9))), "{edges:#?}");
    assert!(
        edges.contains(&"Last -> Late config: the command `x` runs between them".to_owned()),
        "{edges:#?}"
    );
    assert!(!edges.iter().any(|edge| edge.starts_with("Reader -> Base config")), "{edges:#?}");
    assert_eq!(written.notes.len(), 2, "{:?}", written.notes);
}

#[test]
fn a_graph_that_says_the_opposite_of_a_build_is_right() {
    let app = Stacks::pair(writes(json!("/x")), holds(json!("{{resolve:ssm:/x}}")));
    let assembly = app.assembly();
    let mut build = existing_pipeline(vec![deploy(7, "Consumer"), deploy(9, "Producer"), deploy(10, "Gone")]);
    build.scripts.push(Script { line: 8, text: "./x.sh".into(), after: 1, ..Script::default() });
    let written = NewConfig { build: Some(&build), assembly: Some(&assembly), app: None }.write().unwrap();
    plans(&assembly, &written);
    assert!(!written.text.contains("before:"), "{}", written.text);
    assert_eq!(written.notes, [(10, "the assembly has no stack `Gone`: it is left out".to_owned())]);
}

#[test]
fn without_a_graph_the_order_is_kept_as_phases() {
    let line = |line: usize, text: &str| Line { line, order: line, text: text.into() };
    let mut build = existing_pipeline(vec![deploy(7, "Base"), deploy(8, "BaseSecondary"), deploy(9, "Edge")]);
    build.deployments[1].when = Some(When {
        variable: Some("MULTI_REGION".into()),
        value: "true".into(),
        equals: true,
        text: "[ \"$MULTI_REGION\" = true ]".into(),
        shell: None,
    });
    build.apps[0].dir = "infra".into();
    build.apps[0].setup =
        vec![Setup { line: 3, order: 3, text: "WHO=$(whoami)".into(), sets: vec!["WHO".into()] }];
    build.apps[0].install = vec![line(4, "npm ci")];
    build.apps[0].context.insert("who".into(), line(7, "$WHO"));
    build.scripts.push(Script {
        line: 10,
        text: "curl \"a: b\" # c".into(),
        after: 3,
        always: true,
        ..Script::default()
    });
    build.signal = Some(Signal { line: 12, variable: "WAIT_HANDLE_URL".into() });
    build.bootstraps = vec![line(6, "./bootstrap.sh")];
    let written = NewConfig { build: Some(&build), assembly: None, app: None }.write().unwrap();
    Config::parse(&written.text, Utf8Path::new("paceline.yaml")).unwrap();
    insta::assert_snapshot!("configuration_of_an_existing_pipeline", written.text);
}

#[test]
fn a_folder_that_several_apps_install_in_is_installed_in_by_one_at_a_time() {
    let mut build = existing_pipeline(vec![deploy(7, "A")]);
    build.apps[0].install = vec![Line { line: 4, order: 4, text: "(cd .. && npm ci)".into() }];
    build.apps[0].dir = "a".into();
    let second = App { name: "b".into(), dir: "b".into(), ..build.apps[0].clone() };
    build.apps.push(second);
    let written = NewConfig { build: Some(&build), assembly: None, app: None }.write().unwrap();
    let config = Config::parse(&written.text, Utf8Path::new("paceline.yaml")).unwrap();
    let expected = "flock .. sh -c 'cd .. && { [ -d node_modules ] || npm ci; }'";
    for app in config.apps.values() {
        assert_eq!(app.install.as_deref(), Some(expected));
    }
}
