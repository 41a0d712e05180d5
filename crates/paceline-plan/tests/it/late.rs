//! A stack that holds what an earlier one makes waits until its app has been synthesized again.

use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_config::Config;
use paceline_plan::late::{Compared, Difference, compare};
use paceline_plan::what_if::Change;
use paceline_plan::{ContextLookup, Destruction, LookupState, Plan, PlanError, PlanOptions, Step, Work};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::build::{ACCOUNT, App, edges, holds, warnings, writes};

const CONFIG: &str = "apps: { shop: { dir: shop }, guide: { dir: guide, synth: make synth } }";

fn missing(name: &str) -> Value {
    json!({
        "key": format!("ssm:account={ACCOUNT}:parameterName={name}:region=us-east-1"),
        "provider": "ssm",
        "props": { "account": ACCOUNT, "region": "us-east-1", "parameterName": name, "dummyValue": held(name) },
    })
}

fn held(name: &str) -> String {
    format!("dummy-value-for-{name}")
}

/// An app that makes the address of a shop.
fn shop() -> App {
    App::default().stack("Shop", "us-east-1", writes(json!("/shop/url")))
}

/// An app with a page that has the address from its synthesis, and with another stack.
fn guide() -> App {
    let page = holds(json!(held("/shop/url") + "/start"));
    App::default()
        .stack("Editor", "us-east-1", holds(json!(1)))
        .stack("Page", "us-east-1", page)
        .missing(missing("/shop/url"))
}

fn both(shop: &App, guide: &App) -> Assembly {
    Assembly::of_apps(vec![("shop".to_owned(), shop.assembly()), ("guide".to_owned(), guide.assembly())])
}

fn config() -> Config {
    Config::parse(CONFIG, Utf8Path::new("paceline.yaml")).unwrap()
}

fn try_plan(assembly: &Assembly, options: &PlanOptions) -> Result<Plan, PlanError> {
    Plan::make(assembly, &config(), options)
}

fn plan(assembly: &Assembly) -> Plan {
    try_plan(assembly, &PlanOptions::default()).unwrap()
}

fn needs<'p>(plan: &'p Plan, step: &Step) -> Vec<&'p str> {
    step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect()
}

fn step<'p>(plan: &'p Plan, id: &str) -> &'p Step {
    plan.steps.iter().find(|step| step.id == id).unwrap()
}

#[test]
fn it_is_synthesized_again_after_the_stack_that_makes_the_parameter_and_for_who_waits_alone() {
    let plan = plan(&both(&shop(), &guide()));
    assert_eq!(
        edges(&plan),
        [
            "guide/Page -> shop/Shop synth: has the parameter /shop/url from its synthesis (guide/Page: R.Properties.Value)"
        ]
    );
    let synthesis = step(&plan, "synth:guide/Page");
    assert_eq!(needs(&plan, synthesis), ["deploy:shop/Shop"]);
    assert_eq!(needs(&plan, step(&plan, "deploy:guide/Page")), ["deploy:shop/Shop", "synth:guide/Page"]);
    assert_eq!(needs(&plan, step(&plan, "deploy:guide/Editor")), [""; 0]);
    let Work::Synthesize(work) = &synthesis.work else { panic!("{synthesis:?}") };
    assert_eq!((work.app.as_deref(), work.stacks.as_slice()), (Some("guide"), &[2][..]));
    assert!(work.lookups.iter().eq(["/shop/url"]));
    assert_eq!(warnings(&plan), [""; 0]);
}

