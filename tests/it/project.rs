//! `paceline project`: the generated CodeBuild project and the live one.

use crate::harness::{Place, Ran, Sim};
use crate::workshop;

const ROLE: &str = "arn:aws:iam::111111111111:role/build";

#[test]
fn a_project_is_created_compared_and_updated() {
    let (place, sim) = (Place::new(), Sim::start(1));
    let example = fs_err::read_to_string(workshop::path("paceline.yaml")).unwrap();
    let project = |timeout: &str, arguments: &[&str]| -> Ran {
        place.write("mine.yaml", &example.replace("timeout: 240m", timeout));
        let call = place.paceline(["project"]).args(arguments);
        call.args(["--app", &workshop::path("cdk.out"), "--config", "mine.yaml"]).aws_at(&sim.address).run()
    };
    let ran = project("timeout: 240m", &["diff"]).expect(5);
    assert!(ran.stderr.contains("the project workshop is not there"), "{}", ran.stderr);
    let ran = project("timeout: 240m", &["apply"]).expect(3);
    assert!(ran.stderr.contains("service role") && ran.stderr.contains(" hint: "), "{}", ran.stderr);

    project("timeout: 240m", &["apply", "--service-role", ROLE]).expect(0);
    assert_eq!(project("timeout: 240m", &["diff"]).expect(0).stdout, "");

    let ran = project("timeout: 120m", &["diff"]).expect(5);
    assert_eq!(ran.stdout, "timeoutInMinutes: 240 -> 120\n");
    project("timeout: 120m", &["apply"]).expect(0);
    assert_eq!(project("timeout: 120m", &["diff"]).expect(0).stdout, "");
}

#[test]
fn without_credentials_the_live_project_is_not_looked_for() {
    let ran = Place::new().paceline(["project", "diff"]).args(workshop::app()).run().expect(3);
    assert!(ran.stderr.contains("no AWS credentials were found"), "{}", ran.stderr);
}
