//! Where the traces of runs go.

use std::str::FromStr;

use serde_json::json;

use crate::setting::{SettingError, settings, shown_as_written, text_setting};

settings! {
    /// The OpenTelemetry traces of runs. They are sent only if an endpoint is set here or in a standard variable
    /// (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`), which counts more. A collector that does not
    /// answer is a warning, and never delays the deployment.
    pub struct Traces: Default {
        /// The URL of the collector, such as `http://localhost:4318`. The traces go to its path `/v1/traces`, as JSON.
        pub endpoint: Option<CollectorUrl>,
        /// The name of the service in the traces. Without it, the name of the deployment. `OTEL_SERVICE_NAME` counts more.
        pub service_name: Option<String>,
    }
}

/// The URL of a collector of traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorUrl(String);

text_setting!(CollectorUrl, json!({ "type": "string", "pattern": "^https?://[^/@?#]+(/[^?#]*)?$" }));

impl CollectorUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CollectorUrl {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
        // Not shown: a URL with a password in it is a secret.
        (!host.is_empty() && !host.contains('@') && is_plain).then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                "this is not the URL of a collector",
                "write it like `http://localhost:4318`; a key belongs in OTEL_EXPORTER_OTLP_HEADERS and not in this file",
            )
        })
    }
}

shown_as_written!(CollectorUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_no_password() {
        for text in ["http://localhost:4318", "https://otlp.example.com/otlp", "http://[::1]:4318/"] {
            assert_eq!(text.parse::<CollectorUrl>().unwrap().as_str(), text);
        }
        for text in
            ["", "localhost:4318", "https://", "https://a:b@example.com", "https://a/?key=1", "ftp://a"]
        {
            let error = text.parse::<CollectorUrl>().unwrap_err();
            assert!(!error.to_string().contains(text) || text.is_empty(), "{error}");
        }
    }
}