#[test]
fn stacks_that_wait_for_the_same_share_a_synthesis_and_others_have_their_own() {
    let shop = shop().stack("Blog", "us-east-1", writes(json!("/blog/url")));
    let page = |name: &str| holds(json!(held(name)));
    let guide = guide()
        .stack("Mail", "us-east-1", page("/shop/url"))
        .stack("News", "us-east-1", page("/blog/url"))
        .missing(missing("/blog/url"));
    let plan = plan(&both(&shop, &guide));
    let syntheses: Vec<&str> =
        plan.steps.iter().filter(|it| it.work.kind() == "synth").map(|it| it.id.as_str()).collect();
    assert_eq!(syntheses, ["synth:guide/Mail", "synth:guide/News"]);
    assert!(needs(&plan, step(&plan, "deploy:guide/Page")).contains(&"synth:guide/Mail"));
}

#[test]
fn a_parameter_that_is_missing_and_that_no_stack_makes_is_refused_with_who_would_have_it() {
    let alone = Assembly::of_apps(vec![("guide".to_owned(), guide().assembly())]);
    let error = try_plan(&alone, &PlanOptions::default()).unwrap_err();
    let key = "ssm:account=111111111111:parameterName=/shop/url:region=us-east-1";
    assert_eq!(
        error.to_string(),
        format!("`guide/Page` was synthesized without context it needs: `{key}` (ssm)")
    );
    assert_eq!(
        error.hint().unwrap(),
        "no stack makes the parameter /shop/url: create it, and synthesize again"
    );

    let only = |only: &str| PlanOptions { only: vec![only.to_owned()], ..PlanOptions::default() };
    let both = both(&shop(), &guide());
    let hint = try_plan(&both, &only("guide/Page")).unwrap_err().hint().unwrap();
    assert!(hint.starts_with("`shop/Shop` makes /shop/url: deploy it in the same run"), "{hint}");
    assert!(try_plan(&both, &only("guide/Editor")).is_ok(), "nothing of it is missing");
}

#[test]
fn other_context_that_is_missing_is_refused() {
    let guide = guide().missing(json!({ "key": "vpc-provider:x", "provider": "vpc-provider", "props": {} }));
    let error = try_plan(&both(&shop(), &guide), &PlanOptions::default()).unwrap_err();
    assert!(error.to_string().contains("`vpc-provider:x` (vpc-provider)"), "{error}");
    assert!(error.hint().unwrap().contains("cdk.context.json"));
}

#[test]
fn where_no_template_shows_what_is_missing_every_stack_that_can_waits() {
    let page = holds(json!("the app has decided otherwise"));
    let guide = App::default().stack("Page", "us-east-1", page).missing(missing("/shop/url"));
    let plan = plan(&both(&shop(), &guide));
    assert_eq!(
        edges(&plan),
        [
            "guide/Page -> shop/Shop synth: was synthesized without the parameter /shop/url; no template shows what for"
        ]
    );
}

#[test]
fn an_app_that_is_made_elsewhere_waits_for_nothing_and_is_warned_of() {
    let assembly = both(&shop(), &App::default().stack("Page", "us-east-1", holds(json!(held("/shop/url")))));
    let config =
        Config::parse(&CONFIG.replace(", synth: make synth", ""), Utf8Path::new("paceline.yaml")).unwrap();
    let plan = Plan::make(&assembly, &config, &PlanOptions::default()).unwrap();
    assert_eq!(edges(&plan), [""; 0]);
    assert!(warnings(&plan)[0].contains("`shop/Shop` makes it"), "{:?}", warnings(&plan));
}

fn context(state: LookupState) -> PlanOptions {
    let key = format!("ssm:account={ACCOUNT}:parameterName=/shop/url:region=us-east-1");
    let parameter = ContextLookup::new(Some("guide"), &key, &json!("https://old.example"), state).unwrap();
    PlanOptions { context: vec![parameter], ..PlanOptions::default() }
}

