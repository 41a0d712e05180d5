//! Reads a request: its sender, its service, and what it asks for.
//!
//! The service and the region come from the credential scope of the signature, as they do for AWS itself. The
//! host therefore makes no difference. Signatures are not verified.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use paceline_text::percent_decode;
use serde_json::Value;

use super::answer::{Fault, Protocol};
use crate::world::AccountRegion;

/// A parsed request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: String,
    pub(crate) protocol: Protocol,
    /// The operation. It is empty for REST at first, whose operation follows from the method and the path.
    pub(crate) operation: String,
    /// The account of the credentials, and the region of the scope.
    pub(crate) place: AccountRegion,
    /// Whether the credentials are those of an assumed role.
    pub(crate) as_role: bool,
    pub(crate) method: Method,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: Form,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The parameters of a query protocol.
    pub(crate) form: Form,
    /// The parameters of a JSON protocol.
    pub(crate) json: Value,
}

impl Request {
    /// Parses a request. The only error is a missing credential scope: the service checks the rest.
    pub(crate) fn read(
        request: http::Request<Bytes>,
        default_account: &str,
        protocol_of: impl Fn(&str) -> Protocol,
    ) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        let query = Form::decode(parts.uri.query().unwrap_or_default());
        let scope = Scope::of(&parts.headers, &query).ok_or_else(|| {
            Fault::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        })?;
        let host = header(&parts.headers, "host").or_else(|| parts.uri.host()).unwrap_or_default().to_owned();
        let mut this = Self {
            place: AccountRegion::new(&account_of(&scope.access_key, default_account), &scope.region),
            as_role: scope.access_key.starts_with(ROLE_KEY),
            protocol: protocol_of(&scope.service),
            service: scope.service,
            operation: String::new(),
            method: parts.method,
            host,
            path: parts.uri.path().to_owned(),
            query,
            body,
            form: Form::default(),
            json: Value::Null,
            headers: parts.headers,
        };
        if matches!(this.protocol, Protocol::Rest | Protocol::RestJson) {
            return Ok(this);
        }
        if let Some(target) = header(&this.headers, "x-amz-target") {
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let empty = this.body.is_empty();
            let json = serde_json::from_slice(if empty { b"{}" } else { &this.body })
                .map_err(|_| Fault::new(400, "SerializationException", "The request is not valid JSON"))?;
            (this.operation, this.json) = (operation, json);
            return Ok(this);
        }
        if header(&this.headers, "smithy-protocol").is_some_and(|protocol| protocol.contains("cbor")) {
            let message = "CBOR is not simulated: use a client that sends JSON";
            return Err(Fault::new(415, "UnsupportedMediaTypeException", message));
        }
        let text = String::from_utf8_lossy(&this.body);
        this.form = Form::decode(&text);
        this.form.0.extend(this.query.0.clone());
        this.form.text("Action").unwrap_or_default().clone_into(&mut this.operation);
        Ok(this)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// When the credentials of the request end. `None` if `AssumeRole` has not handed them out.
    pub(crate) fn session_ends(&self) -> Option<Timestamp> {
        let token = self.header("x-amz-security-token")?;
        Timestamp::from_second(token.rsplit_once(ENDS)?.1.parse().ok()?).ok()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The part of a signature that names the access key, the service and the region.
struct Scope {
    access_key: String,
    region: String,
    service: String,
}

impl Scope {
    fn of(headers: &HeaderMap, query: &Form) -> Option<Self> {
        let text = match header(headers, "authorization") {
            Some(value) => value.split("Credential=").nth(1)?.split([',', ' ']).next()?,
            None => query.text("X-Amz-Credential")?,
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [key, _date, region, service, "aws4_request"] => Some(Self {
                access_key: key.to_owned(),
                region: region.to_owned(),
                service: service.to_owned(),
            }),
            // A SigV4a scope has no region: another header has the set of regions.
            [key, _date, service, "aws4_request"] => Some(Self {
                access_key: key.to_owned(),
                region: header(headers, "x-amz-region-set").unwrap_or("us-east-1").to_owned(),
                service: service.to_owned(),
            }),
            _ => None,
        }
    }
}

/// The prefix of access keys that `AssumeRole` hands out.
const ROLE_KEY: &str = "ASIA";

/// The access key that `AssumeRole` hands out for an account. It contains the number of the account, so that
/// no table of keys is needed.
pub(crate) fn access_key_for(account: &str, salt: &str) -> String {
    format!("{ROLE_KEY}{account:_>12}{salt}")
}

/// What separates the end of a session from the rest of its token.
const ENDS: char = '/';

/// The session token that `AssumeRole` hands out. It contains the end of the session, so that no table of tokens is needed.
pub(crate) fn session_token(salt: &str, ends: Timestamp) -> String {
    format!("{salt}{ENDS}{}", ends.as_second())
}

fn account_of(access_key: &str, default_account: &str) -> String {
    access_key
        .strip_prefix(ROLE_KEY)
        .and_then(|rest| rest.get(..12))
        .map(|account| account.trim_start_matches('_'))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or(default_account)
        .to_owned()
}

/// Form parameters, with the query protocol's conventions for lists and structures.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn decode(text: &str) -> Self {
        Self(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (percent_decode(key, true), percent_decode(value, true))
                })
                .collect(),
        )
    }

    /// A parameter that is given and not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter that may be empty.
    pub(crate) fn raw(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.text(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn required(&self, key: &str) -> Result<&str, Fault> {
        self.text(key).ok_or_else(|| {
            let member = key.chars().next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
            let rest = key.get(1..).unwrap_or_default();
            Fault::validation(format!(
                "1 validation error detected: Value null at '{member}{rest}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    /// A list of texts. `None` if the parameter is absent, and empty if the parameter is empty.
    pub(crate) fn list(&self, key: &str) -> Option<Vec<String>> {
        if self.raw(key) == Some("") {
            return Some(Vec::new());
        }
        let items: Vec<String> =
            (1..).map_while(|index| self.0.get(&format!("{key}.member.{index}")).cloned()).collect();
        (!items.is_empty()).then_some(items)
    }

    /// A list of structures, each with its own parameters.
    pub(crate) fn structures(&self, key: &str) -> Option<Vec<Form>> {
        if self.raw(key) == Some("") {
            return Some(Vec::new());
        }
        let items: Vec<Form> = (1..)
            .map_while(|index| {
                let below = self.below(&format!("{key}.member.{index}."));
                (!below.0.is_empty()).then_some(below)
            })
            .collect();
        (!items.is_empty()).then_some(items)
    }

    /// The parameters with a prefix, which is removed from their names.
    fn below(&self, prefix: &str) -> Form {
        Form(
            self.0
                .range(prefix.to_owned()..)
                .map_while(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_structures_are_read_in_order() {
        let form = Form::decode("T.member.1.Key=a&T.member.1.Value=1&T.member.2.Key=b%2Bc&L.member.1=x+y&E=");
        let structures = form.structures("T").unwrap();
        assert_eq!(structures.len(), 2);
        assert_eq!(structures[1].text("Key"), Some("b+c"));
        assert_eq!(form.list("L").unwrap(), ["x y"]);
        assert_eq!(form.list("E"), Some(Vec::new()));
        assert_eq!(form.list("none"), None);
    }

    #[test]
    fn more_than_nine_members_keep_their_order() {
        let text: Vec<String> = (1..=12).map(|index| format!("L.member.{index}={index}")).collect();
        let list = Form::decode(&text.join("&")).list("L").unwrap();
        assert_eq!(list.last().map(String::as_str), Some("12"));
    }

    #[test]
    fn invalid_encoding_is_kept() {}
}
