//! Any bytes are understood without a panic and in bounded time.

use paceline_buildspec::understand::{NoSourceTree, SourceTree, Understanding, understand};
use proptest::prelude::*;

use crate::lint::script;

/// A `package.json` whose script calls itself.
struct Circle;

impl SourceTree for Circle {
    fn package_script(&self, _: &str, name: &str) -> Option<String> {
        Some(format!("cd a && npm run {name} && cdk deploy X && npm run deploy"))
    }
}

#[track_caller]
fn hold(bytes: &[u8]) -> Understanding {
    understand(bytes, &Circle);
    let all = understand(bytes, &NoSourceTree);
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for it in &all.deployments {
        assert!(it.app < all.apps.len() && (1..=lines).contains(&it.line), "{it:?}");
    }
    for script in &all.scripts {
        assert!(script.after <= all.deployments.len() && (1..=lines).contains(&script.line), "{script:?}");
    }
    for left in all.left_out.iter().chain(&all.problems) {
        assert!((1..=lines).contains(&left.line) && !left.why.is_empty(), "{left:?}");
    }
    all
}

fn shellish() -> impl Strategy<Value = String> {
    let words = [
        "if ",
        "then ",
        "else ",
        "fi\n",
        "do ",
        "done\n",
        "for s in A B; ",
        "case x in a) ",
        "esac\n",
        "$(",
        ")",
        "`",
        "${",
        "}",
        "'",
        "\"",
        "<<EOF\n",
        "EOF\n",
        "[ \"$X\" = y ] ",
        "|",
        "&&",
        "||",
        "&",
        ";",
        "\n",
        "f() {",
        "f A\n",
        "cd ..",
        "cd a\n",
        "pushd b\n",
        "popd\n",
        "cdk deploy A\n",
        "cdk deploy --all -c a=b\n",
        "npx cdk synth\n",
        "export A=b\n",
        "A=$B\n",
        "./x.sh\n",
        "npm ci\n",
        "npm run deploy\n",
        "$S ",
        "é",
        "timeout ",
        "env ",
        "sh -c ",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_understood(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        hold(&bytes);
    }

    #[test]
    fn any_script_is_understood(text in shellish()) {
        hold(script(&text).as_bytes());
    }
}

#[test]
fn huge_and_deep_buildspecs_are_understood_in_bounded_time() {
    hold(&vec![b'x'; (1 << 20) + 1]);
    let nested = "for a in 1 2 3 4 5 6 7 8 9; do ".repeat(12) + "cdk deploy A$a; " + &"done; ".repeat(12);
    let all = hold(script(&nested).as_bytes());
    assert!(all.left_out.iter().any(|it| it.why.contains("too long to follow")), "{:?}", all.left_out);
    hold(script(&("(".repeat(5_000) + "cdk deploy A")).as_bytes());
    hold(script("f() { f; f; cdk deploy A; }\nf").as_bytes());
    let many = "cdk deploy A\n./x.sh\n".repeat(20_000);
    hold(script(&many).as_bytes());
}

/// Lines that each make the value of a variable ten times as long, followed by a use of the variable.
fn growing(then: &str) -> String {
    format!("A=xxxxxxxxxx\n{}{then}", "A=$A$A$A$A$A$A$A$A$A$A\n".repeat(30))
}

#[test]
fn a_value_that_grows_without_limit_is_unknown() {
    let all = hold(script(&growing("cdk deploy $A\n")).as_bytes());
    let left = all.left_out.iter().find(|it| it.what == "cdk deploy $A");
    assert!(left.is_some_and(|it| it.why.contains("only known in the build")), "{:?}", all.left_out);
    // The kept values stay small, whatever the use is.
    let kept = |all: &Understanding| {
        let envs = all.scripts.iter().flat_map(|script| &script.env).map(|(_, value)| value.len());
        let stacks = all.deployments.iter().flat_map(|it| &it.stacks).map(String::len);
        envs.chain(stacks).sum::<usize>()
    };
    let long = format!("export A={}\n", "x".repeat(8_000));
    for uses in [
        "./x.sh $A\n".repeat(4_000),
        format!("cdk deploy {}\n", "$A ".repeat(4_000)),
        format!("cdk deploy {}\n", "$A".repeat(4_000)),
        (0..4_000).map(|at| format!("export A{at}=$A")).collect::<Vec<_>>().join("\n") + "\n./x.sh $A1\n",
        format!("f() {{ ./x.sh $@; }}\nf {}\n", "$A ".repeat(4_000)),
        "(".repeat(30) + "A=$A ./x.sh $A" + &")".repeat(30),
    ] {
        let all = hold(script(&(long.clone() + &uses + "cdk deploy B\n")).as_bytes());
        assert!(kept(&all) < 18 << 20, "{} bytes", kept(&all));
    }
}