#[test]
fn what_was_found_once_is_told_and_looked_up_again_where_the_team_says_so() {
    let found = App::default().stack("Page", "us-east-1", holds(json!("see https://old.example/start")));
    let assembly = both(&shop(), &found);
    let kept = try_plan(&assembly, &context(LookupState::Kept)).unwrap();
    assert_eq!(edges(&kept), [""; 0]);
    let [told] = kept.kept_context.as_slice() else { panic!("{:?}", kept.kept_context) };
    assert_eq!((told.name.as_str(), told.stack.as_str()), ("/shop/url", "shop/Shop"));

    let elsewhere = App::default().stack("Elsewhere", "eu-west-1", writes(json!("/shop/url")));
    let both_regions = Assembly::of_apps(vec![
        ("shop".to_owned(), elsewhere.stack("Shop", "us-east-1", writes(json!("/shop/url"))).assembly()),
        ("guide".to_owned(), found.assembly()),
    ]);
    let kept = try_plan(&both_regions, &context(LookupState::Kept)).unwrap();
    assert_eq!(kept.kept_context[0].stack, "shop/Shop", "that of the region it is looked up in");

    let again = try_plan(&assembly, &context(LookupState::Again)).unwrap();
    assert_eq!(needs(&again, step(&again, "deploy:guide/Page")), ["deploy:shop/Shop", "synth:guide/Page"]);
    assert!(again.kept_context.is_empty());
    let literal = json!({ "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": {
        "Name": "/shop/url", "Value": "https://old.example" } } } });
    let one = App::default().stack("Shop", "us-east-1", literal).stack(
        "Page",
        "us-east-1",
        holds(json!("see https://old.example/start")),
    );
    let one = Assembly::of_apps(vec![("guide".to_owned(), one.assembly())]);
    let plan = try_plan(&one, &context(LookupState::Again)).unwrap();
    assert_eq!(warnings(&plan), [""; 0], "its maker has the value of its own");
    assert_eq!(edges(&plan).len(), 1);
}

/// What comes of a plan when the app is synthesized again as `now`.
fn said(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(ToString::to_string).collect()
}

fn compared(now: &App) -> Compared {
    let before = both(&shop(), &guide());
    let plan = plan(&before);
    let Work::Synthesize(work) = &step(&plan, "synth:guide/Page").work else { panic!() };
    let again = before.with_app(Some("guide"), now.assembly());
    compare(&plan, work, (&before, &again), &config(), &PlanOptions::default())
}

fn found() -> App {
    App::default().stack("Editor", "us-east-1", holds(json!(1))).stack(
        "Page",
        "us-east-1",
        holds(json!("https://shop.example/start")),
    )
}

#[test]
fn what_was_found_in_between_is_deployed() {
    assert_eq!(compared(&found()), Compared::default());
}

#[test]
fn what_is_still_missing_is_refused() {
    assert_eq!(
        said(&compared(&guide()).problems),
        ["`guide/Page` is still without the parameter /shop/url: its synthesis has not found it"]
    );
}

#[test]
fn a_stack_that_appeared_waits_for_the_next_run() {
    let now = compared(&found().stack("New", "us-east-1", holds(json!(1))));
    assert_eq!(said(&now.problems), [""; 0]);
    assert_eq!(
        said(&now.warnings),
        ["app `guide` has a stack that it had not when the run began: `guide/New`; the next run deploys it"]
    );
}

#[test]
fn a_stack_that_vanished_is_refused_if_it_has_waited_and_told_if_not() {
    let now = compared(&App::default().stack("Editor", "us-east-1", holds(json!(1))));
    assert_eq!(said(&now.problems), ["app `guide` has no stack `guide/Page` any more"]);
    let now = compared(&App::default().stack("Page", "us-east-1", holds(json!("found"))));
    assert_eq!(said(&now.problems), [""; 0]);
    assert_eq!(
        said(&now.warnings),
        ["app `guide` has no stack `guide/Editor` any more; this run deploys it as it was when it began"]
    );
}

