//! Image URIs: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`.

use paceline_assembly::{Text, UNKNOWN};

use super::uses::At;

/// The repositories that the image URIs in a text name, and where they are.
///
/// A repository whose name is not known is left out: then the name comes from somewhere that is itself
/// a dependency, such as an import. The repository of CDK's own image assets is left out too: it is part
/// of the bootstrap stack.
pub(super) fn of(text: &str) -> Vec<(Text, At)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(".dkr.ecr.") {
        rest = after;
        let Some((host, path)) = after.split_once('/') else { break };
        if !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c) || c == UNKNOWN) {
            continue;
        }
        let end = path.find(|c| !is_in_name(c)).unwrap_or(path.len());
        let name = Text::from_raw(&path[..end]);
        if name.is_known() && end > 0 && !name.raw().contains("container-assets-") {
            let start = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
            let account = (start < before.len() && before.is_char_boundary(start))
                .then(|| Text::from_raw(&before[start..]));
            // A region that is not known is as good as always the stack's own.
            let region = host.split('.').next().map(Text::from_raw).filter(Text::is_known);
            found.push((name, At { account, region }));
        }
    }
    found
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "._/-".contains(c) || c == UNKNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let shown: Vec<String> = of(text)
            .iter()
            .map(|(name, at)| {
                let at = [&at.account, &at.region].map(|at| at.as_ref().map_or("own", Text::raw));
                format!("{}/{}/{}", at[0], at[1], name.raw())
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_image_uri_names_account_region_and_repository() {
        check("111111111111.dkr.ecr.eu-west-1.amazonaws.com/a/b:1", &["111111111111/eu-west-1/a/b"]);
        check("111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn/a@sha256:0", &["111111111111/cn-north-1/a"]);
    }

    #[test]
    fn every_image_of_a_script_is_found() {
        let script = "docker pull 1.dkr.ecr.us-east-1.amazonaws.com/one:x\ndocker pull \u{fffc}.dkr.ecr.\u{fffc}.\u{fffc}/two\n";
        check(script, &["1/us-east-1/one", "own/own/two"]);
    }

    #[test]
    fn what_names_no_repository_of_the_app_is_passed_over() {
        check("111111111111.dkr.ecr.us-east-1.amazonaws.com", &[]);
        check("111111111111.dkr.ecr.us-east-1.amazonaws.com/", &[]);
        check("$ACCOUNT.dkr.ecr.$REGION.amazonaws.com\nbuild linux/arm64", &[]);
        check("1.dkr.ecr.us-east-1.amazonaws.com/cdk-hnb659fds-container-assets-1-us-east-1:0", &[]);
        check("1.dkr.ecr.us-east-1.amazonaws.com/\u{fffc}:latest", &[]);
    }
}
