use super::*;

#[test]
fn zz_try() {
    let Ok(path) = std::env::var("LINT_FILE") else { return };
    for path in path.split(' ') {
        let bytes = fs_err::read(path).unwrap();
        let mut s = Surroundings::default();
        if let Ok(p) = std::env::var("LINT_PROJECT") {
            s.project = Some(ProjectFacts::read(&fs_err::read_to_string(p).unwrap()).unwrap());
        }
        let report = lint(path, &bytes, &s);
        println!("{}", present::text(&report, present::TextOptions { color: false, width: 110 }));
        println!("{}", present::summary(&[report]));
    }
}
#[test]
fn zz_spans() {
    for t in [
        "- |\n  a\n  b\n",
        "- |-  # c\n\n  a\n  b\n- x",
        "- >\n\n   a\n   b\n\n",
        "k: &a |\n  x\n",
        "- !!str |\n  x\n",
    ] {
        let n = crate::yaml::parse(t).unwrap();
        fn show(t: &str, n: &crate::yaml::Node) {
            match &n.kind {
                crate::yaml::Kind::Scalar { text, .. } => {
                    println!("{text:?} {:?} {:?}", n.at, &t[n.span.clone()])
                }
                crate::yaml::Kind::List(l) => l.iter().for_each(|x| show(t, x)),
                crate::yaml::Kind::Map(m) => m.iter().for_each(|x| show(t, &x.1)),
            }
        }
        show(t, &n);
    }
}