#[test]
fn a_stack_that_waits_for_more_than_before_is_refused_with_the_edge() {
    let page = json!({ "Resources": { "R": { "Type": "Custom::Holder", "Properties": {
        "Url": "https://shop.example", "Role": "{{resolve:ssm:/editor/role}}" } } } });
    let now = App::default().stack("Editor", "us-east-1", writes(json!("/editor/role"))).stack(
        "Page",
        "us-east-1",
        page,
    );
    assert_eq!(
        said(&compared(&now).problems),
        [
            "`guide/Page` waits for `guide/Editor` now, which the plan does not: ssm: reads the parameter /editor/role (guide/Page: R.Properties.Role)"
        ]
    );
}

#[test]
fn a_stack_that_goes_elsewhere_now_is_refused() {
    let now = found().stack("Page", "eu-west-1", holds(json!("found")));
    assert_eq!(
        said(&compared(&now).problems),
        [
            "`guide/Page` is another stack now: Page in aws://111111111111/eu-west-1, and not Page in aws://111111111111/us-east-1"
        ]
    );
}

/// A key as the CDK writes it, and what stands for what was not found.
fn not_found(provider: &str, properties: &str, stand_in: &Value) -> Value {
    let key = format!("{provider}:account={ACCOUNT}:{properties}:region=us-east-1");
    json!({ "key": key, "provider": provider, "props": { "dummyValue": stand_in } })
}

fn made(kind: &str, properties: Value) -> Value {
    json!({ "Resources": { "M": { "Type": kind, "Properties": properties } } })
}

/// One stack makes something, and the page has what stands for it from its synthesis.
#[track_caller]
fn check_waits(maker: Value, missing: Value, held: &str, expected: &str) {
    let shop = App::default().stack("Shop", "us-east-1", maker);
    let guide = App::default().stack("Page", "us-east-1", holds(json!(held))).missing(missing);
    let expected = format!(
        "guide/Page -> shop/Shop synth: has the {expected} from its synthesis (guide/Page: R.Properties.Value)"
    );
    assert_eq!(edges(&plan(&both(&shop, &guide))), [expected]);
}

#[test]
fn what_else_a_stack_makes_and_the_cdk_looks_up_is_waited_for_as_well() {
    let zone = json!({ "Id": "DUMMY", "Name": "shop.example.com" });
    check_waits(
        made("AWS::Route53::HostedZone", json!({ "Name": "shop.example.com." })),
        not_found("hosted-zone", "domainName=shop.example.com", &zone),
        "DUMMY",
        "hosted zone shop.example.com",
    );
    let tags = json!({ "Tags": [{ "Key": "team", "Value": "a" }, { "Key": "Name", "Value": "shop" }] });
    check_waits(
        made("AWS::EC2::VPC", tags.clone()),
        not_found("vpc-provider", "filter.tag:Name=shop:filter.tag:team=a", &Value::Null),
        "vpc-12345",
        "VPC Name=shop",
    );
    check_waits(
        made("AWS::KMS::Alias", json!({ "AliasName": "alias/shop" })),
        not_found(
            "key-provider",
            "aliasName=alias/shop",
            &json!({ "keyId": "1234abcd-12ab-34cd-56ef-1234567890ab" }),
        ),
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "key alias/shop",
    );
    check_waits(
        made("AWS::ElasticLoadBalancingV2::LoadBalancer", tags),
        not_found(
            "load-balancer",
            "loadBalancerTags.0.key=team:loadBalancerTags.0.value=a",
            &json!({ "loadBalancerArn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/x" }),
        ),
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/x",
        "load balancer team=a",
    );
}

#[test]
fn a_hosted_zone_is_found_in_the_stack_of_another_region() {
    let zone = made("AWS::Route53::HostedZone", json!({ "Name": "shop.example.com" }));
    let shop = App::default().stack("Shop", "eu-west-1", zone);
    let zone = json!({ "Id": "DUMMY", "Name": "shop.example.com" });
    let guide = App::default().stack("Page", "us-east-1", holds(json!("DUMMY"))).missing(not_found(
        "hosted-zone",
        "domainName=shop.example.com",
        &zone,
    ));
    assert_eq!(edges(&plan(&both(&shop, &guide))).len(), 1);
}

