//! Finds the endpoint, if runs do not use AWS itself. Times that are measured there say nothing about AWS.

use std::collections::BTreeSet;
use std::path::PathBuf;

use paceline_text::secrets::redacted;

/// The services that decide the times of a run, with the names that variables and profiles use.
const SERVICES: [&str; 6] = ["CLOUDFORMATION", "ECR", "IAM", "S3", "SSM", "STS"];

/// The domains of AWS's own endpoints, including private links and all partitions.
const OWN: [&str; 9] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.aws",
    "api.amazonwebservices.com.cn",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "csp.hci.ic.gov",
    "cloud.adc-e.uk",
];

/// The endpoints from the environment and the profile that are not AWS itself, each once, without the password in a URL:
/// events name them.
pub fn endpoint() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let config = variable("AWS_CONFIG_FILE").map(PathBuf::from).or_else(|| {
        let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".aws/config"))
    });
    let is_file = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.is_file());
    let config =
        config.filter(is_file).and_then(|path| fs_err::read_to_string(path).ok()).unwrap_or_default();
    endpoint_of(variable, &config).map(|endpoint| redacted(&endpoint).into_owned())
}

fn endpoint_of(variable: impl Fn(&str) -> Option<String>, config: &str) -> Option<String> {
    let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
    let profile = Profile::read(config, &profile);
    let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").or(profile.ignored);
    if ignored.is_some_and(|ignored| ignored.eq_ignore_ascii_case("true")) {
        return None;
    }
    let of_service = |service: &&str| {
        // The order of the SDKs: settings for a service come before settings for all services, and the
        // environment comes first.
        variable(&format!("AWS_ENDPOINT_URL_{service}"))
            .or_else(|| variable("AWS_ENDPOINT_URL"))
            .or_else(|| profile.services.iter().find(|(name, _)| name == service).map(|(_, url)| url.clone()))
            .or_else(|| profile.all.clone())
    };
    let found: BTreeSet<String> =
        SERVICES.iter().filter_map(of_service).filter_map(|url| elsewhere(&url)).collect();
    (!found.is_empty()).then(|| found.into_iter().collect::<Vec<_>>().join(" "))
}

/// The endpoint without parts that may be secret. `None` if it belongs to AWS.
fn elsewhere(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let is_own = OWN.iter().any(|own| name.strip_suffix(own).is_some_and(|rest| rest.ends_with('.')));
    (!is_own).then(|| format!("{scheme}://{host}"))
}

/// The settings of a profile that concern endpoints.
#[derive(Debug, Default)]
struct Profile {
    all: Option<String>,
    /// Endpoints by service, whose name is in capital letters.
    services: Vec<(String, String)>,
    ignored: Option<String>,
}

impl Profile {
    fn read(config: &str, name: &str) -> Self {
        let mut profile = Self::default();
        let mut services = None;
        for (key, value) in section(config, |title| {
            title == format!("profile {name}") || (name == "default" && title == "default")
        }) {
            match key {
                "endpoint_url" => profile.all = Some(value.to_owned()),
                "ignore_configured_endpoint_urls" => profile.ignored = Some(value.to_owned()),
                "services" => services = Some(format!("services {value}")),
                _ => {}
            }
        }
        let mut service = String::new();
        for (key, value) in section(config, |title| services.as_deref() == Some(title)) {
            // The line `cloudformation =` is followed by indented lines such as `endpoint_url = …`.
            match key {
                "endpoint_url" => profile.services.push((service.clone(), value.to_owned())),
                _ if value.is_empty() => service = key.to_ascii_uppercase(),
                _ => {}
            }
        }
        profile
    }
}

/// The settings of a section of a configuration file.
fn section(config: &str, is_it: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
    let mut inside = false;
    let mut settings = Vec::new();
    for line in config.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let words: Vec<&str> = title.split_whitespace().collect();
            inside = is_it(&words.join(" "));
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside) {
            settings.push((key.trim(), value.trim()));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], config: &str, expected: Option<&str>) {
        let variable = |name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(endpoint_of(variable, config).as_deref(), expected, "{variables:?}");
    }

    #[test]
    fn the_environment_names_the_endpoint_of_each_service() {
        check(&[], "", None);
        check(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")], "", Some("http://127.0.0.1:4566"));
        check(&[("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://LocalHost:1")], "", Some("http://localhost:1"));
        check(&[("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:1")], "", None);
        let two = [("AWS_ENDPOINT_URL", "http://b"), ("AWS_ENDPOINT_URL_S3", "http://user:secret@a/x")];
        check(&two, "", Some("http://a http://b"));
        let ignored = [("AWS_ENDPOINT_URL", "http://b"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        check(&ignored, "", None);
    }

    #[test]
    fn a_private_link_to_aws_is_aws() {
        for url in [
            "https://vpce-1-x.cloudformation.us-east-1.vpce.amazonaws.com",
            "https://cloudformation-fips.us-east-1.amazonaws.com:443/",
            "https://cloudformation.us-east-1.api.aws",
            "https://cloudformation.cn-north-1.amazonaws.com.cn",
        ] {
            check(&[("AWS_ENDPOINT_URL", url)], "", None);
        }
        let pretender = "https://notamazonaws.com";
        check(&[("AWS_ENDPOINT_URL", pretender)], "", Some(pretender));
    }

    #[test]
    fn a_profile_names_endpoints_too() {
        let config = "[default]\nregion = x\n[profile local]\nendpoint_url = http://l:1\n\
                      [profile some]\nservices = mine\n[services mine]\ncloudformation =\n  endpoint_url = http://c:2\n";
        check(&[], config, None);
        check(&[("AWS_PROFILE", "local")], config, Some("http://l:1"));
        check(&[("AWS_PROFILE", "some")], config, Some("http://c:2"));
    }
}
