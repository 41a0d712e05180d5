//! Every rule has a page, and the examples of the pages are correct.

use std::collections::BTreeSet;

use paceline_buildspec::lint::{LintContext, ProjectFacts, RULES, Rule, fix, with_code};

use super::{codes_in, project, whole};

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lint");
    let names =
        fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let expected = RULES.iter().map(|rule| format!("{}.md", rule.code));
    assert_eq!(names.collect::<BTreeSet<_>>(), expected.collect());
}

#[test]
fn codes_are_sorted_and_unique() {
    let codes: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
    assert!(codes.is_sorted() && codes.windows(2).all(|pair| pair[0] != pair[1]), "{codes:?}");
    assert!(RULES.iter().all(|rule| with_code(&rule.code.to_lowercase()).is_some()));
}

#[test]
fn every_page_starts_with_its_title_and_severity() {
    for rule in RULES {
        let mut severity = rule.severity.to_string();
        severity[..1].make_ascii_uppercase();
        let start = format!("# {}: {}\n\n{severity}.\n", rule.code, rule.title);
        assert!(rule.page.starts_with(&start), "{}", rule.code);
    }
}

/// The example below a heading, completed to a whole buildspec.
fn example(rule: &Rule, heading: &str) -> Option<String> {
    let (_, section) = rule.page.split_once(&format!("\n## {heading}\n"))?;
    let (_, block) = section.split_once("```yaml\n")?;
    let (block, _) = block.split_once("```").expect("a block ends");
    Some(whole(block))
}

/// The context for the wrong example of a page.
fn wrong_context(rule: &Rule) -> LintContext {
    let mut context = context(rule);
    if rule.code == "PL435" {
        context.project = Some(ProjectFacts { host_kernel: None, ..project() });
    }
    context
}

/// The context for the better example of a page.
fn context(rule: &Rule) -> LintContext {
    if !rule.page.contains("`--project`") || matches!(rule.code, "PL201" | "PL313") {
        return LintContext::default();
    }
    let kind = Some("LINUX_LAMBDA_CONTAINER".to_owned()).filter(|_| rule.code == "PL423");
    let project = ProjectFacts { kind, ..project() };
    LintContext { project: Some(project), ..LintContext::default() }
}

#[test]
fn the_wrong_examples_of_pages_are_found_and_the_right_ones_are_clean() {
    for rule in RULES {
        let context = context(rule);
        if rule.code != "PL124" {
            let bad = example(rule, "Found").unwrap_or_else(|| panic!("{} has no example", rule.code));
            let found = codes_in(&bad, &wrong_context(rule));
            assert!(found.contains(&rule.code.to_owned()), "{found:?} of {}\n{bad}", rule.code);
        }
        let good = example(rule, "Instead").unwrap_or_else(|| panic!("{} has no better example", rule.code));
        assert_eq!(codes_in(&good, &context), [""; 0], "instead of {}\n{good}", rule.code);
    }
}

#[test]
fn pages_that_promise_a_fix_have_one() {
    for rule in RULES.iter().filter(|rule| rule.code != "PL124") {
        let bad = example(rule, "Found").unwrap();
        let context = wrong_context(rule);
        let mended = fix(&bad, &context).unwrap_or(bad);
        let is_mended = !codes_in(&mended, &context).contains(&rule.code.to_owned());
        assert_eq!(is_mended, rule.page.contains("`--fix`: "), "{}\n{mended}", rule.code);
    }
}

#[test]
fn pages_explain_how_to_silence_the_rule_and_that_works() {
    for rule in RULES.iter().filter(|rule| !matches!(rule.code, "PL124")) {
        let comment = format!("# paceline: allow {}", rule.code);
        assert_eq!(rule.page.contains(&comment), !rule.page.contains("cannot be silenced"), "{}", rule.code);
        let context = wrong_context(rule);
        let mut text = example(rule, "Found").unwrap();
        if !rule.page.contains(&comment) {
            continue;
        }
        // The lines are handled from the last to the first, so that earlier lines keep their numbers.
        let lines: BTreeSet<usize> = super::found_in(&text, &context)
            .iter()
            .filter(|found| found.starts_with(rule.code))
            .map(|found| found[6..].split(':').next().unwrap().parse().unwrap())
            .collect();
        for line in lines.into_iter().rev() {
            let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
            // For a finding on the first line of a block, the comment goes before the block.
            let is_first = line > 1 && all[line - 2].ends_with(['|', '>']);
            let line = if is_first { line - 1 } else { line };
            let indentation = all[line - 1].len() - all[line - 1].trim_start().len();
            all.insert(line - 1, format!("{:indentation$}{comment}", ""));
            text = all.join("\n") + "\n";
        }
        let found = codes_in(&text, &context);
        let left = |code: &str| found.iter().any(|found| found == code);
        assert!(!left(rule.code) && !left("PL001") && !left("PL002"), "{found:?}\n{text}");
    }
}