#[test]
fn what_is_asked_for_with_something_made_up_is_asked_for_again_with_it() {
    let shop = App::default().stack(
        "Shop",
        "us-east-1",
        made("AWS::EC2::VPC", json!({ "Tags": [{ "Key": "Name", "Value": "shop" }] })),
    );
    let security_group = json!({ "securityGroupId": "sg-12345678", "allowAllOutbound": true });
    let guide = |vpc: &str| {
        App::default()
            .stack("Page", "us-east-1", holds(json!(["vpc-12345", "sg-12345678"])))
            .missing(not_found("vpc-provider", "filter.tag:Name=shop", &Value::Null))
            .missing(not_found(
                "security-group",
                &format!("securityGroupName=web:vpcId={vpc}"),
                &security_group,
            ))
    };
    assert_eq!(edges(&plan(&both(&shop, &guide("vpc-12345")))).len(), 1);
    let error = try_plan(&both(&shop, &guide("vpc-0a1b2c3d")), &PlanOptions::default()).unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "no stack makes the security group web: create it, and synthesize again"
    );
}

#[test]
fn a_synthesis_waits_for_the_parameter_alone_where_the_team_says_that_it_is_enough() {
    let assembly = both(&shop(), &guide());
    let with = |edge: &str, assembly: &Assembly| {
        let edge = format!("edges: [{{ from: guide/Page, to: shop/Shop, because: b, {edge} }}]");
        let config = Config::parse(&format!("{CONFIG}\n{edge}"), Utf8Path::new("paceline.yaml")).unwrap();
        Plan::make(assembly, &config, &PlanOptions::default())
    };
    for edge in ["until: resource", "reason: synth, until: resource"] {
        let plan = with(edge, &assembly).unwrap();
        for id in ["synth:guide/Page", "deploy:guide/Page"] {
            let [early] = step(&plan, id).early_needs.as_slice() else { panic!("{id}") };
            assert_eq!(plan.steps[early.need].id, "deploy:shop/Shop");
            assert!(early.resources.iter().eq(["P"]), "{early:?}");
        }
    }
    let found = assembly.with_app(Some("guide"), found().assembly());
    assert!(with("reason: synth, until: resource", &found).is_ok(), "nothing is left to wait for");
    assert!(with("until: resource", &found).is_err());
    assert!(with("relax: when-present", &assembly).is_err(), "what is missing is not there");
}

#[test]
fn what_is_deleted_may_be_without_what_it_needed() {
    let options = PlanOptions { only: vec!["guide/Page".to_owned()], ..PlanOptions::default() };
    let destruction = Destruction::make(&both(&shop(), &guide()), &config(), &options).unwrap();
    assert_eq!(destruction.plan.steps.len(), 1);
    assert_eq!(warnings(&destruction.plan), [""; 0]);
}

#[test]
fn a_stack_that_looks_up_what_it_makes_itself_is_refused() {
    let page = json!({ "Resources": {
        "P": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": "/shop/url", "Value": "v" } },
        "R": { "Type": "Custom::Holder", "Properties": { "Value": held("/shop/url") } },
    } });
    let guide = App::default().stack("Page", "us-east-1", page).missing(missing("/shop/url"));
    let alone = Assembly::of_apps(vec![("guide".to_owned(), guide.assembly())]);
    let hint = try_plan(&alone, &PlanOptions::default()).unwrap_err().hint().unwrap();
    assert_eq!(
        hint,
        "`guide/Page` makes the parameter /shop/url itself: have the app read it in another way"
    );
}

#[test]
fn what_if_it_did_not_wait() {
    let plan = plan(&both(&shop(), &guide()));
    let changed = Change::parse("drop-edge guide/Page shop/Shop").unwrap().apply(&plan).unwrap();
    assert_eq!(needs(&changed, step(&changed, "deploy:guide/Page")), [""; 0]);
}
